// What admins look after: events that failed for good, webhooks that were not
// understood, and a workspace that has nothing yet.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually, harmless, look, looks, suffix } from './browser.mjs';
import { Mail } from './events.mjs';
import { begin, results, signIn } from './scene.mjs';

describe('looking after a workspace', () => {
  const mail = new Mail(`upkeep-${Date.now()}`);
  let demo, browser, watch, end, page, ingest, admin, storageState;

  before(async () => {
    ({ demo, browser, watch, page, end } = await begin('0', ['--max-attempts', '2']));
    [ingest, admin] = [await demo.key('ingest'), await demo.key('admin')];
    storageState = await signIn(demo, page);
  });
  after(() => end?.());

  const rows = () => page.locator('li[data-id]');

  /** picture looks at a page in both themes, wide and narrow. */
  async function picture(name, path, arrange) {
    for (const screen of looks) {
      const other = await watch.page(browser, { storageState, ...screen });
      await other.goto(demo.origin + path);
      await look(other, `${results}${name}-${suffix(screen)}`, () => arrange(other));
      await other.context().close();
    }
  }

  it('says how to begin where nothing has arrived, and leads there', async () => {
    await picture('empty', '/', (p) => p.getByText('Import a mailbox').click());
    await page.goto(demo.origin);
    await page
      .getByRole('heading', { name: 'Connect a source to see your first events' })
      .waitFor();
    await page.getByText('Import a mailbox').click();
    await page.getByText(`tidings import --server ${demo.origin}`).waitFor();
    await page.getByText('Post an event').click();
    const command = page.getByRole('region', { name: 'Command that posts an event' });
    assert.match(await command.innerText(), new RegExp(`curl ${demo.origin}/v1/events`));
    await page.getByRole('link', { name: 'make a key' }).last().click();
    await page.getByRole('heading', { name: 'Keys' }).waitFor();
    assert.equal(new URL(page.url()).hash, '#keys');
    await page.goBack();
    await page.getByRole('link', { name: /^Connect a source SendGrid/ }).click();
    await page.getByRole('heading', { name: 'Sources' }).waitFor();
    await eventually('the sources are in view', () =>
      page.getByRole('heading', { name: 'Sources' }).evaluate((head) => {
        const { top } = head.getBoundingClientRect();
        return top > 0 && top < innerHeight;
      }),
    );
    await page.goto(demo.origin);
    await demo.post(ingest, mail.send('The first of all', 'Tom'));
    await rows().filter({ hasText: 'The first of all' }).waitFor();
  });

  it('connects a source, tries a sample, and shows what was not understood', async () => {
    await page.goto(`${demo.origin}/settings`);
    const sources = page.getByRole('region', { name: 'Sources', exact: true });
    await sources.getByLabel('Name', { exact: true }).fill('crm');
    await sources.getByLabel(/^Provider/).selectOption('cloudevents');
    await sources.getByRole('button', { name: 'Get its address' }).click();
    const address = await sources.getByLabel('Address', { exact: true }).innerText();
    const token = await sources.getByLabel('Secret', { exact: true }).innerText();

    await page.getByRole('button', { name: 'Test crm' }).click();
    const test = page.getByRole('region', { name: 'Test of crm' });
    await test.getByText('Nothing was taken in').waitFor();
    await test.getByText('None since the server was started').waitFor();
    await page.getByRole('button', { name: 'Rejected crm' }).click();
    await page.getByText('Everything that crm sent was understood').waitFor();

    const hook = (body) =>
      fetch(address, {
        method: 'POST',
        headers: {
          Authorization: `Bearer ${token}`,
          'Content-Type': 'application/cloudevents+json',
        },
        body,
      });
    const told = await hook('{"specversion": "1.0", "contact": "jo@acme.example", "type": ');
    assert.equal(told.status, 204);
    assert.equal((await fetch(address, { method: 'POST', body: '{}' })).status, 401);

    await page.reload();
    const source = page.getByRole('row', { name: /crm/ });
    assert.equal(await source.getByRole('cell').nth(3).innerText(), '1', 'refused');
    await page.getByRole('button', { name: 'Rejected crm' }).click();
    const rejected = page.getByRole('region', { name: 'Rejected requests of crm' });
    await rejected.getByText('1 request of crm couldn’t be understood').waitFor();
    const { items } = await demo.get(admin, '/v1/sources/crm/rejected');
    await rejected.getByText(items[0].reason).click();
    const payload = await rejected.getByRole('region', { name: 'Request' }).innerText();
    assert.match(payload, /specversion/);
    assert.doesNotMatch(payload, /jo@acme/, 'an address is shown');
    await picture('rejected', '/settings#sources', async (p) => {
      await p.getByRole('button', { name: 'Rejected crm' }).click();
      await p.getByText(items[0].reason).click();
    });

    await rejected.getByRole('button', { name: 'Try again' }).click();
    await rejected.getByText('0 requests understood now, 1 still not').waitFor();
    await rejected.getByRole('button', { name: 'Forget' }).click();
    await rejected.getByRole('button', { name: 'Forget for good' }).click();
    await rejected.getByText('Everything that crm sent was understood').waitFor();
    assert.deepEqual((await demo.get(admin, '/v1/sources/crm/rejected')).items, []);
  });

  it('suggests the scanner of a company, adopts it and takes it back', async () => {
    const gateway = { ip: '198.51.100.9', user_agent: 'Mozilla/5.0 (X11) Thunderbird/128.0' };
    const people = ['ana', 'ben', 'cleo'].map((name) => ({ email: `${name}@gated.example` }));
    const at = (seconds) => new Date(Date.now() - seconds * 1_000).toISOString();
    const events = Array.from({ length: 10 }, (_, i) => {
      const [message, subject] = [`gated-${i}`, `For the gateway ${i}`];
      const send = {
        id: message,
        type: 'send',
        time: at(600),
        message,
        subject,
        recipients: people,
      };
      const opens = people.map((recipient) => ({
        id: `${message}-${recipient.email}`,
        type: 'open',
        time: at(570),
        message,
        recipient,
        client: gateway,
      }));
      return [send, ...opens];
    });
    await demo.post(ingest, ...events.flat());
    const suggested = async () => (await demo.get(admin, '/v1/scanners')).suggestions;
    await eventually('it is suggested', async () => (await suggested()).length === 1);

    await page.goto(`${demo.origin}/settings`);
    const card = page.getByRole('region', { name: 'Scanners', exact: true });
    const suggestion = card.getByRole('listitem').filter({ hasText: 'gated.example' });
    await suggestion.getByText('30 of 30 mails to 3 recipients').waitFor();
    await picture('scanners', '/settings#scanners', (p) => p.getByText('30 of 30 mails').waitFor());
    await suggestion.getByRole('button', { name: 'Adopt' }).click();
    await suggestion.getByRole('button', { name: 'Count it as a machine' }).click();
    const row = card.getByRole('row', { name: /gated\.example/ });
    await row.getByText(/^198\.51\.100\./).waitFor();
    await suggestion.waitFor({ state: 'detached' });
    await row.getByRole('button', { name: 'Remove' }).click();
    await row.getByRole('button', { name: 'Remove for good' }).click();
    await suggestion.waitFor();

    await card.getByLabel('Domain').fill('other.example');
    await card.getByLabel(/^Networks/).fill('192.0.2.0/24, 10.0.0.0/2');
    await card.getByRole('button', { name: 'Add scanner' }).click();
    await card
      .getByRole('alert')
      .getByText(/is wider than \/16/)
      .waitFor();
    assert.deepEqual(watch.refused.splice(0), [`400 ${demo.origin}/v1/scanners/other.example`]);
    assert.deepEqual((await demo.get(admin, '/v1/scanners')).items, []);
  });

  it('groups what failed for good, shows why, and replays or drops it', async () => {
    const subject = 'Kept on a bad disk';
    await demo.post(ingest, mail.send(subject, 'Tom', 'Raj', 'Ida', 'Bo'));
    const feed = `/v1/feed?q=${encodeURIComponent(`subject:"${subject}"`)}`;
    const inFeed = async () => (await demo.get(admin, feed)).items.length;
    await eventually('it is in the feed', async () => (await inFeed()) === 1);
    // Stopped before that is acknowledged, it would come again, and fail too.
    await eventually('nothing waits', async () => (await demo.waiting()) === 0);
    await demo.stop();
    const repair = await demo.damage(subject);
    await demo.start();
    for (const name of ['Tom', 'Raj', 'Ida', 'Bo'])
      await demo.post(ingest, mail.open(subject, name));
    const dead = async () => {
      const { items } = await demo.get(admin, '/v1/dead-letters/reasons');
      return items.reduce((sum, { count }) => sum + count, 0);
    };
    await eventually('all four have failed', async () => (await dead()) === 4);

    await page.goto(`${demo.origin}/dead-letters`);
    const group = page.getByRole('region', { name: /a stored state cannot be read/ });
    await group.getByText(/^4 events, given up/).waitFor();
    await group.getByRole('button', { name: /cannot be read/ }).click();
    const letters = group.getByRole('group').filter({ hasText: 'after 2 tries' });
    await eventually('each of them', async () => (await letters.count()) === 4);
    await letters.first().locator('summary').click();
    const payload = JSON.parse(await letters.first().getByRole('region').innerText());
    assert.equal(payload.m ?? payload.message, mail.message(subject));
    await picture('dead-letter', '/dead-letters', async (p) => {
      await p.getByRole('button', { name: /cannot be read/ }).click();
      await p.getByText('after 2 tries').first().click();
      await p.getByRole('region', { name: 'Event' }).first().waitFor();
    });

    // Dropped, one is gone; replayed while nothing is fixed, one comes back.
    await group.getByRole('button', { name: 'Drop this event' }).first().click();
    await group.getByRole('button', { name: 'Drop it for good' }).click();
    await page.getByText('1 event dropped.').waitFor();
    await group.getByText(/^3 events, given up/).waitFor();
    await letters.first().locator('summary').click();
    await group.getByRole('button', { name: 'Replay this event' }).first().click();
    await page.getByText('1 event put back into the queue.').waitFor();
    await eventually('it has failed again', async () => (await dead()) === 3);
    await page.getByRole('button', { name: 'Refresh' }).click();
    await group.getByText(/^3 events, given up/).waitFor();

    await demo.stop();
    await repair();
    await demo.start();
    await page.reload();
    await group.getByRole('button', { name: 'Replay 3 events' }).click();
    await page.getByText('3 events put back into the queue.').waitFor();
    await page.getByRole('heading', { name: 'Nothing failed for good' }).waitFor();
    await eventually('the send and three opens', async () => (await inFeed()) === 4);
    assert.equal(await dead(), 0);

    await page.goto(`${demo.origin}/?q=${encodeURIComponent(`subject:"${subject}"`)}`);
    await eventually('the rows', async () => (await rows().count()) === 4);
  });

  it('asked nothing wrong and no other host, broke no policy and threw nothing', () =>
    harmless(watch));

  it('lets an invited person in who presses the button, once, and no scanner', async () => {
    const response = await fetch(`${demo.origin}/v1/invitations`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${admin}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ name: 'Kim Park', email: 'kim@northwind.example', role: 'member' }),
    });
    assert.equal(response.status, 201, await response.clone().text());
    const { path } = await response.json();
    for (let scanner = 0; scanner < 2; scanner++) await fetch(demo.origin + path);
    const kim = await watch.page(browser, { viewport: { width: 390, height: 844 } });
    await kim.goto(demo.origin + path);
    await kim.getByRole('heading', { name: 'You are invited to Tidings' }).waitFor();
    assert.equal(new URL(kim.url()).hash, '', 'the token leaves the address');
    await kim.getByRole('button', { name: 'Accept the invitation' }).press('Enter');
    await kim.getByRole('link', { name: 'Settings' }).first().waitFor();
    await kim.context().close();
    const late = await watch.page(browser, { viewport: { width: 390, height: 844 } });
    await late.goto(demo.origin + path);
    await late.getByRole('button', { name: 'Accept the invitation' }).click();
    await late.getByRole('alert').filter({ hasText: 'has been used' }).waitFor();
    await late.context().close();
  });
});
