import type { Item, Recipient } from '../api/types';
import { unopenedOf } from './words';
import { foldKey, newestFirst, pageOrder, rowIndexOf, type Entry, type Fold } from './folds';

/** A message whose recipients' state moved. */
export interface StateChange {
  message: string;
  /** Of a mailing those of whom something was heard last; rest counts the others. */
  recipients: Recipient[];
  rest?: { count: number };
  unopened?: number;
  v: number;
}

/** How many events wait behind the pill at most; beyond, showing them reads a page anew. */
export const maxWaiting = 500;

/**
 * Rows are the events of one query, newest first or oldest first: those on screen, and
 * those that came while the reader was reading and wait behind the pill. Pages and
 * socket frames may repeat events in any order; each is held once.
 *
 * On screen they are entries: rows of folded repeats, heads of days, and the
 * mark of the last visit. The array of entries is replaced when an entry comes,
 * goes or moves, and kept when only what a row says has changed; revision counts
 * both. Adding to a hundred thousand rows costs a copy of the array, no more.
 */
export class Rows {
  entries: readonly Entry[] = [];
  waiting: readonly Item[] = [];
  /** How many came beyond maxWaiting and were let go. */
  overflow = 0;
  /** Whether the last page has been read, so that nothing older is to come. */
  complete = false;
  /** How many events are on screen, and in how many rows. */
  size = 0;
  count = 0;
  revision = 0;

  #dayOf: (time: string) => string;
  #markAt: string | null;
  #folds = new Map<string, Fold>();
  #known = new Map<string, Fold | null>();
  #sends = new Map<string, Set<string>>();
  #versions = new Map<string, number>();
  #last: Item | undefined;
  #oldest = false;

  /** dayOf names the reader's day of a time; markAt is when they were last here. */
  constructor(dayOf: (time: string) => string, markAt: string | null = null) {
    this.#dayOf = dayOf;
    this.#markAt = markAt;
  }

  /** reset starts over with a first page. */
  reset(items: readonly Item[], complete: boolean, oldest = false): void {
    this.#oldest = oldest;
    this.entries = [];
    this.waiting = [];
    this.overflow = this.size = this.count = 0;
    this.#last = undefined;
    this.#folds.clear();
    this.#known.clear();
    this.#sends.clear();
    this.#versions.clear();
    this.append(items, complete);
  }

  /** append adds the page after the last one. */
  append(items: readonly Item[], complete: boolean): void {
    this.complete = complete;
    this.#show(this.#learn(items));
    this.#mark();
    const last = items.at(-1);
    if (last && (!this.#last || this.#behind(last, this.#last))) this.#last = last;
  }

  /**
   * arrive adds live events, to the screen or, when the reader holds it, to those
   * that wait, and returns the ones that were not known. One that is behind the last
   * page is left to the page that will bring it.
   */
  arrive(items: readonly Item[], held: boolean): Item[] {
    const last = this.#last;
    const ours = items.filter(
      (item) => this.complete || last === undefined || this.#behind(last, item),
    );
    const fresh = this.#learn(ours);
    if (fresh.length === 0) return fresh;
    if (held) {
      const waiting = [...this.waiting, ...fresh].sort(newestFirst);
      this.overflow += Math.max(0, waiting.length - maxWaiting);
      this.waiting = waiting.slice(0, maxWaiting);
      this.revision++;
    } else {
      this.#show(fresh);
    }
    return fresh;
  }

  /** release puts what waits on the screen and returns it. */
  release(): readonly Item[] {
    const released = this.waiting;
    this.waiting = [];
    this.#show(released);
    return released;
  }

  /** state updates the sends of a message, unless a newer version was seen. */
  state(change: StateChange): void {
    const seen = this.#versions.get(change.message);
    if (seen !== undefined && change.v <= seen) return;
    this.#versions.set(change.message, change.v);
    for (const id of this.#sends.get(change.message) ?? []) {
      this.#replace(id, (item) => withState(item, change));
    }
  }

  /** messages are those whose state some row shows. */
  messages(): string[] {
    return [...this.#sends.keys()];
  }

  /** change replaces a corrected event where it is; one not known yet arrives. */
  change(item: Item, held: boolean): Item[] {
    if (!this.#known.has(item.id)) return this.arrive([item], held);
    const fold = this.#known.get(item.id);
    if (fold && fold.items.length > 1 && fold.key !== foldKey(item, this.#dayOf(item.time))) {
      // It belongs to another row now.
      this.#take(item.id);
      this.#learn([item]);
      this.#show([item]);
    } else {
      this.#replace(item.id, () => item);
    }
    return [];
  }

  /**
   * gone removes an event that was erased or does not match any more. A replay
   * repeats both its coming and its going, and a correction may bring it back.
   */
  gone(id: string): void {
    if (!this.#known.has(id)) return;
    this.#take(id);
  }

  /** positionOf is the index of the row that an event is in, -1 when it is in none. */
  positionOf(id: string): number {
    const fold = this.#known.get(id);
    const newest = fold?.items[0];
    if (!fold || !newest) return -1;
    const at = this.#indexOf(this.entries, newest, fold.day);
    const entry = this.entries[at];
    return entry?.is === 'row' && entry.fold === fold ? at : -1;
  }

  /** #behind tells whether an event comes behind another in the server's pages. */
  #behind(item: Item, other: Item): boolean {
    return this.#oldest ? pageOrder(item, other) < 0 : pageOrder(item, other) > 0;
  }

  #indexOf(entries: readonly Entry[], item: Item, day: string): number {
    return rowIndexOf(entries, item, day, this.#oldest);
  }

  #learn(items: readonly Item[]): Item[] {
    return items.filter((item) => {
      if (this.#known.has(item.id)) return false;
      this.#known.set(item.id, null);
      if (item.recipients) {
        const sends = this.#sends.get(item.message) ?? new Set();
        this.#sends.set(item.message, sends.add(item.id));
      }
      return true;
    });
  }

  #show(items: readonly Item[]): void {
    this.revision++;
    if (items.length === 0) return;
    const entries = [...this.entries];
    for (const item of items) this.#insert(entries, item);
    this.entries = entries;
  }

  /** #insert adds an event to its row, which moves up when the event is its newest. */
  #insert(entries: Entry[], item: Item): void {
    const day = this.#dayOf(item.time);
    const key = foldKey(item, day);
    this.size++;
    let fold = this.#folds.get(key);
    const newest = fold?.items[0];
    if (fold && newest) {
      this.#known.set(item.id, fold);
      if (newestFirst(newest, item) < 0) {
        fold.items = [...fold.items, item].sort(newestFirst);
        return;
      }
      entries.splice(this.#indexOf(entries, newest, day), 1);
      fold.items = [item, ...fold.items];
    } else {
      fold = { key, day, items: [item] };
      this.#folds.set(key, fold);
      this.#known.set(item.id, fold);
      this.count++;
    }
    const at = this.#indexOf(entries, item, day);
    entries.splice(at, 0, { is: 'row', key, fold });
    let before = at - 1;
    while (entries[before]?.is === 'mark') before--;
    const above = entries[before];
    const theirs = above?.is === 'day' ? above.day : above?.is === 'row' ? above.fold.day : '';
    if (theirs !== day) entries.splice(at, 0, { is: 'day', key: `day ${day}`, day });
  }

  /** #mark puts the mark between what came after the last visit and what was there. */
  #mark(): void {
    const at = this.#markAt;
    if (at === null || this.#oldest) return;
    const first = this.entries.findIndex((e) => e.is === 'row' && e.fold.items[0]!.time <= at);
    if (first < 0) return;
    this.#markAt = null;
    const index = this.entries[first - 1]?.is === 'day' ? first - 1 : first;
    if (index > 0) this.entries = this.entries.toSpliced(index, 0, { is: 'mark', key: 'mark', at });
  }

  /** #take removes an event from its row, and a row with its day when they are empty. */
  #take(id: string): void {
    const fold = this.#known.get(id);
    this.#known.delete(id);
    this.revision++;
    const item = (fold?.items ?? this.waiting).find((one) => one.id === id);
    if (!item) return;
    this.#sends.get(item.message)?.delete(id);
    if (!fold) {
      this.waiting = this.waiting.filter((one) => one !== item);
      return;
    }
    this.size--;
    const entries = [...this.entries];
    const at = this.#indexOf(entries, fold.items[0] as Item, fold.day);
    const wasNewest = fold.items[0] === item;
    fold.items = fold.items.filter((one) => one !== item);
    if (!wasNewest) return;
    const row = entries[at] as Entry;
    entries.splice(at, 1);
    const newest = fold.items[0];
    if (newest) {
      entries.splice(this.#indexOf(entries, newest, fold.day), 0, row);
    } else {
      this.#folds.delete(fold.key);
      this.count--;
      const next = entries[at]?.is === 'mark' ? entries[at + 1] : entries[at];
      const above = entries[at - 1]?.is === 'mark' ? at - 2 : at - 1;
      if (entries[above]?.is === 'day' && next?.is !== 'row') entries.splice(above, 1);
    }
    this.entries = entries;
  }

  #replace(id: string, to: (item: Item) => Item): void {
    const each = (item: Item) => (item.id === id ? to(item) : item);
    const fold = this.#known.get(id);
    if (fold) fold.items = fold.items.map(each);
    else this.waiting = this.waiting.map(each);
    this.revision++;
  }
}

/** asNow are people as they are now, where that is known of some of them. */
export function asNow(people: readonly Recipient[], some: readonly Recipient[]): Recipient[] {
  const now = new Map(some.map((person) => [person.email, person]));
  return people.map((person) => now.get(person.email) ?? person);
}

/** A send may hold some of its message's recipients only, and keeps to those. */
function withState(item: Item, change: StateChange): Item {
  const recipients = asNow(item.recipients ?? [], change.recipients);
  let unopened = unopenedOf(recipients).length;
  if (item.rest) {
    // Only the server has seen all of a mailing's recipients, and a piece of it keeps its count.
    const all = recipients.length + item.rest.count;
    const whole = all === change.recipients.length + (change.rest?.count ?? 0);
    unopened = (whole ? change.unopened : item.unopened) ?? unopened;
  }
  return { ...item, recipients, unopened };
}
