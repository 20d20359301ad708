import { Failure } from '../api/client';
import type { Item, Understood } from '../api/types';
import type { App } from '../app.svelte';
import { everything, sameSearch, type View } from './address';
import { AnswerStore } from './answer.svelte';
import { Announcer } from './announcer';
import { nothingUnderstood, pageQuery, subscription } from './asked';
import { browserWith, watch } from './browser';
import { Connection, type Status } from './connection';
import { DayCounts } from './days.svelte';
import { neighbourOf, toggled } from './entries';
import type { Entry } from './folds';
import type { ServerFrame } from './frames';
import { Pace } from './pace';
import { Panel } from './panel.svelte';
import { Retry } from './retry';
import { Rows } from './rows';
import { Strip } from './strip.svelte';
import { Visits } from './visits';

/** A skeleton is shown for what takes longer than this. */
const patience = 150;
/** A page that was open for days is read anew rather than growing on. */
const mostRows = 5_000;
const clockStep = 5_000;
const catchUpDelay = 5_000;
/** Every how many failed tries to connect the session is looked at. */
const sessionChecks = 4;

/** FeedStore is the state of the feed page and everything that changes it. */
export class FeedStore {
  readonly app: App;
  readonly strip: Strip;
  readonly days: DayCounts;
  readonly answers: AnswerStore;
  readonly visits: Visits;

  entries = $state.raw<readonly Entry[]>([]);
  /** Moves when anything that a row says has changed. */
  revision = $state(0);
  /** How many rows there are. */
  count = $state(0);
  waiting = $state(0);
  complete = $state(false);
  phase = $state<'loading' | 'ready' | 'failed'>('loading');
  slow = $state(false);
  failure = $state.raw<Failure | null>(null);
  /** How many pages have been read. */
  pages = $state(0);
  more = $state<'idle' | 'loading' | 'failed'>('idle');
  understood = $state.raw<Understood>(nothingUnderstood);
  reached = $state('');
  arrived = $state.raw<ReadonlySet<string>>(new Set());

  status = $state.raw<Status>({ is: 'connecting' });
  paused = $state(false);
  scrolled = $state(false);
  focused = $state(false);
  /** Whether the reader marks text of the list, or has the menu of a row open. */
  busy = $state(false);
  menu = $state(false);
  selected = $state<string | null>(null);
  /** Rows whose repeats are shown. */
  unfolded = $state.raw<ReadonlySet<string>>(new Set());
  now = $state(Date.now());
  panel = $state.raw<Panel | null>(null);
  /** When the question that could not be asked is asked again, in milliseconds; null when it was. */
  asking = $state<number | null>(null);
  /** Whether events were missed while the list was held: showing them reads it anew. */
  stale = $state(false);

  /** Whether new events wait instead of moving what someone is reading. */
  held = $derived(
    this.paused ||
      this.scrolled ||
      this.focused ||
      this.busy ||
      this.menu ||
      this.view.open !== null ||
      this.waiting > 0,
  );
  filtered = $derived(!sameSearch(this.view, everything));

  /** Set by the list: scrolls to the newest row and takes the focus off it. */
  toTop: () => void = () => {};

  #view: View = everything;
  #rows: Rows;
  #next: string | null = null;
  #abort = new AbortController();
  #frames: ServerFrame[] = [];
  #pace = new Pace();
  #flushing: ReturnType<typeof setTimeout> | undefined;
  #announcer: Announcer;
  #connection: Connection;
  #asking = new Retry(() => this.#back());

  constructor(app: App) {
    this.app = app;
    this.strip = new Strip(app);
    this.days = new DayCounts(app);
    this.answers = new AnswerStore(app);
    this.visits = new Visits(`${app.session.workspace}/${app.me ?? ''}`);
    this.#rows = new Rows((time) => app.clock.key(time), this.visits.last);
    this.#announcer = new Announcer((text) => (app.announcement = text));
    this.#connection = new Connection(browserWith(app.client.token), {
      frame: (frame) => this.#receive(frame),
      status: (status) => this.#tell(status),
      signedOut: app.signedOut,
      shows: () => this.#shown(),
    });
    this.#view = app.view;
    this.#openPanel();
    void this.load();
  }

  /** start listens to the browser; the result stops everything. */
  start(): () => void {
    const unlisten = this.#asking.listen();
    const unwatch = watch(this.#connection, () => (this.now = Date.now()));
    return () => {
      unwatch();
      unlisten();
      this.#asking.done();
      clearTimeout(this.#flushing);
      this.#abort.abort();
      this.#announcer.stop();
      this.#connection.close();
      this.strip.close();
      this.days.close();
      this.answers.close();
      this.visits.stop();
      this.panel?.close();
      this.app.waiting = 0;
    };
  }

  get view(): View {
    return this.app.view;
  }

  get me(): string | undefined {
    return this.app.me;
  }

  /** go changes what is shown, in the address too. */
  go(change: Partial<View>, history: 'push' | 'replace' = 'push'): void {
    this.app.go(change, { replace: history === 'replace' });
    this.show(this.app.view);
  }

  /** show follows the address. */
  show(view: View): void {
    const before = this.#view;
    this.#view = view;
    if (view.open !== before.open) this.#openPanel();
    if (sameSearch(view, before)) return;
    this.unfolded = new Set();
    this.toTop();
    void this.load();
  }

  /** load reads the first page, and follows from there. */
  async load(): Promise<void> {
    const signal = this.#begin();
    if (this.pages > 0) this.strip.load();
    else this.strip.after(patience);
    this.days.load();
    const late = setTimeout(() => (this.slow = true), patience);
    try {
      const search = pageQuery(this.app, null);
      const page = await this.app.client.feed(search, signal);
      this.answers.show(page.answer, search);
      this.app.learn(page.items);
      this.#rows.reset(page.items, page.next === null, page.query.order === 'oldest');
      // Frames of the search before are none of this one's business.
      this.#frames = [];
      this.arrived = new Set();
      this.pages = 1;
      this.stale = false;
      this.#next = page.next;
      this.reached = page.reached;
      this.understood = page.query;
      this.phase = 'ready';
      this.failure = null;
      this.asking = null;
      this.#asking.done();
      this.#sync();
      this.#follow(page.live);
    } catch (error) {
      if (!signal.aborted) this.#fail(error);
    } finally {
      clearTimeout(late);
      this.strip.due();
      if (!signal.aborted) this.slow = false;
    }
  }

  /** loadMore reads the page after the last one. */
  async loadMore(): Promise<void> {
    if (this.#next === null || this.more === 'loading' || this.phase !== 'ready') return;
    // The rows are of the search before: what follows them is not what was asked.
    if (this.asking !== null) return;
    const { signal } = this.#abort;
    this.more = 'loading';
    const since = this.#connection.position;
    try {
      const page = await this.app.client.feed(pageQuery(this.app, this.#next), signal);
      if (signal.aborted) return;
      this.#next = page.next;
      this.reached = page.reached;
      this.app.learn(page.items);
      this.#rows.append(page.items, page.next === null);
      const sends = page.items.filter((item) => item.recipients);
      this.#connection.shows([...new Set(sends.map((item) => item.message))], since);
      this.more = 'idle';
      this.pages++;
      this.#sync();
    } catch (error) {
      if (signal.aborted) return;
      this.more = 'failed';
      this.#ended(error);
    }
  }

  /** showNew puts what waits on the screen, and the screen at it. */
  showNew(): void {
    this.toTop();
    this.scrolled = false;
    // A list that was scrolled through for long starts over, so that it stays small.
    if (this.stale || this.#rows.overflow > 0 || this.count > mostRows) {
      void this.load();
      return;
    }
    this.#animate(this.#rows.release());
    this.#sync();
  }

  /** resume ends every pause: the reader's own, and what holds the list. */
  resume(): void {
    this.paused = false;
    if (this.view.open !== null) this.go({ open: null });
    this.showNew();
  }

  /** freshen reads the rows anew when events were missed; for when nothing holds them. */
  freshen(): void {
    if (this.stale && !this.held) void this.load();
  }

  togglePause(): void {
    if (this.held) this.resume();
    else this.paused = true;
  }

  retry(): void {
    if (this.asking !== null) void this.load();
    this.#connection.retryNow();
  }

  /** positionOf is the index of an event's row among the entries, -1 for none. */
  positionOf(id: string | null): number {
    return id === null ? -1 : this.#rows.positionOf(id);
  }

  /** neighbour is the event of the next (1) or previous (-1) row. */
  neighbour(id: string | null, by: 1 | -1): Item | null {
    return neighbourOf(this.entries, this.positionOf(id), by);
  }

  toggleFold(key: string): void {
    this.unfolded = toggled(this.unfolded, key);
  }

  /** openMessage shows the panel of an event's message. */
  openMessage(item: Item): void {
    this.selected = item.id;
    this.go({ open: item.message }, this.view.open === null ? 'push' : 'replace');
    void this.panel?.explain(item.id);
  }

  closePanel(): void {
    if (this.view.open !== null) this.go({ open: null });
  }

  #openPanel(): void {
    this.panel?.close();
    const { open } = this.view;
    if (open === null) this.selected = null;
    this.panel = open === null ? null : new Panel(this.app, open);
    if (open !== null) this.#connection.shows([open], this.#connection.position);
  }

  /** #shown are the messages whose state is on the page. */
  #shown(): string[] {
    const { panel } = this;
    return [...(panel ? [panel.id] : []), ...this.#rows.messages()];
  }

  /**
   * catchUp goes on from a first page without moving what is being read: what is
   * new waits, and the rows are read anew once the reader lets them go.
   */
  async #catchUp(): Promise<void> {
    const { signal } = this.#abort;
    this.stale = true;
    try {
      const page = await this.app.client.feed(pageQuery(this.app, null), signal);
      if (signal.aborted) return;
      this.#rows.arrive(page.items, true);
      this.#sync();
      this.#follow(page.live);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Failure && error.signedOut) this.app.signedOut();
      else setTimeout(() => signal.aborted || void this.#catchUp(), catchUpDelay);
    }
  }

  #begin(): AbortSignal {
    this.#abort.abort();
    this.#abort = new AbortController();
    this.phase = 'loading';
    this.more = 'idle';
    this.slow = false;
    return this.#abort.signal;
  }

  #follow(since: string | undefined): void {
    if (since !== undefined) this.#connection.subscribe(subscription(this.app), since);
  }

  #fail(error: unknown): void {
    if (!(error instanceof Failure)) throw error;
    if (error.signedOut) return this.#ended(error);
    // Nothing is wrong with what is asked: it waits for the line, and the rows stay.
    if (error.passing) this.asking = this.#asking.failed(error.retryAfter);
    if (error.passing && this.pages > 0) {
      this.phase = 'ready';
      return;
    }
    this.failure = error;
    this.phase = 'failed';
  }

  /** #back asks again what could not be asked while the line was away. */
  #back(): void {
    if (this.asking !== null) void this.load();
    else if (this.more === 'failed') void this.loadMore();
    if (this.panel?.failure?.passing) void this.panel.load();
  }

  /** A socket that is refused does not say why: the session may be over. */
  #tell(status: Status): void {
    this.status = status;
    if (status.is === 'live') this.#back();
    if (status.is !== 'retrying' || status.attempt % sessionChecks !== 2) return;
    this.app.client.session().catch((error: unknown) => this.#ended(error));
  }

  /** #ended looks whether a call failed since the session is over. */
  #ended(error: unknown): void {
    if (error instanceof Failure && error.signedOut) this.app.signedOut();
  }

  #receive(frame: ServerFrame): void {
    this.#frames.push(frame);
    this.#flushing ??= setTimeout(() => this.#flush(), this.#pace.wait(performance.now()));
  }

  #flush(): void {
    this.#flushing = undefined;
    const frames = this.#frames;
    this.#pace.drawn(performance.now(), frames.filter(({ op }) => op === 'event').length);
    this.#frames = [];
    if (frames.some((frame) => frame.op === 'reset')) {
      void (this.held ? this.#catchUp() : this.load());
      return;
    }
    const { held } = this;
    const events = frames.flatMap((frame) => (frame.op === 'event' ? [frame.item] : []));
    const fresh = this.#rows.arrive(events, held);
    for (const frame of frames) {
      if (frame.op === 'state') this.#rows.state(frame);
      if (frame.op === 'changed') fresh.push(...this.#rows.change(frame.item, held));
      if (frame.op === 'gone') this.#rows.gone(frame.item);
    }
    if (!held) this.#animate(fresh);
    if (!this.paused) this.#announcer.add(fresh.length);
    this.panel?.heard(frames);
    this.strip.heard(frames);
    this.days.heard(frames);
    this.#sync();
    if (!held && this.count > mostRows) void this.load();
  }

  #animate(items: readonly Item[]): void {
    if (items.length > 0) this.arrived = this.#pace.arrive(items, performance.now());
  }

  #sync(): void {
    this.entries = this.#rows.entries;
    this.revision = this.#rows.revision;
    this.count = this.#rows.count;
    this.waiting = this.#rows.waiting.length + this.#rows.overflow;
    this.app.waiting = this.waiting;
    this.complete = this.#rows.complete;
    // Each row depends on it, so it moves in steps.
    if (Date.now() - this.now > clockStep) this.now = Date.now();
  }
}
