import type { Attachment } from 'svelte/attachments';

/** How far a finger must go for it to count, in pixels. */
const enough = 96;

/**
 * swipe lets a finger move a row: to the right is done, to the left is later. What is
 * scrolled up and down, and what begins at a control, is no swipe.
 */
export function swipe(done: () => void, later: () => void): Attachment<HTMLElement> {
  return (row) => {
    let from: { x: number; y: number; id: number } | null = null;
    let by = 0;

    const rest = () => {
      from = null;
      by = 0;
      row.style.translate = '';
      delete row.dataset['swipe'];
    };
    const down = (event: PointerEvent) => {
      if (event.pointerType !== 'touch' || !event.isPrimary) return;
      if (event.target instanceof Element && event.target.closest('input, textarea, select'))
        return;
      from = { x: event.clientX, y: event.clientY, id: event.pointerId };
    };
    const move = (event: PointerEvent) => {
      if (from?.id !== event.pointerId) return;
      const x = event.clientX - from.x;
      if (by === 0 && Math.abs(x) < 12) return;
      if (by === 0 && Math.abs(event.clientY - from.y) > Math.abs(x)) return rest();
      by = x;
      row.style.translate = `${x}px 0`;
      row.dataset['swipe'] = Math.abs(x) < enough ? '' : x > 0 ? 'done' : 'later';
    };
    const up = () => {
      const went = by;
      rest();
      if (went > enough) done();
      else if (went < -enough) later();
    };
    // A row that was moved is not pressed.
    const click = (event: MouseEvent) => {
      if (Math.abs(by) < 12) return;
      event.preventDefault();
      event.stopPropagation();
    };
    row.addEventListener('pointerdown', down);
    row.addEventListener('pointermove', move);
    row.addEventListener('pointerup', up);
    row.addEventListener('pointercancel', rest);
    row.addEventListener('click', click, true);
    return () => {
      row.removeEventListener('pointerdown', down);
      row.removeEventListener('pointermove', move);
      row.removeEventListener('pointerup', up);
      row.removeEventListener('pointercancel', rest);
      row.removeEventListener('click', click, true);
    };
  };
}
