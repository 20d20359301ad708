import { Failure } from '../api/client';
import type { Stats, StatsQuery } from '../api/types';
import type { App } from '../app.svelte';
import { addTerm, queryText, searchOf, type View } from '../feed/address';
import { instantOf, nextDay, weekdayOf } from '../search/days';
import { csvOf } from './csv';
import { RatesByUsers, type AnswerTimes, type Measured } from './rates.svelte';
import { daysBack, periodOf, termOfPeriod, usual, type Period } from './period';

const patience = 150;
/** How many hours of days a search may name one by one. */
const mostHours = 14;

const two = (hour: number) => String(hour).padStart(2, '0');

/** StatsStore is the state of the statistics page: three questions to the server. */
export class StatsStore {
  readonly app: App;

  stats = $state.raw<Stats | null>(null);
  /** The latest time before with the same days of the week, for the dotted line. */
  before = $state.raw<Stats | null>(null);
  /** Opens by weekday and hour. */
  heat = $state.raw<number[][] | null>(null);
  /** How long people took to answer: mails are read for it, and so it comes last. */
  answers = $state.raw<AnswerTimes | null>(null);
  /** Rates of people or teams, as far as they are shown. */
  readonly rates = new RatesByUsers();
  failure = $state.raw<Failure | null>(null);
  slow = $state(false);
  /** Whether the time before is drawn, too. */
  compare = $state(true);
  loading = $state(true);
  /** Whether anything that is shown is still being counted, answer times among it. */
  counting = $state(true);

  #abort = new AbortController();
  #asking: Promise<void> = Promise.resolve();
  #answering: Promise<void> = Promise.resolve();

  readonly today = $derived.by(() => this.app.clock.key(Date.now()));
  readonly period = $derived.by<Period>(() => periodOf(this.app.view.period || usual, this.today));

  constructor(app: App) {
    this.app = app;
  }

  /** Whether the search says by itself which time is meant. */
  get timed(): boolean {
    return this.stats?.query.chips.some(({ field }) => field === 'time') ?? false;
  }

  /** The steps of the series: what the address says, else what the server chose. */
  get interval(): 'hour' | 'day' | 'week' {
    return this.app.view.interval || (this.stats?.series?.interval ?? 'day');
  }

  close(): void {
    this.#abort.abort();
    this.rates.close();
  }

  /** load asks for everything the page shows. */
  load(): Promise<void> {
    this.#asking = this.#load();
    void this.#count();
    return this.#asking;
  }

  /** #count says that something is counted, until all of it is. */
  async #count(): Promise<void> {
    this.counting = true;
    await this.whole();
    this.counting = false;
  }

  /** whole waits until everything that is shown is there, also what is asked for meanwhile. */
  async whole(): Promise<void> {
    for (;;) {
      const asked = [this.#asking, this.#answering, this.rates.asking] as const;
      await Promise.allSettled(asked);
      if (
        asked[0] === this.#asking &&
        asked[1] === this.#answering &&
        asked[2] === this.rates.asking
      )
        return;
    }
  }

  async #load(): Promise<void> {
    this.#abort.abort();
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    this.loading = true;
    const late = setTimeout(() => (this.slow = true), patience);
    const { client } = this.app;
    try {
      const [stats, heat, before] = await Promise.all([
        client.stats(this.#question(0), signal),
        client.stats(this.#question(0, ['heatmap'], ['open']), signal),
        client.stats(this.#question(1, ['series']), signal),
      ]);
      if (signal.aborted) return;
      this.stats = stats;
      this.heat = heat.heatmap ?? null;
      // What is asked about one time of its own has no other to compare with.
      this.before = this.timed ? null : before;
      this.failure = null;
      this.answers = null;
      this.#answering = this.#loadAnswers(signal);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Failure)) throw error;
      if (error.signedOut) this.app.signedOut();
      else this.failure = error;
    } finally {
      clearTimeout(late);
      if (!signal.aborted) this.loading = this.slow = false;
    }
  }

  /** The figures are there without it. */
  async #loadAnswers(signal: AbortSignal): Promise<void> {
    try {
      const found = await this.app.client.stats(this.#question(0, ['answer_times']), signal);
      if (!signal.aborted) this.answers = found.answer_times ?? null;
    } catch (error) {
      if (!signal.aborted && !(error instanceof Failure)) throw error;
    }
  }

  /** measure is of what these users of ours have sent, of all that is shown. */
  async measure(users: readonly string[], signal: AbortSignal): Promise<Measured | undefined> {
    const { user: seen, ...question } = this.#question(0, ['rates', 'answer_times']);
    const user = seen ? users.filter((one) => seen.includes(one)) : [...users];
    if (user.length === 0) return undefined;
    void this.#count();
    const found = await this.app.client.stats({ ...question, user }, signal);
    return found.rates && found.answer_times
      ? { rates: found.rates, answers: found.answer_times }
      : undefined;
  }

  /** figures is what is shown, as a file. */
  figures(): File | null {
    if (!this.stats) return null;
    const { first, last } = this.period;
    return new File([csvOf(this.stats, this.answers, this.rates)], `figures-${first}-${last}.csv`, {
      type: 'text/csv',
    });
  }

  /** csv is the address of what is counted, row by row. */
  get csv(): string {
    const search = { ...this.#question(0) };
    delete search.interval;
    return `/v1/export?${queryText(search)}&format=csv`;
  }

  /** feed is the view of the events behind a number. */
  feed(change: Partial<View>, ...terms: string[]): View {
    let { q } = this.app.view;
    for (const term of terms) q = addTerm(q, term);
    if (!this.timed) q = addTerm(q, termOfPeriod(this.period));
    return { ...this.app.view, q, types: [], period: '', interval: '', ...change };
  }

  /**
   * openedAt is the view of the opens of an hour of a weekday (0 is Monday); null
   * where a search would have to name too many such hours.
   */
  openedAt(weekday: number, hour: number): View | null {
    const { first, last, days } = this.period;
    if (this.timed || days > 7 * mostHours) return null;
    const terms: string[] = [];
    for (let day = first; day <= last; day = nextDay(day)) {
      if (weekdayOf(day) !== weekday) continue;
      const end = hour === 23 ? nextDay(day) : `${day}T${two(hour + 1)}:00`;
      terms.push(`time:${day}T${two(hour)}:00/${end}`);
    }
    const q = `${this.app.view.q} ${terms.join(' OR ')}`.trim();
    return { ...this.app.view, q, types: ['open'], period: '', interval: '' };
  }

  /** #question is the search in the period, or in the one before of the same days of the week. */
  #question(
    back: number,
    fields: NonNullable<StatsQuery['fields']> = [],
    types: View['types'] = [],
  ): StatsQuery {
    const { view, session, preferences } = this.app;
    const { first, last } = this.period;
    const days = daysBack(this.period);
    return {
      ...searchOf({ ...view, types: types.length > 0 ? types : view.types }, session.user),
      tz: preferences.zone,
      ...(view.interval && { interval: view.interval }),
      since: String(instantOf(nextDay(first, -back * days), preferences.zone)),
      until: String(instantOf(nextDay(last, 1 - back * days), preferences.zone)),
      unless_timed: true,
      ...(fields.length > 0 && { fields }),
    };
  }
}
