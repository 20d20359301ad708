import type { Item } from '../api/types';

/**
 * How long what comes is gathered before it is drawn: after a quiet time, in a stream, and in
 * one that nobody can follow row by row, where a screenful at a time is as much as one can read.
 */
const soon = 100;
const streaming = 400;
const rushing = 2_000;
/** How many events a second make a stream such a one. */
const rush = 10;
/** What is drawn again within this is a stream. */
const quiet = 600;
/** How long a row moves, and how many do at once at most: more of them, and none does. */
const moving = 1_800;
const mostMoving = 5;

/**
 * Pace keeps a stream of events from being drawn all the time: it is drawn in steps, and rows
 * come in with a movement only where they are few, since each moving row is painted anew with
 * every frame.
 */
export class Pace {
  #drawn = -Infinity;
  #rate = 0;
  #moving: { id: string; since: number }[] = [];

  /** wait is how long to gather from a time on. */
  wait(now: number): number {
    if (now - this.#drawn >= quiet) return soon;
    return this.#rate >= rush ? rushing : streaming;
  }

  /** drawn says that so many events were drawn. */
  drawn(now: number, count: number): void {
    const since = Math.max(streaming, now - this.#drawn);
    this.#rate = (count * 1_000) / since;
    this.#drawn = now;
  }

  /** arrive says which rows move at a time, when these have come. */
  arrive(items: readonly Item[], now: number): ReadonlySet<string> {
    this.#moving = this.#moving.filter(({ since }) => now - since < moving);
    this.#moving.push(...items.map(({ id }) => ({ id, since: now })));
    this.#moving = this.#moving.slice(-mostMoving - 1);
    return new Set(this.#moving.length > mostMoving ? [] : this.#moving.map(({ id }) => id));
  }
}
