import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually, harmless, look, looks, suffix, violations } from './browser.mjs';
import { Mail } from './events.mjs';
import { begin, results, rowsAbout } from './scene.mjs';

const mail = new Mail(`feed-${Date.now()}`);

describe('the feed page', () => {
  let demo, browser, watch, end, page, ingest;

  before(async () => {
    ({ demo, browser, watch, page, end } = await begin());
    ingest = await demo.key('ingest');
  });
  after(() => end?.());

  const feedRequests = () => watch.feedRequests;
  const rows = (p = page) => p.locator('li[data-id]');
  const about = (subject, p = page) => rowsAbout(p, subject);
  const spoken = (sentence, p = page) => p.getByRole('listitem', { name: sentence });
  const word = (p = page) => p.getByRole('status').first().innerText();
  const live = (p = page) =>
    eventually('the socket is live', async () => (await word(p)) === 'Live');

  const send = (...given) => mail.send(...given);
  const open = (...given) => mail.open(...given);

  it('asks who is there', async () => {
    await page.goto(demo.origin);
    await page.getByRole('heading', { name: 'Sign in to Tidings' }).waitFor();
    await page.getByLabel('Key').fill('tid_nobody');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('This key isn’t known here').waitFor();
    assert.deepEqual(await violations(page), []);
  });

  it('signs in by link, once, and keeps no token in the address', async () => {
    await page.goto(demo.link);
    await rows().first().waitFor();
    assert.equal(page.url(), `${demo.origin}/`);
    const other = await watch.page(browser);
    await other.goto(demo.link);
    await other.getByText('has been used or is too old').waitFor();
    await other.context().close();
  });

  it('signs in by key and out again', async () => {
    const other = await watch.page(browser);
    await other.goto(`${demo.origin}/?q=subject%3Ae2e`);
    await other.getByLabel('Key').fill(await demo.key('read'));
    await other.keyboard.press('Enter');
    await other.getByRole('link', { name: 'Settings' }).first().waitFor();
    assert.equal(
      await other.getByRole('combobox', { name: 'Search or ask' }).inputValue(),
      'subject:e2e',
    );
    await other.getByRole('link', { name: 'Settings' }).first().click();
    await other.getByRole('button', { name: 'Sign out' }).click();
    await other.getByRole('heading', { name: 'Sign in to Tidings' }).waitFor();
    await other.reload();
    await other.getByRole('heading', { name: 'Sign in to Tidings' }).waitFor();
    await other.context().close();
  });

  it('shows the history newest first, page after page, each event once', async () => {
    const seen = new Map();
    await eventually('more than two pages', async () => {
      const now = await rows().evaluateAll((list) =>
        list.map((row) => [row.dataset.id, row.querySelector('time').dateTime]),
      );
      for (const [id, time] of now) seen.set(id, time);
      await page.locator('.scroller').evaluate((list) => (list.scrollTop += 600));
      return seen.size > 120;
    });
    const shown = [...seen];
    // Within a second, what comes of something stands above it: see the unit tests of rows.
    const sorted = shown.toSorted(([, at], [, bt]) => bt.localeCompare(at));
    assert.deepEqual(shown, sorted);
    assert.ok(feedRequests() >= 2, 'one page only');
    assert.ok((await rows().count()) < 80, 'every row is in the document');
    await page.keyboard.press('Home');
    await live();
  });

  it('shows an event without a reload, and its state as it moves', async () => {
    await page.evaluate(() => (window.e2eMark = true));
    await demo.post(ingest, send('Live one', 'Tom', 'Raj'));
    await about('Live one').first().waitFor();
    await eventually('nobody has opened', async () =>
      (await about('Live one').first().innerText()).includes('2 of 2 haven’t opened: Tom, Raj'),
    );
    await demo.post(ingest, open('Live one', 'Tom'));
    await eventually('one has opened', async () =>
      (await spoken('sent Live one').innerText()).includes('1 of 2 hasn’t opened: Raj'),
    );
    await spoken('Tom opened Live one').waitFor();
    assert.ok(await page.evaluate(() => window.e2eMark), 'the page was loaded again');
  });

  it('moves nothing under a reader, and counts what waits', async () => {
    const list = page.locator('.scroller');
    await list.evaluate((list) => (list.scrollTop = 400));
    await eventually('paused', async () => (await word()) === 'Paused');
    // Whatever stands in the middle, and where.
    const at = () =>
      page.evaluate(() => {
        const row = [...document.querySelectorAll('li[data-id]')].find(
          (one) => one.getBoundingClientRect().bottom > 500,
        );
        return [row.dataset.id, row.getBoundingClientRect().top];
      });
    const before = await at();
    await demo.post(ingest, send('Waits', 'Tom'), open('Waits', 'Tom'));
    await page.getByRole('button', { name: '2 new' }).waitFor();
    assert.deepEqual(await at(), before);
    await page.keyboard.press('n');
    await about('Waits').nth(1).waitFor();
    assert.equal(await list.evaluate((list) => list.scrollTop), 0);
    await live();
  });

  it('resumes after a restart with no gap, no repeat and no page read anew', async () => {
    await demo.post(ingest, send('Before the restart', 'Tom'));
    await about('Before the restart').waitFor();
    const asked = watch.feedRequests;
    assert.equal(await demo.stop(), 0, 'exit code');
    await eventually('the loss is shown', async () => (await word()) === 'Retrying');
    await demo.start();
    await demo.post(ingest, send('After the restart', 'Tom'), open('Before the restart', 'Tom'));
    await live();
    await about('After the restart').waitFor();
    await spoken('Tom opened Before the restart').waitFor();
    await demo.post(ingest, send('Once more', 'Tom'));
    await about('Once more').waitFor();
    for (const [text, count] of [
      ['Before the restart', 2],
      ['After the restart', 1],
      ['Once more', 1],
    ]) {
      assert.equal(await about(text).count(), count, text);
    }
    assert.equal(watch.feedRequests, asked, 'a page was read again');
    assert.ok(await page.evaluate(() => window.e2eMark), 'the page was loaded again');
  });

  it('keeps the search and the types in the address, and goes back', async () => {
    await page.keyboard.press('/');
    await page.keyboard.type('subject:"live one"');
    await page.keyboard.press('Enter');
    await eventually('two events', async () => (await rows().count()) === 2);
    await page.getByRole('button', { name: 'Opens' }).click();
    await eventually('one event', async () => (await rows().count()) === 1);
    assert.equal(new URL(page.url()).search, '?q=subject%3A%22live+one%22&type=open');
    await demo.post(ingest, open('Live one', 'Raj'), send('Another', 'Tom'));
    await eventually('the other open', async () => (await rows().count()) === 2);
    assert.equal(await about('Another').count(), 0);
    await page.goBack();
    await eventually('sends and opens', async () => (await rows().count()) === 3);
    await page.goBack();
    await about('Another').waitFor();
    assert.equal(await page.getByRole('combobox', { name: 'Search or ask' }).inputValue(), '');
  });

  it('opens a message by keyboard', async () => {
    await page.keyboard.press('j');
    const row = page.locator('li[data-id]:focus');
    await row.waitFor();
    await page.keyboard.press('Enter');
    const panel = page.getByRole('complementary', { name: 'Message' });
    await panel.getByRole('heading', { name: 'Timeline' }).waitFor();
    assert.ok((await panel.locator('tbody tr').count()) > 0);
    await page.keyboard.press('Escape');
    await panel.waitFor({ state: 'detached' });
    await row.waitFor();
    await page.keyboard.press('Escape');
  });

  it('stops and goes on when the reader says so', async () => {
    await live();
    await page.keyboard.press('Space');
    await eventually('paused', async () => (await word()) === 'Paused');
    await demo.post(ingest, send('While paused', 'Tom'));
    await page.getByRole('button', { name: '1 new' }).waitFor();
    assert.equal(await about('While paused').count(), 0);
    await page.keyboard.press('Space');
    await about('While paused').waitFor();
    await live();
  });

  it('keeps the search when the session has ended', async () => {
    const { storageState } = await session();
    const other = await watch.page(browser, { storageState });
    await other.goto(`${demo.origin}/?q=subject%3A%22live+one%22`);
    await rows(other).first().waitFor();
    await other.context().clearCookies();
    await other.getByRole('button', { name: 'Opens' }).click();
    await other.getByText('You were signed out').waitFor();
    await other.getByLabel('Key').fill(await demo.key('read'));
    await other.keyboard.press('Enter');
    await eventually('the two opens', async () => (await rows(other).count()) === 2);
    assert.equal(new URL(other.url()).search, '?q=subject%3A%22live+one%22&type=open');
    await other.context().close();
  });

  it('is accessible and looks right in both themes, wide and narrow', async () => {
    const { storageState } = await session();
    for (const screen of looks) {
      const other = await watch.page(browser, { storageState, ...screen });
      await other.goto(demo.origin);
      await look(other, `${results}feed-${suffix(screen)}`, () => rows(other).first().waitFor());
      await look(other, `${results}message-${suffix(screen)}`, async () => {
        await rows(other).first().click();
        await other.getByRole('heading', { name: 'Timeline' }).waitFor();
      });
      await other.keyboard.press('Escape');
      await look(other, `${results}help-${suffix(screen)}`, async () => {
        await other.keyboard.press('?');
        await other.getByRole('dialog').waitFor();
      });
      await other.keyboard.press('Escape');
      await look(other, `${results}search-${suffix(screen)}`, async () => {
        await other.getByRole('combobox', { name: 'Search or ask' }).fill('is:unopened type:send');
        await other.keyboard.press('Enter');
        await eventually('the address', () => other.url().includes('q='));
      });
      await look(other, `${results}nothing-${suffix(screen)}`, async () => {
        await other.getByRole('combobox', { name: 'Search or ask' }).fill('"never said by anyone"');
        await other.keyboard.press('Enter');
        await other.getByRole('heading', { name: 'No events match' }).waitFor();
      });
      await other.context().close();
    }
  });

  const session = async () => ({ storageState: await page.context().storageState() });

  it('asked nothing wrong and no other host, broke no policy and threw nothing', () =>
    harmless(watch));
});
