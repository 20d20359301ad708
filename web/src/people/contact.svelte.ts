import { Failure } from '../api/client';
import type { Item } from '../api/types';
import type { App } from '../app.svelte';
import { quoted } from '../feed/address';

const patience = 150;
const timelineLength = 50;

/** ContactStore is the state of a person's or a company's page. */
export class ContactStore<View> {
  readonly app: App;
  readonly who: string;
  view = $state.raw<View | null>(null);
  items = $state.raw<readonly Item[]>([]);
  /** The cursor of the events before, null when there are none. */
  next = $state<string | null>(null);
  failure = $state.raw<Failure | null>(null);
  slow = $state(false);
  automated = $state(false);

  #read: (who: string, zone: string, signal: AbortSignal) => Promise<View>;
  #abort = new AbortController();

  constructor(
    app: App,
    who: string,
    read: (who: string, zone: string, signal: AbortSignal) => Promise<View>,
  ) {
    this.app = app;
    this.who = who;
    this.#read = read;
    void this.load();
  }

  close(): void {
    this.#abort.abort();
  }

  async load(): Promise<void> {
    this.#abort.abort();
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    const late = setTimeout(() => (this.slow = true), patience);
    try {
      const [view, page] = await Promise.all([
        this.#read(this.who, this.app.preferences.zone, signal),
        this.app.client.feed(this.#question(null), signal),
      ]);
      if (signal.aborted) return;
      this.view = view;
      this.items = page.items;
      this.next = page.next;
      this.failure = null;
      this.app.learn(page.items);
    } catch (error) {
      if (!signal.aborted) this.#fail(error);
    } finally {
      clearTimeout(late);
      this.slow = false;
    }
  }

  async loadMore(): Promise<void> {
    const { signal } = this.#abort;
    if (this.next === null) return;
    try {
      const page = await this.app.client.feed(this.#question(this.next), signal);
      if (signal.aborted) return;
      this.items = [...this.items, ...page.items];
      this.next = page.next;
    } catch (error) {
      if (!signal.aborted) this.#fail(error);
    }
  }

  /** showAutomated shows or hides what machines did. */
  showAutomated(show: boolean): void {
    this.automated = show;
    void this.load();
  }

  #question(cursor: string | null) {
    const person = this.who.includes('@');
    return {
      ...(person ? { recipient: [this.who] } : { q: `domain:${quoted(this.who)}` }),
      ...(this.automated && { automated: 'show' as const }),
      tz: this.app.preferences.zone,
      limit: timelineLength,
      ...(cursor !== null && { cursor }),
    };
  }

  #fail(error: unknown): void {
    if (!(error instanceof Failure)) throw error;
    if (error.signedOut) this.app.signedOut();
    else this.failure = error;
  }
}
