import type { Item } from '../api/types';
import type { Entry } from './folds';

/** neighbourOf is the event of the next (1) or previous (-1) row of a list. */
export function neighbourOf(entries: readonly Entry[], at: number, by: 1 | -1): Item | null {
  if (at < 0 && by < 0) return null;
  for (at += by; at < entries.length && at >= 0; at += by) {
    const entry = entries[at];
    if (entry?.is === 'row') return entry.fold.items[0] ?? null;
  }
  return null;
}

/** toggled is a set with a member more, or without it where it was there. */
export function toggled(set: ReadonlySet<string>, member: string): ReadonlySet<string> {
  const next = new Set(set);
  if (!next.delete(member)) next.add(member);
  return next;
}
