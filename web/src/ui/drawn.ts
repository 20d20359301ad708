import { mount } from 'svelte';
import type { Attachment } from 'svelte/attachments';
import type { Kind } from './kinds';

const drawings = new Map<Kind['icon'], Element>();

/**
 * drawn puts an icon into a tile. A list draws the same dozen for thousands of rows: each is
 * made once, and copied.
 */
export function drawn(icon: Kind['icon']): Attachment {
  let drawing = drawings.get(icon);
  if (!drawing) {
    drawing = document.createElement('i');
    mount(icon, { target: drawing, props: { size: 14, strokeWidth: 2 } });
    drawings.set(icon, drawing);
  }
  const copies = [...drawing.children].map((child) => child.cloneNode(true));
  return (node) => node.replaceChildren(...copies);
}
