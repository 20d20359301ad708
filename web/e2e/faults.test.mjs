import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually, harmless, look, looks, suffix, violations } from './browser.mjs';
import { Mail } from './events.mjs';
import { begin, results, signIn } from './scene.mjs';

/** meeting names cells of rows that lie over each other, or whose text runs into the next. */
function meeting(selector) {
  const found = [];
  for (const row of document.querySelectorAll(selector)) {
    const cells = [...row.children]
      .filter((e) => e.checkVisibility() && getComputedStyle(e).position !== 'absolute')
      .map((e) => [e, e.getBoundingClientRect()])
      .filter(([, box]) => box.width > 1);
    const said = (e) => e.textContent.trim().slice(0, 40);
    for (const [i, [cell, box]] of cells.entries()) {
      // A button that is laid over a cell is larger than it.
      const laid = [...cell.children].some((e) => getComputedStyle(e).position === 'absolute');
      const shown = getComputedStyle(cell).overflowX === 'visible' && cell.clientWidth > 0;
      if (shown && !laid && cell.scrollWidth > cell.clientWidth + 1)
        found.push(`${said(cell)} runs over`);
      for (const [next, other] of cells.slice(i + 1))
        if (
          Math.min(box.right, other.right) - Math.max(box.left, other.left) > 0.5 &&
          Math.min(box.bottom, other.bottom) - Math.max(box.top, other.top) > 0.5
        )
          found.push(`${said(cell)} | ${said(next)}`);
    }
  }
  return found.slice(0, 5);
}

describe('what was wrong', () => {
  const mail = new Mail(`faults-${Date.now()}`);
  let demo, browser, watch, end, page, ingest, storageState;

  before(async () => {
    ({ demo, browser, watch, page, end } = await begin('1'));
    ingest = await demo.key('ingest');
    storageState = await signIn(demo, page);
    await rows().first().waitFor();
  });
  after(() => end?.());

  const rows = (p = page) => p.locator('li[data-id]');
  const search = (p = page) => p.getByRole('combobox', { name: 'Search or ask' });
  const chips = (p = page) => p.locator('[data-chip]');
  const home = async () => {
    await page.goto(`${demo.origin}/`);
    await rows().first().waitFor();
  };

  async function me() {
    return page.evaluate(async () => (await (await fetch('/v1/session')).json()).user.id);
  }

  it('marks what happens to one’s own mail, and not what one does', async () => {
    const user = await me();
    await page.evaluate(() => {
      const key = Object.keys(localStorage).find((k) => k.startsWith('tidings.seen'));
      const owner = Object.keys(localStorage).find((k) => k.startsWith('tidings.zone'));
      localStorage.setItem(
        key ?? owner.replace('tidings.zone', 'tidings.seen'),
        new Date(Date.now() - 600_000).toISOString().replace(/\.\d+/, ''),
      );
    });
    await demo.post(
      ingest,
      { ...mail.send('Mine', 'Tom'), user },
      { ...mail.open('Mine', 'Tom'), user },
    );
    await page.goto(`${demo.origin}/?q=subject%3AMine`);
    await page.getByRole('listitem', { name: /Tom opened Mine/ }).waitFor();
    const marked = await rows().evaluateAll((list) =>
      list.map((row) => [row.ariaLabel.split(' ')[1], row.querySelector('.unseen') !== null]),
    );
    assert.deepEqual(marked, [
      ['opened', true],
      ['sent', false],
    ]);
  });

  it('keeps the rows when a filter is changed while offline, and asks once the line is back', async () => {
    await home();
    const before = await rows().first().getAttribute('data-id');
    await page.context().setOffline(true);
    await page.getByRole('button', { name: /^Opens/ }).click();
    await page.getByText('This search waits for the server').waitFor();
    assert.equal(await rows().first().getAttribute('data-id'), before);
    assert.equal(await page.getByText('couldn’t be read').count(), 0);
    await page.context().setOffline(false);
    await page.getByText('This search waits for the server').waitFor({ state: 'detached' });
    await eventually('opens alone', async () => {
      const told = await rows().evaluateAll((list) => list.map((row) => row.ariaLabel));
      return told.length > 0 && told.every((one) => / opened /.test(one));
    });
  });

  it('has words of their own for who bounced, complained or left, and nudges none of them', async () => {
    const bounce = mail.open('Came back', 'Raj', { type: 'bounce', bounce: { kind: 'hard' } });
    await demo.post(ingest, mail.send('Came back', 'Tom', 'Raj'), bounce);
    await page.goto(`${demo.origin}/?q=subject%3A%22Came+back%22&type=send`);
    await page.getByRole('listitem', { name: /1 of 2 hasn’t opened: Tom, 1 bounced/ }).waitFor();
    await demo.post(
      ingest,
      mail.open('Came back', 'Tom'),
      mail.send('Too much', 'Tom', 'Raj', 'Ida'),
      mail.open('Too much', 'Raj', { type: 'complaint' }),
      mail.open('Too much', 'Ida', { type: 'unsubscribe' }),
    );
    await page.getByRole('listitem', { name: /1 of 2 opened, 1 bounced/ }).waitFor();
    const who = encodeURIComponent('who hasn\'t opened subject:"Too much"');
    await page.goto(`${demo.origin}/?q=${who}`);
    await page
      .getByRole('listitem', {
        name: /1 of 3 hasn’t opened: Tom, 1 reported spam, 1 unsubscribed/,
      })
      .waitFor();
    await page.getByRole('button', { name: 'Copy 1 address' }).waitFor();
  });

  it('begins a new tab with the scope of the last', async () => {
    await home();
    await page.getByRole('radio', { name: 'Me', exact: true }).click();
    const other = await page.context().newPage();
    await other.goto(demo.origin);
    await other.getByRole('radio', { name: 'Me', exact: true, checked: true }).waitFor();
    assert.equal(new URL(other.url()).searchParams.get('scope'), 'me');
    // What an address asks is what it shows.
    await other.goto(`${demo.origin}/?q=type%3Areply`);
    await other.getByRole('radio', { name: 'Everyone', checked: true }).waitFor();
    await other.close();
    await page.getByRole('radio', { name: 'Everyone' }).click();
  });

  it('replaces no saved search of the same name without a word', async () => {
    const save = async (q) => {
      await search().fill(q);
      await search().press('Enter');
      await page.getByRole('button', { name: 'Save search' }).click();
      await page.getByLabel('Name').fill('Weekly');
    };
    await home();
    await save('type:reply');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('link', { name: 'Weekly' }).waitFor();
    await save('type:bounce');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('You have a search of this name').waitFor();
    const saved = async () =>
      page.evaluate(async () => (await (await fetch('/v1/searches')).json()).items);
    assert.deepEqual(
      (await saved()).map(({ q }) => q),
      ['type:reply'],
    );
    await page.getByRole('button', { name: 'Replace' }).click();
    await eventually('it is replaced', async () => (await saved())[0].q === 'type:bounce');
    const phone = await watch.page(browser, {
      storageState,
      viewport: { width: 390, height: 844 },
    });
    await phone.goto(demo.origin);
    await phone.getByRole('link', { name: 'Weekly' }).click();
    await eventually('the saved search', () => /type%3Abounce/.test(phone.url()));
    await look(phone, `${results}faults-saved-390`, () => rows(phone).first().waitFor());
    await phone.context().close();
  });

  it('says shown of what is shown', async () => {
    await page.goto(`${demo.origin}/?q=verdict%3Amachine`);
    await rows().first().waitFor();
    await page.getByText(/automated shown/).waitFor();
    assert.equal(await page.getByText(/automated hidden/).count(), 0);
  });

  it('names people in chips', async () => {
    await home();
    const id = await me();
    await page.goto(`${demo.origin}/?q=${encodeURIComponent(`from:${id}`)}`);
    await rows().first().waitFor();
    const told = await chips().first().innerText();
    assert.ok(!told.includes(id), told);
    // Who opened something is somebody outside, and stays what did it.
    await search().fill('opened by raj');
    await page.getByRole('option', { name: /@/ }).first().waitFor();
    const proposed = await page.getByRole('option').allInnerTexts();
    assert.ok(!proposed.some((one) => /^(from|to):/.test(one)), proposed.join());
    await search().press('Escape');
  });

  it('tells a page that is not there, and one that is not for the reader', async () => {
    const response = await page.goto(`${demo.origin}/nowhere`);
    assert.equal(response.status(), 404);
    await page.getByRole('heading', { name: 'Page not found' }).first().waitFor();
    assert.deepEqual(await violations(page), []);
    await page.getByRole('button', { name: 'Open the feed' }).click();
    await rows().first().waitFor();
    const other = await watch.page(browser);
    await other.goto(`${demo.origin}/dead-letters`);
    await other.getByLabel('Key').fill(await demo.key('read'));
    await other.keyboard.press('Enter');
    await other.getByRole('heading', { name: 'This page is for admins' }).first().waitFor();
    await other.context().close();
    watch.refused = watch.refused.filter((one) => !one.endsWith('/nowhere'));
  });

  it('switches single keys off', async () => {
    await home();
    await page.keyboard.press('?');
    await page.getByLabel(/Single keys do something/).uncheck();
    await page.keyboard.press('Escape');
    const dialog = page.getByRole('dialog');
    await dialog.waitFor({ state: 'detached' });
    await page.keyboard.press('a');
    await page.keyboard.press('?');
    assert.equal(await dialog.count(), 0);
    assert.equal(new URL(page.url()).searchParams.get('automated'), null);
    await page.reload();
    await rows().first().waitFor();
    await page.keyboard.press('ArrowDown');
    await page.locator('li[data-id]:focus').waitFor();
    await page.keyboard.press('?');
    assert.equal(await page.getByRole('dialog').count(), 0);
    await page.getByRole('button', { name: 'Keyboard help' }).first().click();
    await page.getByLabel(/Single keys do something/).check();
    await page.keyboard.press('Escape');
  });

  it('keeps cells apart at 1024 px and in 12-hour times', async () => {
    const viewport = { width: 1024, height: 768 };
    const other = await watch.page(browser, { storageState, viewport, locale: 'en-US' });
    await other.goto(demo.origin);
    await look(other, `${results}faults-1024-us`, () => rows(other).first().waitFor());
    assert.deepEqual(await other.evaluate(meeting, '.row, .strip'), []);
    await rows(other).first().click();
    await look(other, `${results}faults-1024-us-message`, () =>
      other.getByRole('heading', { name: 'Timeline' }).waitFor(),
    );
    assert.deepEqual(await other.evaluate(meeting, 'main tr'), []);
    await other.goto(`${demo.origin}/stats`);
    await other.getByRole('heading', { name: 'Top domains' }).waitFor();
    assert.deepEqual(await other.evaluate(meeting, 'main tr'), []);
    await other.context().close();
  });

  it('is accessible in forced colours, where selection and state stay visible', async () => {
    const other = await watch.page(browser, { storageState, forcedColors: 'active' });
    for (const path of [
      '/',
      '/stats',
      '/settings',
      '/dead-letters',
      '/people?who=nobody%40x.example',
    ]) {
      await other.goto(demo.origin + path);
      await other.getByRole('heading').first().waitFor();
      assert.deepEqual(await violations(other), [], path);
    }
    await other.goto(demo.origin);
    await rows(other).first().click();
    await other.getByRole('heading', { name: 'Timeline' }).waitFor();
    const outline = await other
      .locator('.row.selected')
      .evaluate((row) => getComputedStyle(row).outlineStyle);
    assert.equal(outline, 'solid');
    await other.screenshot({ path: `${results}faults-forced.png` });
    await other.context().close();
    watch.refused = watch.refused.filter((one) => !one.includes('/v1/people/nobody'));
  });

  it('leads from every name to the person, and from there to the company', async () => {
    await home();
    await demo.post(
      ingest,
      mail.send('To a person', 'Ida', 'Tom'),
      mail.open('To a person', 'Ida'),
    );
    const ida = page.getByRole('listitem', { name: /Ida opened To a person/ });
    await ida.getByRole('link', { name: 'Ida' }).click();
    await page.getByRole('heading', { name: 'Ida', exact: true }).waitFor();
    await page.getByText('ida@acme.example').first().waitFor();
    await page.getByRole('row', { name: /To a person.*Opened, no answer yet/ }).waitFor();
    await page.getByRole('heading', { name: 'Timeline' }).waitFor();
    for (const screen of looks) {
      const other = await watch.page(browser, { storageState, ...screen });
      for (const [name, path] of [
        ['person', '/people?who=ida%40acme.example'],
        ['company', '/companies?who=acme.example'],
      ]) {
        await other.goto(demo.origin + path);
        await look(other, `${results}${name}-${suffix(screen)}`, () =>
          other.getByRole('heading', { name: 'Timeline' }).waitFor(),
        );
      }
      await other.context().close();
    }
    await page.getByRole('link', { name: 'acme.example' }).click();
    await page.getByRole('heading', { name: 'acme.example', exact: true }).waitFor();
    await page.getByRole('link', { name: 'Tom' }).first().click();
    await page.getByRole('heading', { name: 'Tom', exact: true }).waitFor();
    await page.goBack();
    await page.getByRole('heading', { name: 'acme.example', exact: true }).waitFor();
  });

  it('answers a question above its rows, each number leading to what it counts', async () => {
    await demo.post(
      ingest,
      mail.send('Answered', 'Wes', 'Uma', 'Vic'),
      mail.open('Answered', 'Wes'),
    );
    const asked = `/?q=${encodeURIComponent("who hasn't opened subject:Answered")}`;
    const answer = (p) => p.getByRole('region', { name: 'Answer' });
    await page.goto(`${demo.origin}/?q=subject%3AAnswered`);
    await page.getByRole('listitem', { name: /Wes opened Answered/ }).waitFor();
    assert.equal(await answer(page).count(), 0, 'what is no question has no answer');
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.goto(demo.origin + asked);
    await answer(page)
      .getByText(/^2 people at 1 company haven’t opened 1 message/)
      .waitFor();
    await answer(page).getByRole('button', { name: 'Copy 2 addresses' }).click();
    await answer(page).getByRole('button', { name: 'Copied' }).waitFor();
    assert.equal(
      await page.evaluate(() => navigator.clipboard.readText()),
      'uma@acme.example, vic@acme.example',
    );
    for (const screen of looks) {
      const other = await watch.page(browser, { storageState, ...screen });
      await other.goto(demo.origin + asked);
      await look(other, `${results}answer-${suffix(screen)}`, async () => {
        await answer(other).getByRole('button', { name: 'Show 2 people' }).click();
        await answer(other).getByRole('link', { name: 'Uma' }).waitFor();
      });
      await other.context().close();
    }
    await answer(page).getByRole('button', { name: 'Show 2 people' }).click();
    const uma = answer(page).getByRole('listitem').filter({ hasText: 'Uma' }).last();
    await uma.getByText('Not opened').waitFor();
    await uma.getByRole('button', { name: '1 message' }).click();
    await answer(page)
      .getByText(/^1 person at 1 company hasn’t opened 1 message/)
      .waitFor();
    await page.getByRole('listitem', { name: /sent Answered/ }).waitFor();
    await answer(page).getByRole('link', { name: 'Uma' }).click();
    await page.getByRole('heading', { name: 'Uma', exact: true }).waitFor();
  });

  it('has a menu for each row, by mouse, by touch and by key', async () => {
    await page.goto(`${demo.origin}/?q=subject%3AAnswered&type=open`);
    const menu = (p) => p.getByRole('menu', { name: /Wes opened Answered/ });
    const wes = page.getByRole('listitem', { name: /Wes opened Answered/ });
    await wes.hover();
    await wes.getByRole('button', { name: 'More' }).click();
    await menu(page).getByRole('menuitem', { name: 'Copy address' }).click();
    await eventually('it is copied', async () => {
      const copied = await page.evaluate(() => navigator.clipboard.readText());
      return copied === 'wes@acme.example';
    });
    await menu(page).waitFor({ state: 'detached' });

    await page.keyboard.press('j');
    await page.keyboard.press('.');
    await menu(page).getByRole('menuitem', { name: 'Open the message' }).waitFor();
    await look(page, `${results}row-menu-1440`, async () => {});
    await page.keyboard.press('Escape');
    await menu(page).waitFor({ state: 'detached' });
    await page.locator('li[data-id]:focus').waitFor();
    await page.keyboard.press('.');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Wes', exact: true }).waitFor();

    const phone = await watch.page(browser, { storageState, ...looks[1], hasTouch: true });
    await phone.goto(`${demo.origin}/?q=subject%3AAnswered&type=open`);
    await phone.getByRole('button', { name: 'More' }).first().tap();
    await look(phone, `${results}row-menu-390`, () => menu(phone).waitFor());
    await menu(phone).getByRole('menuitem', { name: 'Open the message' }).tap();
    await phone.getByRole('heading', { name: 'Timeline' }).waitFor();
    await phone.context().close();
  });

  it('says that one of several opened, and marks nobody', async () => {
    const candidates = ['Wes', 'Uma', 'Vic'].map((name) => ({
      email: `${name.toLowerCase()}@acme.example`,
      name,
    }));
    await demo.post(
      ingest,
      mail.send('By one', 'Wes', 'Uma', 'Vic'),
      mail.open('By one', 'nobody', { recipient: undefined, candidates }),
    );
    await page.goto(`${demo.origin}/?q=subject%3A%22By+one%22`);
    await page
      .getByRole('listitem', { name: /^One of 3 recipients opened By one Wes, Uma or Vic/ })
      .click();
    const panel = page.getByRole('complementary', { name: 'Message' });
    await panel.getByText(/^Opened by one of 3 recipients\. It isn’t known by whom/).waitFor();
    await panel.getByText('3 of 3 haven’t opened').waitFor();
    await look(page, `${results}one-of-several`, async () => {});
  });

  it('asked nothing wrong and no other host, broke no policy and threw nothing', () =>
    harmless(watch));
});
