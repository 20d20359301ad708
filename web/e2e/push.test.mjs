// A device that is notified: from the press in Settings to the message that a click shows.
// No push service can be reached from a test: pushManager alone is stubbed, with keys whose
// other half is here. What the server sends is really decrypted (RFC 8291), and handed to
// the service worker as the browser would.
import assert from 'node:assert/strict';
import { createDecipheriv, createECDH, createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { eventually, harmless, violations } from './browser.mjs';
import { Mail } from './events.mjs';
import { begin, signIn, wide } from './scene.mjs';

const mac = (key, ...parts) =>
  parts.reduce((h, part) => h.update(part), createHmac('sha256', key)).digest();

/** PushService takes what is pushed to one browser, and reads it. */
class PushService {
  got = [];
  status = 201;
  #keys = createECDH('prime256v1');
  #auth = randomBytes(16);
  #server = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    if (this.status === 201)
      this.got.push({
        topic: request.headers.topic,
        ...JSON.parse(this.#read(Buffer.concat(parts))),
      });
    response.writeHead(this.status).end();
  });

  async start() {
    this.#keys.generateKeys();
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.place = `127.0.0.1:${this.#server.address().port}`;
  }

  stop() {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  get subscription() {
    const keys = {
      p256dh: this.#keys.getPublicKey('base64url'),
      auth: this.#auth.toString('base64url'),
    };
    return { endpoint: `http://${this.place}/send/1`, keys };
  }

  #read(body) {
    const [salt, sender, rest] = [body.subarray(0, 16), body.subarray(21, 86), body.subarray(86)];
    const shared = this.#keys.computeSecret(sender);
    const info = ['WebPush: info\0', this.#keys.getPublicKey(), sender, '\x01'];
    const secret = mac(salt, mac(mac(this.#auth, shared), ...info));
    const key = mac(secret, 'Content-Encoding: aes128gcm\0\x01').subarray(0, 16);
    const nonce = mac(secret, 'Content-Encoding: nonce\0\x01').subarray(0, 12);
    const decipher = createDecipheriv('aes-128-gcm', key, nonce);
    decipher.setAuthTag(rest.subarray(-16));
    const text = Buffer.concat([decipher.update(rest.subarray(0, -16)), decipher.final()]);
    assert.equal(text.at(-1), 2, 'the last record ends as one');
    return text.subarray(0, -1).toString();
  }
}

/** stub stands in for the browser’s way to its push service. */
const stub = (subscription) => {
  let made = null;
  PushManager.prototype.getSubscription = async () => made;
  PushManager.prototype.subscribe = async ({ applicationServerKey, userVisibleOnly }) => {
    if (!userVisibleOnly) throw new DOMException('it is not visible', 'NotAllowedError');
    made = {
      options: { applicationServerKey: applicationServerKey.buffer },
      toJSON: () => subscription,
      unsubscribe: async () => ((made = null), true),
    };
    return made;
  };
};

/** remember has the worker keep what becomes of each push. A worker that is debugged is not stopped. */
const remember = () => {
  self.pushes = [];
  const { waitUntil } = ExtendableEvent.prototype;
  ExtendableEvent.prototype.waitUntil = function (done) {
    if (this instanceof PushEvent) self.pushes.push(done);
    return waitUntil.call(this, done);
  };
};

describe('a device that is notified', () => {
  const mail = new Mail(`push-${Date.now()}`);
  const service = new PushService();
  let demo, browser, watch, end, ana, worker, ingest, anaId, storageState;

  const card = (page) => page.getByRole('region', { name: 'Devices' });
  /**
   * shown is what the browser shows. It is asked when nothing is on its way there: Chromium forgets a
   * notification that is written down and not yet on the screen when somebody asks for them
   * (content/browser/notifications/platform_notification_context_impl.cc).
   */
  const shown = () =>
    worker.evaluate(async () =>
      (await self.registration.getNotifications()).map(({ title, body, tag, silent }) => ({
        ...{ title, body, tag, silent },
      })),
    );

  before(async () => {
    await service.start();
    const options = ['--outbound-allow', service.place, '--settle', '0s'];
    // The shell has neither subscriptions nor notifications.
    ({ demo, browser, watch, end } = await begin('0', options, { windows: true }));
    const first = await watch.page(browser, wide);
    storageState = await signIn(demo, first);
    await first.context().close();
    ana = await watch.page(browser, { ...wide, storageState, serviceWorkers: 'allow' });
    await ana.context().grantPermissions(['notifications'], { origin: demo.origin });
    await ana.addInitScript(stub, service.subscription);
    const starts = ana.context().waitForEvent('serviceworker', { timeout: 180_000 });
    await ana.goto(`${demo.origin}/notifications#settings`);
    worker = await starts;
    await worker.evaluate(remember);
    anaId = await ana.evaluate(async () => (await (await fetch('/v1/session')).json()).user.id);
    ingest = await demo.key('ingest');
  });
  after(async () => {
    service.stop();
    await end?.();
  });

  /** deliver hands what was pushed to the service worker, as the browser does, and waits until it is done. */
  async function deliver(pushed) {
    const session = await ana.context().newCDPSession(ana);
    const registered = new Promise((found) =>
      session.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
        if (registrations.length > 0) found(registrations[0].registrationId);
      }),
    );
    await session.send('ServiceWorker.enable');
    const registrationId = await registered;
    const before = await worker.evaluate(() => self.pushes.length);
    const data = JSON.stringify(pushed);
    await session.send('ServiceWorker.deliverPushMessage', {
      origin: demo.origin,
      registrationId,
      data,
    });
    await session.detach();
    await eventually('the worker has the push', () =>
      worker.evaluate((before) => self.pushes.length > before, before),
    );
    await worker.evaluate((before) => self.pushes[before], before);
  }

  /** nobodyLooks has the worker find no page: a headless one is always in front. */
  const nobodyLooks = (away) =>
    worker.evaluate((away) => {
      if (away) self.clients.matchAll = async () => [];
      else delete self.clients.matchAll;
    }, away);

  it('is one after one press, and takes a test', async () => {
    await card(ana).getByRole('button', { name: 'Notify this device' }).click();
    await card(ana).getByText('This device is notified').waitFor();
    await card(ana).getByText('this device', { exact: true }).waitFor();
    await card(ana).getByRole('button', { name: 'Send a test' }).click();
    await card(ana)
      .getByText(/^Sent to Chrome/)
      .waitFor();
    assert.equal(service.got.at(-1).title, 'This is a test from Tidings');
    await deliver(service.got.at(-1));
    const titles = (await shown()).map(({ title }) => title);
    assert.deepEqual(titles, ['This is a test from Tidings']);
    assert.deepEqual(await violations(ana), []);
  });

  it('shows an open while nobody looks, and a click shows the message', async () => {
    await demo.post(ingest, { ...mail.send('Proposal', 'Jo'), user: anaId });
    await demo.post(ingest, mail.open('Proposal', 'Jo'));
    const of = () => service.got.find(({ title }) => title === 'Jo opened “Proposal”');
    await eventually('it is pushed', () => of() !== undefined);
    const pushed = of();
    assert.equal(pushed.topic, pushed.id);
    await nobodyLooks(true);
    await deliver(pushed);
    const tags = (await shown()).map(({ tag }) => tag);
    assert.ok(tags.includes(pushed.id), `shown are ${tags}`);
    await nobodyLooks(false);
    await worker.evaluate(async (tag) => {
      const [notification] = await self.registration.getNotifications({ tag });
      self.dispatchEvent(new NotificationEvent('notificationclick', { notification }));
    }, pushed.id);
    await ana.getByRole('complementary').getByText('Proposal').first().waitFor();
  });

  it('is told when it was a scanner, in the place of what it was told', async () => {
    const told = service.got.find(({ title }) => title === 'Jo opened “Proposal”');
    const body = JSON.stringify({ is: 'machine', reason: 'It reads every mail at once.' });
    await ana.evaluate(async (body) => {
      const ask = async (path) => (await fetch(path)).json();
      const { items } = await ask('/v1/notifications');
      const { event } = items.find((one) => one.event?.subject === 'Proposal');
      const headers = {
        'X-CSRF-Token': (await ask('/v1/session')).csrf,
        'Content-Type': 'application/json',
      };
      await fetch(`/v1/events/${event.id}/verdict`, { method: 'PUT', headers, body });
    }, body);
    await eventually('it is taken back', () =>
      service.got.some((one) => one.id === told.id && one.taken),
    );
    await nobodyLooks(true);
    await deliver(told);
    await deliver(service.got.find((one) => one.id === told.id && one.taken));
    const both = (await shown()).filter((one) => one.tag === told.id);
    assert.deepEqual(
      both.map(({ title, silent }) => ({ title, silent })),
      [{ title: 'Taken back: a machine did it', silent: true }],
    );
  });

  it('is off the list once its browser has no subscription, and after it is removed', async () => {
    await ana.goto(`${demo.origin}/notifications#settings`);
    service.status = 410;
    await card(ana).getByRole('button', { name: 'Send a test' }).click();
    await card(ana)
      .getByText(/isn’t subscribed any more/)
      .waitFor();
    service.status = 201;
    await card(ana).getByRole('button', { name: 'Notify this device' }).click();
    await card(ana).getByText('This device is notified').waitFor();
    await card(ana).getByRole('button', { name: 'Remove' }).click();
    await card(ana).getByRole('button', { name: 'Notify it no more' }).click();
    await card(ana).getByRole('button', { name: 'Notify this device' }).waitFor();
  });

  it('says what to do where the reader refused, or the browser cannot', async () => {
    const refusing = await watch.page(browser, { ...wide, storageState });
    await refusing.addInitScript(() => {
      Object.defineProperty(Notification, 'permission', { get: () => 'denied' });
    });
    await refusing.goto(`${demo.origin}/notifications#settings`);
    await card(refusing).getByText('You refused notifications of this page once.').waitFor();
    assert.equal(
      await card(refusing).getByRole('button', { name: 'Notify this device' }).count(),
      0,
    );
    const old = await watch.page(browser, { ...wide, storageState });
    await old.addInitScript(() => delete window.PushManager);
    await old.goto(`${demo.origin}/notifications#settings`);
    await card(old).getByText('This browser can’t be notified.').waitFor();
    harmless(watch);
  });
});
