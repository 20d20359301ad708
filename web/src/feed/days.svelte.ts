import { Failure } from '../api/client';
import type { SearchQuery, StatsQuery } from '../api/types';
import type { App } from '../app.svelte';
import { instantOf, nextDay } from '../search/days';
import { queryText, searchOf } from './address';
import type { ServerFrame } from './frames';

/** How long heads that come into view are gathered, and how often a day is counted again. */
const gather = 200;
const again = 5_000;
/** How many days one question spans at most. */
const longest = 60;

/** DayCounts says how many events a day of the list has, asked for once its head is in view. */
export class DayCounts {
  /** By the day's key; null where it was asked for and is not known. */
  known = $state.raw<ReadonlyMap<string, number | null>>(new Map());

  #app: App;
  #abort = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #wanted = new Set<string>();
  #question = '';

  constructor(app: App) {
    this.#app = app;
  }

  /** load starts over, or counts again what the same search has. */
  load(): void {
    const question = queryText(this.#search());
    if (question !== this.#question) {
      this.close();
      this.#abort = new AbortController();
      this.#wanted.clear();
      this.known = new Map();
    }
    this.#question = question;
    const [newest] = [...this.known.keys()].sort().reverse();
    if (newest) this.#ask(newest, gather);
  }

  /** want asks for a day whose head is in view. */
  want(day: string): void {
    if (!this.known.has(day)) this.#ask(day, gather);
  }

  /** heard counts the days again that something happened on. */
  heard(frames: readonly ServerFrame[]): void {
    for (const frame of frames) {
      if (frame.op !== 'event' && frame.op !== 'changed') continue;
      const day = this.#app.clock.key(frame.item.time);
      if (this.known.has(day)) this.#ask(day, again);
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#abort.abort();
  }

  #ask(day: string, wait: number): void {
    this.#wanted.add(day);
    this.#timer ??= setTimeout(() => void this.#fetch(), wait);
  }

  #search(): SearchQuery {
    const { view, session, preferences } = this.#app;
    return { ...searchOf(view, session.user), tz: preferences.zone };
  }

  async #fetch(): Promise<void> {
    this.#timer = undefined;
    const [first] = [...this.#wanted].sort().reverse();
    if (first === undefined) return;
    const days = [...this.#wanted].filter((day) => day > nextDay(first, -longest)).sort();
    for (const day of days) this.#wanted.delete(day);
    const { signal } = this.#abort;
    const { zone } = this.#app.preferences;
    const search: StatsQuery = {
      ...this.#search(),
      interval: 'day',
      fields: ['series'],
      since: String(instantOf(days[0] ?? first, zone)),
      until: String(instantOf(nextDay(first), zone)),
    };
    const counts = new Map<string, number | null>(days.map((day) => [day, null]));
    try {
      const { series, partial } = await this.#app.client.stats(search, signal);
      for (const { start, events } of (!partial && series?.points) || [])
        counts.set(this.#app.clock.key(start), events);
    } catch (error) {
      if (signal.aborted) return;
      // The list says what is wrong with the server.
      if (!(error instanceof Failure)) throw error;
    }
    if (signal.aborted) return;
    this.known = new Map([...this.known, ...counts]);
    if (this.#wanted.size > 0) this.#timer ??= setTimeout(() => void this.#fetch(), gather);
  }
}
