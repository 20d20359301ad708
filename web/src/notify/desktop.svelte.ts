import type { Decision } from '../api/types';
import type { App } from '../app.svelte';
import { sentence } from '../feed/words';
import { inWords } from '../i18n/served';

/** Most notifications of the browser that are remembered, so that they can be taken back. */
const most = 50;

/**
 * Desktop is the browser's own notifications. They are asked for by a press of the
 * reader's alone, and each browser is asked for itself.
 */
export class Desktop {
  /** What the browser said; unsupported where it has none. */
  permission = $state<NotificationPermission | 'unsupported'>('unsupported');
  /** Whether the reader wants them here. */
  wanted = $state(false);

  #key: string;
  #shown = new Map<string, Notification>();

  constructor(owner: string) {
    this.#key = `tidings.desktop ${owner}`;
    this.look();
    try {
      this.wanted = localStorage.getItem(this.#key) === 'on';
    } catch {
      // Storage is refused: it holds until the page is closed.
    }
  }

  /** look asks the browser again: people change it in its settings. */
  look(): void {
    if ('Notification' in window) this.permission = Notification.permission;
  }

  /** turn switches them on or off; the browser asks the reader where it has not yet. */
  async turn(on: boolean): Promise<void> {
    if (on && this.permission === 'default')
      this.permission = await Notification.requestPermission();
    this.wanted = on && this.permission === 'granted';
    try {
      localStorage.setItem(this.#key, this.wanted ? 'on' : 'off');
    } catch {
      // As above.
    }
  }

  /** show tells of one, unless the reader is looking at the page. */
  show(one: Decision, app: App): void {
    if (!this.wanted || this.permission !== 'granted' || one.read) return;
    if (!one.event || !one.channels.includes('desktop') || document.hasFocus()) return;
    const { message } = one.event;
    const { who, verb, what, extra } = sentence(one.event, app.me);
    try {
      // Windows of the same page have the same tag: one is shown.
      const shown = new Notification(`${who} ${verb} ${what}`, {
        tag: one.id,
        body: [extra, inWords(one.found ?? '')].filter(Boolean).join('\n'),
        icon: '/icon-192.png',
      });
      shown.onclick = () => {
        window.focus();
        shown.close();
        app.search({ open: message });
        void app.bell.read([one.id]);
      };
      this.#remember(one.id, shown);
    } catch {
      // Some phones take them from a service worker alone.
      this.permission = 'unsupported';
    }
  }

  /** close takes one back. */
  close(id: string): void {
    this.#shown.get(id)?.close();
    this.#shown.delete(id);
  }

  /** read takes back those that were read, or all. */
  read(ids?: readonly string[]): void {
    for (const id of ids ?? [...this.#shown.keys()]) this.close(id);
  }

  #remember(id: string, shown: Notification): void {
    this.#shown.set(id, shown);
    const oldest = this.#shown.keys().next().value;
    if (this.#shown.size > most && oldest !== undefined) this.#shown.delete(oldest);
  }
}
