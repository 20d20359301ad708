import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually, harmless, look, looks, suffix } from './browser.mjs';
import { Mail } from './events.mjs';
import { begin, results, signIn } from './scene.mjs';

describe('what people come to do', () => {
  const mail = new Mail(`tasks-${Date.now()}`);
  let demo, browser, watch, end, page, storageState, ingest;

  before(async () => {
    ({ demo, browser, watch, page, end } = await begin('1'));
    ingest = await demo.key('ingest');
    storageState = await signIn(demo, page);
    await rows().first().waitFor();
    await demo.post(
      ingest,
      mail.send('Quillwork', 'Tess', 'Udo'),
      mail.send('A subject that is longer than the column beside the messages is wide', 'Tess'),
      mail.open('Quillwork', 'Tess'),
      mail.open('Quillwork', 'Tess', {
        id: mail.message('again'),
        type: 'click',
        link: 'https://x.example/a',
      }),
    );
    await eventually('all is read', async () => (await demo.waiting()) === 0);
  });
  after(() => end?.());

  const rows = (p = page) => p.locator('li[data-id]');
  const home = async (path = '/', p = page) => {
    await p.goto(demo.origin + path);
    await rows(p).first().waitFor();
  };

  it('reads the feed as one row a mail, with its state', async () => {
    await home('/?q=subject%3AQuillwork');
    await page.getByRole('listitem', { name: /Tess opened Quillwork/ }).waitFor();
    await page.getByRole('button', { name: 'Messages' }).click();
    await page
      .getByRole('listitem', { name: /Tess opened Quillwork/ })
      .waitFor({ state: 'detached' });
    const sent = page.getByRole('listitem', { name: /sent Quillwork, 1 of 2 hasn’t opened: Udo/ });
    await sent.waitFor();
    assert.equal(await rows().count(), 1);
    await page.reload();
    await sent.click();
    await page.getByRole('complementary', { name: 'Message' }).getByText('Udo').first().waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: /^All/ }).click();
    await page.getByRole('listitem', { name: /Tess opened Quillwork/ }).waitFor();
  });

  it('has a menu by right click and by a long press', async () => {
    await home('/?q=subject%3AQuillwork&type=open');
    const menu = (p) => p.getByRole('menu', { name: /Tess opened Quillwork/ });
    await rows()
      .first()
      .click({ button: 'right', position: { x: 700, y: 18 } });
    await menu(page).getByRole('menuitem', { name: 'Copy link' }).waitFor();
    await page.keyboard.press('Escape');
    await menu(page).waitFor({ state: 'detached' });
    const phone = await watch.page(browser, {
      storageState,
      ...looks[1],
      hasTouch: true,
      isMobile: true,
    });
    await home('/?q=subject%3AQuillwork&type=open', phone);
    const box = await rows(phone).first().boundingBox();
    const cdp = await phone.context().newCDPSession(phone);
    const at = [{ x: box.x + 200, y: box.y + 40 }];
    await cdp.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: at });
    await menu(phone).waitFor();
    await cdp.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
    // What lifting the finger makes is no choice; the first tap behind it is one.
    await menu(phone).getByRole('menuitem', { name: 'Open the message' }).tap();
    await phone.getByRole('heading', { name: 'Timeline' }).waitFor();
    await phone.context().close();
  });

  it('finds what somebody reads on, their open threads, and writes a note', async () => {
    await page.goto(`${demo.origin}/people?who=tess%40acme.example`);
    await page.getByRole('heading', { name: 'Open threads' }).waitFor();
    await page.getByRole('region', { name: 'At a glance' }).getByText('Computer').waitFor();
    await page.getByRole('button', { name: 'Write a note' }).click();
    await page.getByLabel('Your note').fill('Prefers mornings');
    await page.getByRole('button', { name: 'Save note' }).click();
    await page.getByText('Prefers mornings').waitFor();
    await page.reload();
    await page.getByText('Prefers mornings').waitFor();
    await look(page, `${results}person-notes`, async () => {});
  });

  it('fits more rows on a screen', async () => {
    await home();
    const height = () =>
      rows()
        .first()
        .evaluate((row) => row.getBoundingClientRect().height);
    const before = await height();
    await page.goto(`${demo.origin}/settings`);
    await page.getByRole('combobox', { name: 'Rows' }).selectOption('compact');
    await home();
    assert.deepEqual([before, await height()], [36, 32]);
    await page.goto(`${demo.origin}/settings`);
    await page.getByRole('combobox', { name: 'Rows' }).selectOption('comfortable');
  });

  it('asks to sign in again for a key when the sign-in is too old for it', async () => {
    const admin = await watch.page(browser, looks[0]);
    const key = await demo.key('admin');
    const signIn = async () => {
      await admin.getByLabel('Key', { exact: true }).fill(key);
      await admin.keyboard.press('Enter');
    };
    await admin.goto(`${demo.origin}/settings`);
    await signIn();
    const make = admin.getByRole('button', { name: 'Make a key' });
    // As the server says it ten minutes later.
    await admin.route('**/v1/keys', (route) =>
      route.request().method() === 'POST'
        ? route.fulfill({
            status: 403,
            json: { errors: [{ location: 'session.signed_in', message: 'is old' }] },
          })
        : route.continue(),
    );
    await make.click();
    await admin.getByText('takes a sign-in of the last ten minutes').waitFor();
    await admin.getByRole('button', { name: 'Sign in again' }).click();
    await admin.getByText('Sign in again to go on where you were').waitFor();
    await signIn();
    await make.waitFor();
    await admin.context().close();
  });

  it('hands on a report: with a name, by its link, on one page', async () => {
    await page.goto(`${demo.origin}/stats?period=30d`);
    await page.getByRole('button', { name: 'Report' }).click();
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.getByLabel('Name').fill('Sales, November');
    await page.getByRole('button', { name: 'Copy its link' }).click();
    await page.getByRole('heading', { name: 'Sales, November' }).waitFor();
    const link = await page.evaluate(() => navigator.clipboard.readText());
    const other = await watch.page(browser, {
      storageState,
      viewport: { width: 1440, height: 900 },
    });
    await other.goto(link);
    await other.getByRole('heading', { name: 'Sales, November' }).waitFor();
    await other.getByText('When mail is opened').waitFor();
    for (const format of ['A4', 'Letter']) {
      const path = `${results}report-${format}.pdf`;
      const pdf = await other.pdf({ format, path, printBackground: true });
      const pages = pdf.toString('latin1').match(/\/Type\s*\/Page\b(?!s)/g).length;
      assert.equal(pages, 1, `${pages} pages of ${format}`);
    }
    await other.emulateMedia({ media: 'print' });
    assert.equal(await other.getByRole('navigation', { name: 'Pages' }).first().isVisible(), false);
    assert.equal(await other.getByRole('button', { name: 'Report' }).isVisible(), false);
    await other.screenshot({ path: `${results}report-print.png`, fullPage: true });
    await other.context().close();
  });

  it('prints once everything is there, answer times too', async () => {
    const other = await watch.page(browser, { storageState });
    await other.addInitScript(() => {
      window.printed = 0;
      window.print = () => window.printed++;
    });
    let answer;
    const asked = new Promise((resolve) => (answer = resolve));
    let release;
    const held = new Promise((resolve) => (release = resolve));
    await other.route(/v1\/stats.*answer_times/, async (route) => {
      answer();
      await held;
      await route.continue();
    });
    await other.goto(`${demo.origin}/stats?period=30d`);
    await asked;
    // Whoever prints by the browser's menu reads that something is missing.
    const missing = other.getByText('Printed before all of it was counted');
    await other.emulateMedia({ media: 'print' });
    await missing.waitFor();
    await other.emulateMedia({ media: 'screen' });
    await other.getByRole('button', { name: 'Report' }).click();
    await other.getByRole('button', { name: 'Print it' }).click();
    await eventually('it is said', async () =>
      (await other.locator('body').textContent()).includes('Preparing to print'),
    );
    assert.equal(await other.evaluate(() => window.printed), 0);
    release();
    await eventually('it prints', () => other.evaluate(() => window.printed === 1));
    await other.getByText('They answer in').first().waitFor();
    await missing.waitFor({ state: 'detached' });
    await other.keyboard.press('Control+p');
    await eventually('the key prints', () => other.evaluate(() => window.printed === 2));
    await other.context().close();
  });

  it('has the figures of a view mailed each week, where mail can be sent', async () => {
    await page.goto(`${demo.origin}/stats?q=pricing&type=open`);
    await page.getByRole('button', { name: 'Report' }).click();
    await page.getByText('It can’t come by mail').waitFor();
    // The rest is the server's own: only where its mail would go is made up.
    await page.route('**/v1/notification-settings', async (route) => {
      if (route.request().method() !== 'GET') return route.continue();
      const response = await route.fetch();
      await route.fulfill({
        response,
        json: { ...(await response.json()), mail: 'ana@tidings.example' },
      });
    });
    await page.reload();
    await page.getByRole('button', { name: 'Report' }).click();
    const send = page.getByRole('button', { name: 'Mail it each week' });
    await send.waitFor();
    assert.equal(await send.isDisabled(), true, 'it has no name yet');
    await page.getByLabel('Name').fill('Opens of pricing');
    await page.getByLabel('Each').selectOption('Thursday');
    await page.screenshot({ path: `${results}weekly.png` });
    await send.click();
    await page.getByText('“Opens of pricing” comes by mail each Thursday, 08:00').first().waitFor();
    await page.unroute('**/v1/notification-settings');
    await page.goto(`${demo.origin}/notifications#settings`);
    await page.getByText('Brings the figures of the week of “pricing type:open”.').waitFor();
    const { items } = await page.evaluate(async () =>
      (await fetch('/v1/notification-rules')).json(),
    );
    const { weekly } = items.find(({ name }) => name === 'Opens of pricing');
    assert.deepEqual(weekly, { day: 4, time: '08:00' });
  });

  it('can be installed, opens without a network, and forgets with the session', async () => {
    const own = await watch.page(browser, { serviceWorkers: 'allow', ...looks[0] });
    const key = await demo.key('read');
    await own.goto(demo.origin);
    await own.getByLabel(/key/i).fill(key);
    await own.keyboard.press('Enter');
    await rows(own).first().waitFor();
    const manifest = await own.evaluate(async () => {
      const { href } = document.querySelector('link[rel=manifest]');
      const { icons, display } = await (await fetch(href)).json();
      return [display, ...(await Promise.all(icons.map(async ({ src }) => (await fetch(src)).ok)))];
    });
    assert.deepEqual(manifest, ['standalone', true, true, true, true]);
    await own.evaluate(() => navigator.serviceWorker.ready.then(() => true));
    // The worker keeps what is asked for from now on.
    await own.reload();
    await rows(own).first().waitFor();
    const kept = () =>
      own.evaluate(async () => {
        const all = await (await caches.open('tidings-data')).keys();
        return all.filter(({ url }) => url.includes('/v1/feed')).length;
      });
    await eventually('the feed is kept', async () => (await kept()) > 0);
    await own.context().setOffline(true);
    await own.reload();
    await rows(own).first().waitFor();
    await own.context().setOffline(false);
    await own.goto(`${demo.origin}/settings`);
    await own.getByRole('button', { name: 'Sign out' }).click();
    await own.getByRole('button', { name: 'Sign in' }).waitFor();
    await eventually('nothing is kept', async () => (await kept()) === 0);
    await own.context().close();
  });

  it('looks right in print, on a phone and on a desk', async () => {
    for (const each of looks) {
      const p = await watch.page(browser, { storageState, ...each });
      await look(p, `${results}messages-${suffix(each)}`, () => home('/?rows=messages', p));
      await p.context().close();
    }
  });

  it('asked nothing wrong and no other host, broke no policy and threw nothing', () =>
    harmless(watch));
});
