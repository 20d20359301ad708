import type { Chip } from '../api/types';

/** A piece of the text in the search box. */
export interface Part {
  text: string;
  /** Whether it became a chip. */
  read: boolean;
  /** Whether it was left aside, such as "the". */
  ignored: boolean;
}

/**
 * mirrored cuts the text in the box into what became chips and what did not.
 * asked is the text that the chips were read from: as far as the box begins with
 * the same words, their spans count; what has been typed since is neither.
 */
export function mirrored(text: string, asked: string, chips: readonly Chip[]): Part[] {
  const lead = text.length - text.trimStart().length;
  const points = [...text.slice(lead)];
  const before = [...asked.trim()];
  let same = 0;
  while (same < points.length && points[same] === before[same]) same++;
  const whole = same >= before.length;
  const spans = chips
    .flatMap(({ span }) => (span && span[1] > span[0] && span[1] <= same ? [span] : []))
    .sort((a, b) => a[0] - b[0]);
  const out: Part[] = [];
  const push = (from: number, to: number, read: boolean) => {
    const piece = points.slice(from, to).join('');
    if (piece) out.push({ text: piece, read, ignored: !read && whole && to <= before.length });
  };
  if (lead > 0) out.push({ text: text.slice(0, lead), read: false, ignored: false });
  let at = 0;
  for (const [from, to] of spans) {
    if (from < at) continue;
    push(at, from, false);
    push(from, to, true);
    at = to;
  }
  push(at, whole ? before.length : same, false);
  push(whole ? Math.max(at, before.length) : Math.max(at, same), points.length, false);
  return out;
}
