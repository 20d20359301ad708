import type { Attachment } from 'svelte/attachments';

/** How long a finger rests, and how far it may move meanwhile, in pixels. */
const long = 500;
const still = 10;

/**
 * longPress tells of a finger that rests on an element: not every browser shows a context
 * menu for it. The click that would follow is none.
 */
export function longPress(pressed: (at: PointerEvent) => void): Attachment<HTMLElement> {
  return (element) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let from: PointerEvent | null = null;
    let fired = false;

    const stop = () => {
      clearTimeout(timer);
      from = null;
    };
    const down = (event: PointerEvent) => {
      stop();
      fired = false;
      if (event.pointerType !== 'touch' || !event.isPrimary) return;
      from = event;
      timer = setTimeout(() => {
        fired = true;
        pressed(event);
      }, long);
    };
    const move = (event: PointerEvent) => {
      if (!from) return;
      if (Math.hypot(event.clientX - from.clientX, event.clientY - from.clientY) > still) stop();
    };
    const click = (event: MouseEvent) => {
      if (!fired) return;
      fired = false;
      event.preventDefault();
      event.stopPropagation();
    };
    element.addEventListener('pointerdown', down);
    element.addEventListener('pointermove', move);
    element.addEventListener('pointerup', stop);
    element.addEventListener('pointercancel', stop);
    element.addEventListener('click', click, true);
    return () => {
      stop();
      element.removeEventListener('pointerdown', down);
      element.removeEventListener('pointermove', move);
      element.removeEventListener('pointerup', stop);
      element.removeEventListener('pointercancel', stop);
      element.removeEventListener('click', click, true);
    };
  };
}
