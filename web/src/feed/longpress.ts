import type { Attachment } from 'svelte/attachments';

/** How long a finger rests, and how far it may move meanwhile, in pixels. */
const long = 500;
const still = 10;

/**
 * longPress tells of a finger that rests on an element: not every browser shows a context
 * menu for it. A click that its lifting makes is none, wherever it lands: what was opened may
 * lie under the finger by then. Not every browser makes one, and the next press is meant again.
 */
export function longPress(pressed: (at: PointerEvent) => void): Attachment<HTMLElement> {
  return (element) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let from: PointerEvent | null = null;

    const stop = () => {
      clearTimeout(timer);
      from = null;
    };
    const down = (event: PointerEvent) => {
      stop();
      if (event.pointerType !== 'touch' || !event.isPrimary) return;
      from = event;
      timer = setTimeout(() => {
        document.addEventListener('click', swallow, true);
        document.addEventListener('pointerdown', forget, true);
        pressed(event);
      }, long);
    };
    const forget = () => {
      document.removeEventListener('click', swallow, true);
      document.removeEventListener('pointerdown', forget, true);
    };
    const move = (event: PointerEvent) => {
      if (!from) return;
      if (Math.hypot(event.clientX - from.clientX, event.clientY - from.clientY) > still) stop();
    };
    const swallow = (event: MouseEvent) => {
      forget();
      event.preventDefault();
      event.stopPropagation();
    };
    element.addEventListener('pointerdown', down);
    element.addEventListener('pointermove', move);
    element.addEventListener('pointerup', stop);
    element.addEventListener('pointercancel', stop);
    return () => {
      stop();
      element.removeEventListener('pointerdown', down);
      element.removeEventListener('pointermove', move);
      element.removeEventListener('pointerup', stop);
      element.removeEventListener('pointercancel', stop);
      forget();
    };
  };
}
