import { closed, parseFrame, type ClientFrame, type Filters, type ServerFrame } from './frames';

/** How the socket is. Times are milliseconds of the injected clock. */
export type Status =
  | { is: 'connecting' }
  | { is: 'live' }
  | { is: 'retrying'; attempt: number; nextAt: number; lostAt: number }
  | { is: 'off'; why: 'offline' | 'refused'; lostAt: number };

/** The part of WebSocket that is used. */
export interface Socket {
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
  send(text: string): void;
  close(): void;
}

/** What a connection needs of the world around it. */
export interface World {
  open(): Socket;
  now(): number;
  random(): number;
  after(ms: number, then: () => void): () => void;
  online(): boolean;
}

/** Whom a connection tells. */
export interface Listener {
  frame(frame: ServerFrame): void;
  status(status: Status): void;
  signedOut(): void;
  /** The messages whose state the page shows, the newest first; none where it is absent. */
  shows?(): string[];
}

/** What is asked: a query, its filters and the reader's zone, or the reader's notifications. */
export type Subscription = { q: string; filters: Filters; tz: string } | { to: 'notifications' };

const firstDelay = 500;
const longestDelay = 30_000;
const refusedDelay = 60_000;
const patience = 15_000;
/** How many messages one frame names, and all of them: the server keeps no more. */
const shownAtOnce = 200;
const mostShown = 4_000;

/**
 * Connection keeps one subscription alive on one socket: it reconnects with
 * backoff and jitter, and resumes from the position of the last frame it saw,
 * so that nothing is missed. Frames may repeat; the receiver drops repeats.
 */
export class Connection {
  #world: World;
  #listener: Listener;
  #socket: Socket | null = null;
  #cancel: (() => void) | null = null;
  #subscription: Subscription | null = null;
  #id = 0;
  #position = '';
  #subscribed = false;
  #attempt = 0;
  #lostAt: number | null = null;

  constructor(world: World, listener: Listener) {
    this.#world = world;
    this.#listener = listener;
  }

  /** subscribe replaces what is asked, and starts from a page's position, or from now where it is empty. */
  subscribe(subscription: Subscription, since: string): void {
    if (this.#subscription && this.#socket) this.#say({ op: 'unsubscribe', id: String(this.#id) });
    this.#subscription = subscription;
    this.#position = since;
    this.#subscribed = false;
    this.#id++;
    if (!this.#socket) this.retryNow();
    else this.#ask();
  }

  /** The position of the last frame that was seen. */
  get position(): string {
    return this.#position;
  }

  /** shows names messages of a page that was read after a position. */
  shows(messages: readonly string[], since: string): void {
    if (!this.#subscription || messages.length === 0) return;
    for (let at = 0; at < Math.min(messages.length, mostShown); at += shownAtOnce) {
      const shows = messages.slice(at, at + shownAtOnce);
      this.#say({ op: 'shows', id: String(this.#id), since, shows });
    }
  }

  /** retryNow gives up waiting and connects. */
  retryNow(): void {
    if (!this.#subscription) return;
    this.#drop();
    this.#connect();
  }

  /** wake is called when the network or the page came back. */
  wake(): void {
    if (this.#socket === null) this.retryNow();
  }

  /** offline is called when the browser says that there is no network. */
  offline(): void {
    if (!this.#subscription) return;
    this.#drop();
    this.#lostAt ??= this.#world.now();
    this.#listener.status({ is: 'off', why: 'offline', lostAt: this.#lostAt });
  }

  /** close ends the connection for good. */
  close(): void {
    this.#subscription = null;
    this.#drop();
  }

  #connect(): void {
    if (this.#lostAt === null) this.#listener.status({ is: 'connecting' });
    this.#subscribed = false;
    const socket = this.#world.open();
    this.#socket = socket;
    socket.onopen = () => this.#ask();
    socket.onmessage = ({ data }) => this.#hear(parseFrame(data));
    socket.onclose = ({ code }) => this.#closed(code);
    // A server that accepts and stays silent is no server.
    this.#cancel = this.#world.after(patience, () => {
      this.#drop();
      this.#closed(0);
    });
  }

  #ask(): void {
    if (!this.#subscription) return;
    const messages = this.#listener.shows?.() ?? [];
    this.#say({
      op: 'subscribe',
      id: String(this.#id),
      ...(this.#position && { since: this.#position }),
      ...this.#subscription,
      ...(messages.length > 0 && { shows: messages.slice(0, shownAtOnce) }),
    });
    this.shows(messages.slice(shownAtOnce), this.#position);
  }

  #say(frame: ClientFrame): void {
    try {
      this.#socket?.send(JSON.stringify(frame));
    } catch {
      // The socket is still opening or already closing: onopen asks, onclose retries.
    }
  }

  #hear(frame: ServerFrame | null): void {
    if (frame === null) return;
    // What was asked before may still be answered.
    if ('id' in frame && frame.id !== undefined && frame.id !== String(this.#id)) return;
    if (frame.op === 'subscribed') {
      this.#subscribed = true;
      this.#cancel?.();
      this.#cancel = null;
      this.#attempt = 0;
      this.#lostAt = null;
      this.#listener.status({ is: 'live' });
    }
    if (frame.op === 'error') {
      this.#listener.frame(frame);
      if (this.#subscription) this.#closed(0);
      return;
    }
    // Frames still under way for what was asked before say nothing of this replay.
    if (this.#subscribed && 'at' in frame && frame.at) this.#position = frame.at;
    this.#listener.frame(frame);
  }

  #closed(code: number): void {
    this.#drop();
    if (code === closed.signedOut) {
      this.#subscription = null;
      this.#listener.signedOut();
      return;
    }
    this.#lostAt ??= this.#world.now();
    if (!this.#world.online()) {
      this.#listener.status({ is: 'off', why: 'offline', lostAt: this.#lostAt });
      return;
    }
    this.#attempt++;
    const delay = this.#delay(code);
    if (code === closed.tooMany) {
      this.#listener.status({ is: 'off', why: 'refused', lostAt: this.#lostAt });
    } else {
      const nextAt = this.#world.now() + delay;
      this.#listener.status({
        is: 'retrying',
        attempt: this.#attempt,
        nextAt,
        lostAt: this.#lostAt,
      });
    }
    this.#cancel = this.#world.after(delay, () => this.retryNow());
  }

  /** Doubling, with half of it random, so that a thousand pages do not return at once. */
  #delay(code: number): number {
    if (code === closed.tooMany) return refusedDelay;
    const full = Math.min(longestDelay, firstDelay * 2 ** (this.#attempt - 1));
    return full / 2 + (this.#world.random() * full) / 2;
  }

  #drop(): void {
    this.#cancel?.();
    this.#cancel = null;
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }
}
