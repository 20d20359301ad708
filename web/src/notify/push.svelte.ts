import type { PushDevice } from '../api/types';
import type { App } from '../app.svelte';
import { t } from '../i18n/rest';
import { bytesOf, hindranceOf, refusedBy, sameKey, type Hindrance } from './pushed';
import { wantPush, wantsPush } from './pushwanted';

/** How long the page waits for its service worker, in milliseconds: there may be none. */
const patience = 10_000;

/** Push is the reader’s devices that are notified when no page is open, this one among them. */
export class Push {
  /** What stands in the way here; nothing where it can be turned on. */
  hindrance = $state<Hindrance>('');
  /** Null before they were asked for. */
  devices = $state.raw<readonly PushDevice[] | null>(null);
  most = $state(0);
  /** Why nothing can be pushed from this server. */
  why = $state('');
  /** Why the last press did nothing, in this browser. */
  refused = $state('');
  busy = $state(false);

  #app: App;
  #key = '';

  constructor(app: App) {
    this.#app = app;
    this.look();
  }

  /** look asks the browser again: people change it in its settings. */
  look(): void {
    this.hindrance = hindranceOf({
      secure: isSecureContext,
      worker: 'serviceWorker' in navigator,
      push: 'PushManager' in window,
      permission: 'Notification' in window ? Notification.permission : undefined,
      agent: navigator.userAgent,
      touch: navigator.maxTouchPoints > 1,
    });
  }

  /** The device that is this browser, where it is notified. */
  get here(): PushDevice | undefined {
    return this.hindrance ? undefined : this.devices?.find(({ current }) => current);
  }

  async load(): Promise<void> {
    const list = await this.#app.bell.notes.devices();
    this.devices = list.items;
    this.most = list.most;
    this.why = list.why ?? '';
    this.#key = list.key ?? '';
  }

  /** on has this browser notified; it asks the reader where it has not yet. */
  async on(): Promise<void> {
    this.busy = true;
    this.refused = '';
    try {
      // Safari asks only straight after the press.
      if (Notification.permission === 'default') await Notification.requestPermission();
      this.look();
      if (this.hindrance) return;
      if (Notification.permission !== 'granted') {
        this.refused = t.devices.closedTheQuestion;
        return;
      }
      await this.load();
      if (!this.#key) return;
      const subscription = await this.#subscribe();
      if (!subscription) return;
      await this.#register(subscription);
      await this.load();
    } finally {
      this.busy = false;
    }
  }

  /** off has this browser notified no more. */
  async off(id: string): Promise<void> {
    wantPush(this.#app.bell.owner, false);
    await this.#app.bell.notes.dropDevice(id);
    const worker = await navigator.serviceWorker.getRegistration();
    await (await worker?.pushManager.getSubscription())?.unsubscribe().catch(() => false);
    await this.load();
  }

  async remove(id: string): Promise<void> {
    if (this.here?.id === id) return this.off(id);
    await this.#app.bell.notes.dropDevice(id);
    await this.load();
  }

  /** renew registers this browser again where its session, or its subscription, is another by now. */
  async renew(): Promise<void> {
    if (!wantsPush(this.#app.bell.owner) || this.hindrance) return;
    if (Notification.permission !== 'granted') return;
    await this.#app.attempt(async () => {
      await this.load();
      const worker = await navigator.serviceWorker.getRegistration();
      const now = await worker?.pushManager.getSubscription();
      if (!this.#key || (this.here && now && sameKey(now.options.applicationServerKey, this.#key)))
        return;
      const subscription = await this.#subscribe();
      if (subscription) await this.#register(subscription);
    });
  }

  async #register(subscription: PushSubscription): Promise<void> {
    const { endpoint, keys } = subscription.toJSON();
    await this.#app.bell.notes.putDevice({
      endpoint: endpoint ?? '',
      keys: { p256dh: keys?.['p256dh'] ?? '', auth: keys?.['auth'] ?? '' },
    });
    wantPush(this.#app.bell.owner, true);
  }

  /** subscribe asks the browser for a subscription by the server’s key; null says why in refused. */
  async #subscribe(): Promise<PushSubscription | null> {
    try {
      const worker = await Promise.race([
        navigator.serviceWorker.ready,
        new Promise<null>((none) => setTimeout(none, patience, null)),
      ]);
      if (!worker) {
        this.refused = t.devices.noWorker;
        return null;
      }
      const before = await worker.pushManager.getSubscription();
      if (before && sameKey(before.options.applicationServerKey, this.#key)) return before;
      await before?.unsubscribe();
      return await worker.pushManager.subscribe({
        userVisibleOnly: true,
        applicationServerKey: bytesOf(this.#key),
      });
    } catch (error) {
      this.refused = refusedBy(error);
      this.look();
      return null;
    }
  }
}
