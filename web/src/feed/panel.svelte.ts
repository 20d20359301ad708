import { Failure, type Client } from '../api/client';
import type { Item, Message } from '../api/types';
import type { ServerFrame } from './frames';
import { newestFirst } from './rows';

/** How long news of a message are gathered before it is read again. */
const gather = 400;

/** Panel is the state of one open message. */
export class Panel {
  readonly id: string;
  message = $state.raw<Message | null>(null);
  items = $state.raw<readonly Item[]>([]);
  next = $state<string | null>(null);
  failure = $state.raw<Failure | null>(null);

  #client: Client;
  #signedOut: () => void;
  #abort = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(client: Client, id: string, signedOut: () => void) {
    this.#client = client;
    this.id = id;
    this.#signedOut = signedOut;
    void this.load();
  }

  /** load reads the message and the newest part of its timeline, keeping what was read. */
  async load(): Promise<void> {
    const { signal } = this.#abort;
    try {
      const [message, timeline] = await Promise.all([
        this.#client.message(this.id, signal),
        this.#client.timeline(this.id, null, signal),
      ]);
      if (signal.aborted) return;
      this.message = message;
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
      const timeline = await this.#client.timeline(this.id, this.next, this.#abort.signal);
      this.next = timeline.next;
      this.#add(timeline.items);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** heard reads again when the socket spoke of this message. */
  heard(frames: readonly ServerFrame[]): void {
    const ours = (frame: ServerFrame) =>
      frame.op === 'state'
        ? frame.message === this.id
        : (frame.op === 'event' || frame.op === 'changed') && frame.item.message === this.id;
    if (!frames.some(ours)) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.load();
    }, gather);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#abort.abort();
  }

  #add(items: readonly Item[]): void {
    const byId = new Map(this.items.map((item) => [item.id, item]));
    for (const item of items) byId.set(item.id, item);
    this.items = [...byId.values()].sort(newestFirst);
  }

  #fail(error: unknown): void {
    if (this.#abort.signal.aborted) return;
    if (!(error instanceof Failure)) throw error;
    if (error.signedOut) this.#signedOut();
    else this.failure = error;
  }
}
