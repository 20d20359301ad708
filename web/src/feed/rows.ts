import type { Item, Recipient } from '../api/types';

/** A message whose recipients' state moved. */
export interface StateChange {
  message: string;
  recipients: Recipient[];
  v: number;
}

/** How many events wait behind the pill at most; beyond, showing them reads a page anew. */
export const maxWaiting = 500;

/**
 * newestFirst is the order of every feed: by time, then by id, both descending.
 * Times are whole seconds in UTC, all written alike, so that text order is theirs.
 */
export function newestFirst(a: Item, b: Item): number {
  if (a.time !== b.time) return a.time < b.time ? 1 : -1;
  return a.id < b.id ? 1 : a.id > b.id ? -1 : 0;
}

/**
 * Rows are the events of one query, newest first: those on screen, and those
 * that came while the reader was reading and wait behind the pill. Pages and
 * socket frames may repeat events in any order; each is held once.
 *
 * The arrays are replaced, never changed, so that a view can compare them.
 */
export class Rows {
  shown: readonly Item[] = [];
  waiting: readonly Item[] = [];
  /** How many came beyond maxWaiting and were let go. */
  overflow = 0;
  /** Whether the last page has been read, so that nothing older is to come. */
  complete = false;

  #known = new Set<string>();
  #versions = new Map<string, number>();

  /** reset starts over with a first page. */
  reset(items: readonly Item[], complete: boolean): void {
    this.shown = [];
    this.waiting = [];
    this.overflow = 0;
    this.#known.clear();
    this.#versions.clear();
    this.append(items, complete);
  }

  /** append adds the page after the last one. */
  append(items: readonly Item[], complete: boolean): void {
    this.shown = merge(this.shown, this.#learn(items));
    this.complete = complete;
  }

  /**
   * arrive adds live events, to the screen or, when the reader holds it, to those
   * that wait, and returns the ones that were not known. One that is older than
   * the last row is left to the page that will bring it.
   */
  arrive(items: readonly Item[], held: boolean): Item[] {
    const last = this.shown.at(-1);
    const ours = items.filter(
      (item) => this.complete || last === undefined || newestFirst(item, last) < 0,
    );
    const fresh = this.#learn(ours);
    if (fresh.length === 0) return fresh;
    if (held) {
      const waiting = merge(this.waiting, fresh);
      this.overflow += Math.max(0, waiting.length - maxWaiting);
      this.waiting = waiting.slice(0, maxWaiting);
    } else {
      this.shown = merge(this.shown, fresh);
    }
    return fresh;
  }

  /** release puts what waits on the screen and returns it. */
  release(): readonly Item[] {
    const released = this.waiting;
    if (released.length > 0) this.shown = merge(this.shown, released);
    this.waiting = [];
    return released;
  }

  /** state updates the sends of a message, unless a newer version was seen. */
  state(change: StateChange): void {
    const seen = this.#versions.get(change.message);
    if (seen !== undefined && change.v <= seen) return;
    this.#versions.set(change.message, change.v);
    const now = new Map(change.recipients.map((person) => [person.email, person]));
    this.#update(
      (item) => item.message === change.message && item.recipients !== undefined,
      (item) => withState(item, now),
    );
  }

  /** change replaces a corrected event where it is; one not known yet arrives. */
  change(item: Item, held: boolean): Item[] {
    if (!this.#known.has(item.id)) return this.arrive([item], held);
    this.#update(
      (old) => old.id === item.id,
      () => item,
    );
    return [];
  }

  /**
   * gone removes an event that was erased or does not match any more. A replay
   * repeats both its coming and its going, and a correction may bring it back.
   */
  gone(id: string): void {
    const others = (item: Item) => item.id !== id;
    if (!this.shown.every(others)) this.shown = this.shown.filter(others);
    if (!this.waiting.every(others)) this.waiting = this.waiting.filter(others);
    this.#known.delete(id);
  }

  #learn(items: readonly Item[]): Item[] {
    return items.filter((item) => {
      if (this.#known.has(item.id)) return false;
      this.#known.add(item.id);
      return true;
    });
  }

  #update(which: (item: Item) => boolean, to: (item: Item) => Item): void {
    const each = (item: Item) => (which(item) ? to(item) : item);
    if (this.shown.some(which)) this.shown = this.shown.map(each);
    if (this.waiting.some(which)) this.waiting = this.waiting.map(each);
  }
}

/** A send may hold some of its message's recipients only, and keeps to those. */
function withState(item: Item, now: ReadonlyMap<string, Recipient>): Item {
  const recipients = (item.recipients ?? []).map((person) => now.get(person.email) ?? person);
  const unopened = recipients.filter((person) => person.opened === null).length;
  return { ...item, recipients, unopened };
}

function merge(sorted: readonly Item[], more: readonly Item[]): readonly Item[] {
  if (more.length === 0) return sorted;
  return [...sorted, ...more].sort(newestFirst);
}
