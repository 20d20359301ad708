// Three browsers and a receiver outside: who is told, who is not, and what is taken back.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { eventually, harmless } from './browser.mjs';
import { Mail } from './events.mjs';
import { begin, wide } from './scene.mjs';

/** Receiver is a webhook receiver of somebody's own. */
class Receiver {
  got = [];
  #server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    this.got.push({ at: Date.now(), id: request.headers['webhook-id'], ...JSON.parse(body) });
    response.writeHead(204).end();
  });

  async start() {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.place = `127.0.0.1:${this.#server.address().port}`;
  }

  stop() {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** of are those of a type about a mail. */
  of(type, subject) {
    return this.got.filter((one) => one.type === type && one.data.item?.subject === subject);
  }
}

/** A desktop that notes what it shows, before somebody who looks elsewhere. */
const desktop = () => {
  window.shown = [];
  window.Notification = class {
    static permission = 'granted';
    static requestPermission = async () => 'granted';
    constructor(title, { tag }) {
      window.shown.push({ title, tag, at: Date.now() });
      this.tag = tag;
    }
    close() {
      window.shown.find((one) => one.tag === this.tag).closed = true;
    }
  };
  Document.prototype.hasFocus = () => false;
};

describe('three browsers and a receiver', () => {
  const mail = new Mail(`told-${Date.now()}`);
  const receiver = new Receiver();
  let demo, browser, watch, end, ana, away, ben, anaId, ingest;

  const bell = (page) =>
    page
      .getByRole('navigation', { name: 'Pages' })
      .first()
      .getByRole('link', { name: /^Notifications/ });
  const unread = async (page) => Number((await bell(page).innerText()).match(/\d+/)?.[0] ?? 0);
  const told = (page) =>
    page.evaluate(async () => (await (await fetch('/v1/notifications')).json()).unread);
  const said = (page, text) => page.locator('.toast').getByText(text).waitFor();

  before(async () => {
    await receiver.start();
    // Opens leave at once: nobody waits here for scanners to be found out.
    ({
      demo,
      browser,
      watch,
      page: ana,
      end,
    } = await begin('0', [...['--outbound-allow', receiver.place, '--settle', '0s']]));
  });
  after(async () => {
    receiver.stop();
    await end?.();
  });

  it('from the demo’s link to a rule that posts to a receiver, in the page', async () => {
    const began = Date.now();
    await ana.goto(demo.link);
    await ana.getByRole('link', { name: 'Settings' }).first().click();
    const card = ana.getByRole('region', { name: 'Endpoints' });
    await card.getByLabel('Endpoint').first().fill('mine');
    await card.getByLabel('Address').fill(`http://${receiver.place}/tidings`);
    await card.getByLabel('Send what this search finds').fill('opens from acme.example');
    await card.getByRole('button', { name: 'Save endpoint' }).click();
    await card.getByText('Receivers verify webhooks with this secret.').waitFor();
    await card.getByRole('button', { name: 'Send a test to mine' }).click();
    await card.getByText(/^mine took the test/).waitFor();
    await eventually('the test is there', () => receiver.got.some((one) => one.type === 'test'));
    const seconds = (Date.now() - began) / 1_000;
    console.log(`from the link to a receiver that took a test: ${seconds.toFixed(1)} s`);
    assert.ok(seconds < 120);
  });

  it('an open by Jo reaches Ana’s bell, her desktop and the receiver, and nothing of Ben’s', async () => {
    anaId = await ana.evaluate(async () => (await (await fetch('/v1/session')).json()).user.id);
    ingest = await demo.key('ingest');
    await ana.goto(`${demo.origin}/settings#people`);
    const people = ana.getByRole('region', { name: 'People' });
    await people.getByLabel('Colleague').fill('Ben Aker');
    await ana.getByRole('button', { name: 'Invite', exact: true }).click();
    const link = await people.getByRole('status').locator('code').innerText();
    ben = await watch.page(browser, wide);
    await ben.addInitScript(desktop);
    await ben.goto(link);
    await ben.getByRole('button', { name: 'Accept the invitation' }).click();
    await bell(ben).click();
    await ben.getByRole('button', { name: 'Show them on this device' }).click();
    // Ana has the page open on a second machine, where she looks elsewhere.
    const storageState = await ana.context().storageState();
    away = await watch.page(browser, { ...wide, storageState });
    await away.addInitScript(desktop);
    await away.goto(`${demo.origin}/notifications`);
    await away.getByRole('button', { name: 'Show them on this device' }).click();
    await ana.goto(demo.origin);
    await bell(ana).waitFor();
    const subjects = ['Proposal', 'Renewal', 'Contract'];
    await demo.post(ingest, ...subjects.map((s) => ({ ...mail.send(s, 'Jo'), user: anaId })));

    const [before, bens] = [await told(ana), await told(ben)];
    const sent = Date.now();
    await demo.post(ingest, mail.open('Proposal', 'Jo'));
    await eventually('the bell counts', async () => (await unread(ana)) === before + 1);
    const rang = Date.now() - sent;
    await eventually('the desktop shows it', async () =>
      away.evaluate(() => window.shown.some((one) => one.title.startsWith('Jo opened'))),
    );
    await eventually('the receiver has it', () => receiver.of('open', 'Proposal').length === 1);
    const shown = await away.evaluate(() => window.shown[0].at);
    console.log(
      `an open: bell after ${rang} ms, desktop after ${shown - sent} ms, webhook after ${receiver.of('open', 'Proposal')[0].at - sent} ms`,
    );
    assert.equal(await unread(ben), bens);
    assert.deepEqual(await ben.evaluate(() => window.shown), []);
  });

  it('Ana mutes Jo: the next open is in the log alone, and the way back is one press', async () => {
    await bell(ana).click();
    const row = ana.locator('li', { hasText: 'Jo opened Proposal' });
    await row.getByRole('button', { name: 'More' }).click();
    await ana.getByRole('menuitem', { name: 'Mute Jo', exact: true }).click();
    await ana.getByRole('menuitem', { name: 'Until Monday' }).click();
    await said(ana, /^Muted Jo until Mon /);
    const [before, shown] = [await told(ana), await away.evaluate(() => window.shown.length)];
    await demo.post(ingest, mail.open('Renewal', 'Jo'));
    // The endpoint is nobody’s: a mute of Ana’s is none of it.
    await eventually('the receiver has it', () => receiver.of('open', 'Renewal').length === 1);
    await ana.getByRole('button', { name: 'Log', exact: true }).click();
    const logged = ana.locator('li', { hasText: 'opened Renewal' });
    await eventually('it is in the log', async () => {
      await ana.evaluate(() => dispatchEvent(new Event('focus')));
      return (await logged.count()) > 0;
    });
    await logged.getByText(/muted/).waitFor();
    assert.equal(await told(ana), before);
    assert.equal(await away.evaluate(() => window.shown.length), shown);
    await logged.getByRole('button', { name: 'Unmute' }).click();
    await said(ana, /isn’t muted any more/);
  });

  it('what turns out to be a scanner’s is taken back wherever it can be', async () => {
    const before = await told(ana);
    await demo.post(ingest, mail.open('Contract', 'Jo'));
    await eventually('the bell counts', async () => (await unread(ana)) === before + 1);
    await eventually('the desktop shows it', async () =>
      away.evaluate(() => window.shown.some((one) => /Contract/.test(one.title))),
    );
    const body = JSON.stringify({ is: 'machine', reason: 'It reads every mail at once.' });
    await ana.evaluate(async (body) => {
      const ask = async (path) => (await fetch(path)).json();
      const { items } = await ask('/v1/notifications');
      const { event } = items.find((one) => one.event?.subject === 'Contract');
      const headers = {
        'X-CSRF-Token': (await ask('/v1/session')).csrf,
        'Content-Type': 'application/json',
      };
      await fetch(`/v1/events/${event.id}/verdict`, { method: 'PUT', headers, body });
    }, body);
    await eventually('the bell counts back', async () => (await unread(ana)) === before);
    await eventually('the desktop has it no more', async () =>
      away.evaluate(() => window.shown.find((one) => /Contract/.test(one.title)).closed === true),
    );
    await away
      .locator('li', { hasText: 'Jo opened Contract' })
      .getByText('Taken back: it was a scanner')
      .waitFor();
    harmless(watch);
  });
});
