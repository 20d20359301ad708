import type { EventType, Item } from '../api/types';

/** What can only come of another within its second stands above it: an open above its send. */
const causes: Record<EventType, number> = {
  send: 0,
  delivery: 1,
  bounce: 2,
  open: 3,
  click: 4,
  download: 5,
  reply: 6,
  meeting: 7,
  complaint: 8,
  unsubscribe: 9,
  custom: 10,
};

/**
 * pageOrder is the order of the server's pages: by time, then by id, both descending.
 * Times are whole seconds in UTC, all written alike, so that text order is theirs.
 */
export function pageOrder(a: Item, b: Item): number {
  if (a.time !== b.time) return a.time < b.time ? 1 : -1;
  return a.id < b.id ? 1 : a.id > b.id ? -1 : 0;
}

/**
 * newestFirst is the order on screen: by time, within a second by what comes of what,
 * then by id, so that a list reads the same however its events came.
 */
export function newestFirst(a: Item, b: Item): number {
  if (a.time === b.time && a.type !== b.type) return causes[b.type] - causes[a.type];
  return pageOrder(a, b);
}

/** Fold is one row: an event, with its repeats of the same day behind it. */
export interface Fold {
  readonly key: string;
  readonly day: string;
  /** Newest first, never empty. Replaced, never changed. */
  items: readonly Item[];
}

/** What the list is made of. */
export type Entry =
  | { readonly is: 'day'; readonly key: string; readonly day: string }
  | { readonly is: 'row'; readonly key: string; readonly fold: Fold }
  /** Where the reader stopped at their last visit. */
  | { readonly is: 'mark'; readonly key: 'mark'; readonly at: string };

const repeats: ReadonlySet<EventType> = new Set(['open', 'click', 'download', 'delivery']);

/**
 * foldKey names the row that an event belongs to. Repeats are what one person
 * does with one thing of one message within a day; deliveries of a message are
 * told together, whoever got them. A machine's never hide behind a person's.
 */
export function foldKey(item: Item, day: string): string {
  if (!repeats.has(item.type)) return item.id;
  const who = item.type === 'delivery' ? '' : whoKey(item);
  const what = item.type === 'click' ? item.link : item.type === 'download' ? item.file : '';
  const made = item.verdict?.is === 'machine' ? 'machine' : '';
  return [day, item.type, made, item.message, who, what].join('\u0000');
}

/** whoKey tells people apart, and those of whom one did it from others. */
function whoKey({ person, candidates }: Item): string {
  return person?.email ?? (candidates ?? []).map(({ email }) => email).join(' ');
}

/**
 * order tells whether an entry stands before (negative) or behind an event of a day, where
 * the newest come first or, with oldest, the oldest.
 */
export function order(entry: Entry, item: Item, day: string, oldest = false): number {
  switch (entry.is) {
    case 'row': {
      const newest = newestFirst(entry.fold.items[0] as Item, item);
      return oldest ? -newest : newest;
    }
    case 'day':
      return (oldest ? entry.day <= day : entry.day >= day) ? -1 : 1;
    case 'mark':
      return entry.at >= item.time ? -1 : 1;
  }
}

/** rowIndexOf is the first index whose entry does not stand before the event. */
export function rowIndexOf(
  entries: readonly Entry[],
  item: Item,
  day: string,
  oldest = false,
): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (order(entries[middle] as Entry, item, day, oldest) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
