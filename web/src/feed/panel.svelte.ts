import { Failure } from '../api/client';
import type { EventDetail, Item, Message, Recipient } from '../api/types';
import type { App } from '../app.svelte';
import { newestFirst } from './folds';
import type { ServerFrame } from './frames';
import { asNow } from './rows';
import { t } from '../i18n/first';

/** How long news of a message are gathered before it is read again. */
const gather = 400;

/** What a reader may say of an event: who made it, or that the rules shall decide again. */
export type Override = 'human' | 'machine' | null;

const said = {
  human: t.feed.countedAsAPerson,
  machine: t.feed.countedAsAutomated,
  rules: t.feed.theRulesDecideAgain,
};

/** judged reports whether there is a verdict to explain: of a machine, or of a person's override. */
function judged({ type, verdict }: Item): boolean {
  const asked = type === 'open' || type === 'click';
  return asked && (verdict?.is === 'machine' || verdict?.by === 'person');
}

/** Panel is the state of one open message. */
export class Panel {
  readonly id: string;
  message = $state.raw<Message | null>(null);
  items = $state.raw<readonly Item[]>([]);
  next = $state<string | null>(null);
  /** The recipients that were read, with how many there are behind them. */
  recipients = $state.raw<readonly Recipient[]>([]);
  others = $state.raw<Message['rest']>(undefined);
  failure = $state.raw<Failure | null>(null);
  /** The event whose verdict is explained, once its evidence has been read. */
  detail = $state.raw<EventDetail | null>(null);
  /** What went wrong when the reader overrode a verdict. */
  refused = $state('');
  busy = $state(false);

  #explained: string | null = null;
  #app: App;
  #abort = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(app: App, id: string) {
    this.#app = app;
    this.id = id;
    void this.load();
  }

  /** load reads the message and the newest part of its timeline, keeping what was read. */
  async load(): Promise<void> {
    const { signal } = this.#abort;
    try {
      const [message, timeline] = await Promise.all([
        this.#app.client.message(this.id, signal),
        this.#app.client.timeline(this.id, null, signal),
      ]);
      if (signal.aborted) return;
      this.message = message;
      this.#recipients(message);
      if (this.items.length === 0) this.next = timeline.next;
      this.#add(timeline.items);
      this.failure = null;
    } catch (error) {
      this.#fail(error);
    }
  }

  /** loadMore reads the part of the timeline before the last one. */
  async loadMore(): Promise<void> {
    if (this.next === null) return;
    try {
      const timeline = await this.#app.client.timeline(this.id, this.next, this.#abort.signal);
      this.next = timeline.next;
      this.#add(timeline.items);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** loadRecipients reads the next of the recipients of a mailing. */
  async loadRecipients(): Promise<void> {
    const next = this.others?.next;
    if (next === undefined) return;
    const { signal } = this.#abort;
    try {
      const message = await this.#app.client.message(this.id, signal, next);
      if (signal.aborted || this.others?.next !== next) return;
      this.recipients = [...this.recipients, ...message.recipients];
      this.others = message.rest;
    } catch (error) {
      this.#fail(error);
    }
  }

  /** heard reads again when the socket spoke of this message. */
  heard(frames: readonly ServerFrame[]): void {
    // A mail has several names; the one in the address may be another than the frames'.
    const named = (name: string) => name === this.id || name === this.message?.message;
    const ours = (frame: ServerFrame) =>
      frame.op === 'state'
        ? named(frame.message)
        : (frame.op === 'event' || frame.op === 'changed') && named(frame.item.message);
    if (!frames.some(ours)) return;
    // What is read again are the first recipients alone.
    for (const frame of frames)
      if (frame.op === 'state' && ours(frame))
        this.recipients = asNow(this.recipients, frame.recipients);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.load();
      if (this.#explained) void this.explain(this.#explained);
    }, gather);
  }

  /** read is an event with its text, or null where it can’t be read. */
  async read(id: string): Promise<EventDetail | null> {
    try {
      return await this.#app.client.event(id, this.#abort.signal);
    } catch (error) {
      if (error instanceof Failure && error.signedOut) this.#app.signedOut();
      if (!(error instanceof Failure) && !this.#abort.signal.aborted) throw error;
      return null;
    }
  }

  /** explain reads the evidence of an event, if a verdict was given on it. */
  async explain(id: string | null): Promise<void> {
    this.refused = '';
    this.#explained = id;
    if (id === null) {
      this.detail = null;
      return;
    }
    try {
      const detail = await this.#app.client.event(id, this.#abort.signal);
      if (this.#explained === id) this.detail = judged(detail) ? detail : null;
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      if (!(error instanceof Failure)) throw error;
      if (error.signedOut) this.#app.signedOut();
      else if (this.#explained === id) this.detail = null;
    }
  }

  /** override says who made the explained event; what is shown then is the server's answer. */
  async override(is: Override): Promise<void> {
    const { detail } = this;
    if (!detail || this.busy) return;
    this.busy = true;
    this.refused = '';
    try {
      await this.#app.client.override(detail.id, is, t.feed.saidInTheFeed);
      this.#app.announcement = said[is ?? 'rules'];
      await Promise.all([this.explain(detail.id), this.load()]);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (error.signedOut) this.#app.signedOut();
      else this.refused = error.detail || t.feed.itCouldntBeChangedTry;
    } finally {
      this.busy = false;
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#abort.abort();
  }

  /** #recipients takes the first ones as they are now and keeps those read behind them. */
  #recipients({ recipients, rest }: Message): void {
    if (this.recipients.length <= recipients.length) {
      this.recipients = recipients;
      this.others = rest;
    } else {
      this.recipients = asNow(this.recipients, recipients);
    }
  }

  #add(items: readonly Item[]): void {
    const byId = new Map(this.items.map((item) => [item.id, item]));
    for (const item of items) byId.set(item.id, item);
    this.items = [...byId.values()].sort(newestFirst);
  }

  #fail(error: unknown): void {
    if (this.#abort.signal.aborted) return;
    if (!(error instanceof Failure)) throw error;
    if (error.signedOut) this.#app.signedOut();
    else this.failure = error;
  }
}
