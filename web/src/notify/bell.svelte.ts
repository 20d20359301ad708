import type { Decision } from '../api/types';
import type { App } from '../app.svelte';
import { browserWith, watch } from '../feed/browser';
import { Connection } from '../feed/connection';
import type { ServerFrame } from '../feed/frames';
import { Desktop } from './desktop.svelte';
import { Notes } from './api';
import { wantsPush } from './pushwanted';
import { place, readIn, without } from './told';

/** The bell has time until the first page is on the screen. */
const soon = 400;

/** Bell is what the reader is told: how much of it is unread, and the list once it was asked for. */
export class Bell {
  readonly notes: Notes;
  readonly desktop: Desktop;
  /** Whose it is, for what this browser remembers. */
  readonly owner: string;

  /** Whether this server keeps notifications for this reader. */
  offered = $state(false);
  /** At most 500. */
  unread = $state(0);
  /** The newest first; null before they were asked for. */
  items = $state.raw<readonly Decision[] | null>(null);
  next = $state<string | null>(null);
  problem = $state('');
  /** Moves with each notification, for what is shown of the log. */
  heard = $state(0);

  #app: App;
  #connection: Connection;

  constructor(app: App) {
    this.#app = app;
    this.notes = new Notes(app.client.api);
    this.owner = `${app.session.workspace}/${app.me ?? ''}`;
    this.desktop = new Desktop(this.owner);
    this.#connection = new Connection(browserWith(app.client.token), {
      frame: (frame) => this.#hear(frame),
      status: () => {},
      signedOut: app.signedOut,
    });
  }

  /** start listens for notifications; the result stops. */
  start(): () => void {
    if (this.#app.session.user === null) return () => {};
    const starting = setTimeout(() => this.#subscribe(), soon);
    const unwatch = watch(this.#connection, () => this.desktop.look());
    // What a notification of the service worker shows when it is pressed.
    const open = ({ data }: MessageEvent<{ path?: string }>) => {
      const message = new URL(data.path ?? '/', location.origin).searchParams.get('open');
      if (message !== null) this.#app.search({ open: message });
      else if (data.path) this.#app.open('/notifications');
    };
    const worker = navigator.serviceWorker as ServiceWorkerContainer | undefined;
    worker?.addEventListener('message', open);
    if (wantsPush(this.owner)) void this.#renew();
    return () => {
      worker?.removeEventListener('message', open);
      clearTimeout(starting);
      unwatch();
      this.#connection.close();
    };
  }

  /** load reads the first page, and what was taken back of late. */
  async load(): Promise<void> {
    this.problem = await this.#app.attempt(async () => {
      const [told, back] = await Promise.all([
        this.notes.told(null),
        this.notes.decisions({ outcome: 'withdrawn', limit: 20 }),
      ]);
      const oldest = told.next === null ? '' : (told.items.at(-1)?.time ?? '');
      const recent = back.items.filter(({ time }) => time >= oldest);
      this.items = recent.reduce(place, told.items);
      this.next = told.next;
      this.unread = told.unread;
      this.offered = true;
    });
  }

  async more(): Promise<void> {
    const { next } = this;
    if (next === null) return;
    this.problem = await this.#app.attempt(async () => {
      const page = await this.notes.told(next);
      this.items = page.items.reduce(place, this.items ?? []);
      this.next = page.next;
    });
  }

  /** read marks some as read, or all. */
  async read(ids?: readonly string[]): Promise<void> {
    this.problem = await this.#app.attempt(async () => {
      await this.notes.read(ids);
      this.#wasRead(ids);
      // The other frames say how many are left.
      if (!ids) this.unread = 0;
    });
  }

  /** renew tells the server that this browser is still pushed to; where it can't, Settings says so. */
  async #renew(): Promise<void> {
    const { Push } = await import('./push.svelte');
    await new Push(this.#app).renew();
  }

  #subscribe(): void {
    this.#connection.subscribe({ to: 'notifications' }, '');
  }

  #hear(frame: ServerFrame): void {
    switch (frame.op) {
      case 'subscribed':
        this.offered = true;
        this.unread = frame.unread ?? this.unread;
        break;
      case 'notification':
      case 'withdrawn':
        this.unread = frame.unread;
        this.heard++;
        if (this.items) this.items = place(this.items, frame.notification);
        if (frame.op === 'withdrawn') this.desktop.close(frame.notification.id);
        else this.desktop.show(frame.notification, this.#app);
        break;
      case 'read':
        this.unread = frame.unread;
        this.#wasRead(frame.ids);
        break;
      case 'gone':
        if (!('id' in frame) && this.items) this.items = without(this.items, frame.item);
        break;
      case 'reset':
        this.#subscribe();
        if (this.items) void this.load();
        break;
      case 'error':
        // Asking again would be answered the same: no notifications are kept, or not for this reader.
        if ((frame.problem?.status ?? 500) === 501 || frame.problem?.status === 403) {
          this.offered = false;
          this.#connection.close();
        }
    }
  }

  #wasRead(ids: readonly string[] | undefined): void {
    if (this.items) this.items = readIn(this.items, ids);
    this.desktop.read(ids);
  }
}
