import { Failure } from '../api/client';
import type { Stats, StatsQuery } from '../api/types';
import type { App } from '../app.svelte';
import { queryText, searchOf } from './address';
import type { ServerFrame } from './frames';

/** How long the figures lag behind the list at most, in quiet and in busy times. */
const soon = 250;
const often = 5_000;
/** Without a time in the search, the figures are of the last seven days. */
const days = 7;

/** Strip is the line of figures above the list, asked for beside each page. */
export class Strip {
  stats = $state.raw<Stats | null>(null);
  /** Whether the search itself says which time is meant. */
  timed = $state(false);

  #app: App;
  #abort = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #askedAt = 0;
  #asked = '';
  /** Set once the server has said that it keeps no statistics. */
  #missing = false;

  constructor(app: App) {
    this.#app = app;
  }

  /** load asks for the figures of the search that is shown. */
  load(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#missing) void this.#fetch();
  }

  /** after asks in a while, or when the figures are due: they do not hold up the first rows. */
  after(wait: number): void {
    this.#timer ??= setTimeout(() => this.load(), wait);
  }

  due(): void {
    if (this.#timer !== undefined) this.load();
  }

  /** heard asks again when events came or changed, not more often than is of use. */
  heard(frames: readonly ServerFrame[]): void {
    const counts = frames.some(({ op }) => op === 'event' || op === 'changed' || op === 'gone');
    if (!counts || this.#timer !== undefined || this.#missing) return;
    const wait = Math.max(soon, this.#askedAt + often - Date.now());
    this.#timer = setTimeout(() => this.load(), wait);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#abort.abort();
  }

  async #fetch(): Promise<void> {
    this.#abort.abort();
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    this.#askedAt = Date.now();
    const { view, session, preferences } = this.#app;
    const base = searchOf({ ...view, types: [], rows: 'events' }, session.user);
    const question = queryText(base);
    // What was shown for another question says nothing about this one.
    if (question !== this.#asked) this.stats = null;
    this.#asked = question;
    const query: StatsQuery = {
      ...base,
      tz: preferences.zone,
      since: String(Math.floor(Date.now() / 1000) - days * 86_400),
      unless_timed: true,
      fields: ['totals', 'rates', 'automated', 'series', 'previous'],
    };
    try {
      const stats = await this.#app.client.stats(query, signal);
      if (signal.aborted) return;
      this.timed = stats.query.chips.some(({ field }) => field === 'time');
      this.stats = stats;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Failure)) throw error;
      // The list says what is wrong with the server; the strip stays as it is.
      if (error.status === 404) this.#missing = true;
    }
  }
}
