// From a bare `tidings serve` on an empty directory to the first event, in the page alone.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import {
  eventually,
  harmless,
  launch,
  look,
  looks,
  suffix,
  violations,
  Watch,
} from './browser.mjs';
import { results, wide } from './scene.mjs';
import { Installation } from './server.mjs';

describe('a bare serve', () => {
  let tidings, browser, watch, page;

  before(async () => {
    await mkdir(results, { recursive: true });
    tidings = await Installation.make();
    await tidings.start();
    browser = await launch();
    watch = new Watch(tidings.origin);
    page = await watch.page(browser, wide);
  });
  after(async () => {
    await browser?.close();
    await tidings?.remove();
  });

  const rows = () => page.locator('li[data-id]');
  const steps = () => page.getByRole('list', { name: 'First steps' });
  const next = (text) => steps().locator('[aria-current="step"]', { hasText: text }).waitFor();
  const sources = () => page.getByRole('region', { name: 'Sources', exact: true });
  const stepsOf = (name) => page.getByRole('region', { name: `Steps of ${name}` });
  const start = async (provider, name) => {
    await sources().getByRole('combobox', { name: 'Provider' }).selectOption(provider);
    await sources().getByLabel('Name', { exact: true }).fill(name);
    await sources().getByRole('button', { name: 'Get its address' }).click();
    await stepsOf(name).waitFor();
    return stepsOf(name);
  };

  it('prints a link, with which the first administrator says who they are', async () => {
    await eventually('a link is printed', () => tidings.link !== '');
    await page.goto(tidings.link);
    await next('Say who you are');
    assert.deepEqual(await violations(page), []);
    await page.getByLabel('Your name').fill('Ana Duarte');
    await page.getByLabel('Your address').fill('ana@acme.example');
    await page.getByRole('button', { name: 'That’s me' }).click();
    await next('Connect a source');
    await page.getByText('Ana Duarte').first().waitFor();
    for (const screen of looks) {
      const storageState = await page.context().storageState();
      const other = await watch.page(browser, { storageState, ...screen });
      await look(other, `${results}begin-${suffix(screen)}`, async () => {
        await other.goto(tidings.origin);
        await other.getByRole('list', { name: 'First steps' }).waitFor();
      });
      await other.context().close();
    }
  });

  it('shows sample events in one press, marked, and takes them away in one', async () => {
    await page.getByRole('button', { name: 'Look around with sample events' }).click();
    await rows().first().waitFor();
    const bar = page.getByRole('region', { name: 'Sample events' });
    await bar.waitFor();
    assert.deepEqual(await violations(page), []);
    await page.getByRole('link', { name: 'Stats' }).first().click();
    await bar.waitFor();
    await bar.getByRole('button', { name: 'Remove the sample' }).click();
    await next('Connect a source');
    assert.equal(await bar.count(), 0);
    await page.goto(`${tidings.origin}/stats`);
    await page.getByText('No opens in this time').waitFor();
    await page.getByRole('link', { name: 'Feed' }).first().click();
  });

  it('gives an address first, and takes the vendor’s key after', async () => {
    await steps()
      .getByRole('link', { name: /^Connect a source/ })
      .click();
    const crm = await start('resend', 'mail');
    await crm.getByText('At Resend, open').waitFor();
    const address = await crm.getByLabel('Address', { exact: true }).innerText();
    assert.match(address, /\/v1\/hooks\/hook_/);
    await crm.getByText('Waiting for the key').waitFor();
    const secret = Buffer.from('a secret that Resend shows when it has the address');
    const sent = () => {
      const time = new Date().toISOString();
      const [id, at] = ['msg_1', String(Math.floor(Date.now() / 1000))];
      const body = JSON.stringify({
        type: 'email.sent',
        created_at: time,
        data: {
          email_id: 'e-1',
          from: 'ana@acme.example',
          to: ['jo@globex.example'],
          subject: 'The first of all',
        },
      });
      const signature = createHmac('sha256', secret).update(`${id}.${at}.${body}`).digest('base64');
      return fetch(address, {
        method: 'POST',
        body,
        headers: {
          'Content-Type': 'application/json',
          'svix-id': id,
          'svix-timestamp': at,
          'svix-signature': `v1,${signature}`,
        },
      });
    };
    assert.equal((await sent()).status, 503, 'it comes again');
    await crm.getByText('It has begun to send').waitFor();

    // Whoever looks away finds it again.
    await page.reload();
    await sources().getByRole('button', { name: 'Finish mail' }).click();
    await crm.getByLabel('Signing key').fill(`whsec_${secret.toString('base64')}`);
    await crm.getByRole('button', { name: 'Save key' }).click();
    await crm.getByText('Waiting for the first event of mail').waitFor();
    assert.ok((await sent()).ok);
    await crm.getByText('The first event of mail was received').waitFor();
    for (const screen of looks) {
      await page.setViewportSize(screen.viewport);
      await page.emulateMedia({ colorScheme: screen.colorScheme });
      await look(page, `${results}source-steps-${suffix(screen)}`, () =>
        crm.scrollIntoViewIfNeeded(),
      );
    }
    await page.setViewportSize(wide.viewport);
  });

  it('makes the secret where the vendor takes ours', async () => {
    const booked = await start('calcom', 'calendar');
    const secret = await booked.getByLabel('Secret', { exact: true }).innerText();
    assert.ok(secret.length >= 32);
    await booked.getByText('Waiting for the first event of calendar').waitFor();

    const mail = await start('postmark', 'transactional');
    const address = new URL(await mail.getByLabel('Address', { exact: true }).innerText());
    const authorization = `Basic ${btoa(`${address.username}:${address.password}`)}`;
    const answer = await fetch(tidings.origin + address.pathname, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: authorization },
      body: JSON.stringify({
        RecordType: 'Open',
        MessageID: '00000000-0000-0000-0000-000000000001',
        Recipient: 'jo@globex.example',
        ReceivedAt: new Date().toISOString(),
      }),
    });
    assert.ok(answer.ok, `${answer.status}`);
    await mail.getByText('The first event of transactional was received').waitFor();
    await page.getByRole('link', { name: 'Feed' }).first().click();
    await rows().filter({ hasText: 'The first of all' }).waitFor();
  });

  it('asked nothing wrong, broke no policy and threw nothing', () => harmless(watch));
});
