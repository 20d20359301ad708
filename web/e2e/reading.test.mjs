// How the feed and the statistics read: by keyboard, by ear, on small and large
// screens, slowly, and where something fails.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually, harmless, look } from './browser.mjs';
import { Mail } from './events.mjs';
import { begin, results, rowsAbout, signIn } from './scene.mjs';

const number = (text) => Number(text.replace(/\D/g, ''));

describe('reading', () => {
  const mail = new Mail(`reading-${Date.now()}`);
  let demo, browser, watch, end, page, ingest, admin, storageState;

  before(async () => {
    ({ demo, browser, watch, page, end } = await begin());
    [ingest, admin] = [await demo.key('ingest'), await demo.key('admin')];
    storageState = await signIn(demo, page);
    await rows().first().waitFor();
  });
  after(() => end?.());

  const open = (options) => watch.page(browser, options);
  const rows = (p = page) => p.locator('li[data-id]');
  const about = (subject, p = page) => rowsAbout(p, subject);
  const search = (p = page) => p.getByRole('combobox', { name: 'Search or ask' });
  const panel = () => page.getByRole('complementary', { name: 'Message' });
  const focusIsOn = (position, p = page) =>
    eventually(`row ${position} has the focus`, () =>
      p.evaluate((at) => document.activeElement?.ariaPosInSet === at, position),
    );
  const query = (p = page) => new URL(p.url()).searchParams;
  /** toggleAutomated presses A, and waits until the rows are those of what is asked then. */
  const toggleAutomated = async (automated) => {
    const answered = page.waitForResponse((response) => {
      const { pathname, searchParams } = new URL(response.url());
      return (
        response.ok() &&
        pathname === '/v1/feed' &&
        !searchParams.has('cursor') &&
        searchParams.get('automated') === automated
      );
    });
    await page.keyboard.press('a');
    await answered;
    await eventually(`automated: ${automated}`, async () => {
      const busy = await page.getByRole('region', { name: 'Activity' }).getAttribute('aria-busy');
      return query().get('automated') === automated && busy === 'false';
    });
  };
  const stats = (params) =>
    demo.get(admin, `/v1/stats?${new URLSearchParams({ tz: 'Europe/Berlin', ...params })}`);
  const dayOf = (time) => new Date(time).toLocaleDateString('en-CA', { timeZone: 'Europe/Berlin' });

  it('counts the events of each day', async () => {
    await page.goto(demo.origin);
    const heads = page.getByRole('heading', { level: 2, name: /^(Today|Yesterday|\w+day)$/ });
    await demo.post(ingest, mail.send('Counted', 'Tom'));
    await about('Counted').waitFor();
    const since = String(Math.floor(Date.now() / 1000) - 40 * 86_400);
    const expected = async () => {
      const { series } = await stats({ since, interval: 'day', fields: 'series' });
      return new Map(series.points.map(({ start, events }) => [dayOf(start), events]));
    };
    const dayAt = async (n) => {
      const time = await page.evaluate((n) => {
        const head = [...document.querySelectorAll('li:has(h2)')][n];
        return head?.nextElementSibling?.querySelector('time')?.dateTime;
      }, n);
      return dayOf(time);
    };
    const told = (n) => heads.nth(n).locator('xpath=..').innerText();
    await eventually('today is counted', async () => {
      const events = (await expected()).get(await dayAt(0));
      return (await told(0)).includes(`${events.toLocaleString('en')} event`);
    });
    await demo.post(ingest, mail.open('Counted', 'Tom'));
    await eventually('and counted again', async () => {
      const events = (await expected()).get(await dayAt(0));
      return (await told(0)).includes(`${events.toLocaleString('en')} event`);
    });
    await page.keyboard.press('j');
    for (let i = 0; i < 9; i++) await page.keyboard.press(']');
    await eventually('a day beyond the last seven is counted', async () => {
      const events = (await expected()).get(await dayAt(0));
      return (await told(0)).includes(`${events.toLocaleString('en')} event`);
    });
    await page.keyboard.press('Escape');
    await page.keyboard.press('Home');
  });

  it('counts what saved searches find, and shares one with a colleague', async () => {
    await search().fill('type:click');
    await search().press('Enter');
    await page.getByRole('button', { name: 'Save search' }).click();
    await page.getByLabel('Name').fill('Every click');
    await page.getByRole('checkbox').check();
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    const link = page.getByRole('link', { name: /^Every click/ });
    const since = String(Math.floor(Date.now() / 1000) - 7 * 86_400);
    const { totals } = await stats({ q: 'type:click', since, fields: 'totals' });
    await eventually('the clicks of seven days', async () =>
      (await link.innerText()).includes(totals.events.toLocaleString('en')),
    );
    const other = await open();
    await other.goto(demo.origin);
    await other.getByLabel('Key').fill(await demo.key('read'));
    await other.keyboard.press('Enter');
    await other.getByRole('link', { name: /^Every click/ }).click();
    await eventually('the same search', () => query(other).get('q') === 'type:click');
    await other.goto(`${demo.origin}/settings`);
    await other
      .getByRole('row', { name: /Every click/ })
      .getByText('Everyone')
      .waitFor();
    assert.equal(await other.getByRole('button', { name: 'Remove Every click' }).count(), 0);
    await other.context().close();
    await page.goto(demo.origin);
  });

  it('asks about a time long ago, and is refused nothing', async () => {
    const day = (ago) => dayOf(Date.now() - ago * 86_400_000);
    for (const q of [`before:${day(28)}`, `on:${day(50)} type:open`, 'since:2015-01-01']) {
      await page.goto(`${demo.origin}/?q=${encodeURIComponent(q)}`);
      await page.locator('.strip').waitFor();
      const { totals } = await stats({ q, fields: 'totals' });
      const all = page.getByRole('button', { name: /^All/ });
      await eventually(`all of ${q}`, async () => number(await all.innerText()) === totals.events);
      await page.getByText('vs the time before').waitFor();
      await page.goto(`${demo.origin}/stats?q=${encodeURIComponent(q)}`);
      await page.locator('canvas').waitFor();
      const figures = page.getByRole('region', { name: 'Figures' });
      const sends = (totals.types.send ?? 0).toLocaleString('en');
      await figures.getByText(sends, { exact: true }).first().waitFor();
    }
    await page.goto(demo.origin);
  });

  it('completes on a small screen, also where the answer takes its time', async () => {
    const other = await open({ storageState, viewport: { width: 390, height: 844 } });
    let answer;
    const held = new Promise((resolve) => (answer = resolve));
    await other.route('**/v1/suggest*', async (route) => {
      await held;
      // The page asks anew with each key, and hangs up on the question before.
      await route.continue().catch(() => {});
    });
    await other.goto(demo.origin);
    await rows(other).first().waitFor();
    await search(other).click();
    await search(other).pressSequentially('pri');
    answer();
    const option = other.getByRole('option', { name: /pricing/ }).first();
    await option.waitFor();
    const box = await option.boundingBox();
    assert.ok(box.x >= 0 && box.x + box.width <= 390, `the list is at ${box.x}`);
    const top = await other.evaluate(
      ([x, y]) => document.elementFromPoint(x, y)?.closest('[role=option]') !== null,
      [box.x + 20, box.y + box.height / 2],
    );
    assert.ok(top, 'something covers the list');
    await look(other, `${results}completions-390`, () => option.waitFor());
    await option.click();
    await eventually('it is completed', async () => /pric/.test(await search(other).inputValue()));
    await other.context().close();
  });

  it('walks from message to message, and gives each a link', async () => {
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.goto(`${demo.origin}/?type=send`);
    await rows().first().waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    const head = panel().getByRole('heading', { level: 2 }).first();
    await head.waitFor();
    const first = query().get('open');
    await page.keyboard.press('j');
    await eventually('the next message', () => query().get('open') !== first);
    const second = query().get('open');
    await page.keyboard.press('k');
    await eventually('the one before', () => query().get('open') === first);
    await panel().getByRole('button', { name: 'Next event' }).click();
    await eventually('the next again', () => query().get('open') === second);
    await panel().getByRole('button', { name: 'Copy link' }).click();
    await panel().getByRole('button', { name: 'Link copied' }).waitFor();
    const link = await page.evaluate(() => navigator.clipboard.readText());
    const subject = await head.innerText();
    const other = await open({ storageState });
    await other.goto(link);
    await other.getByRole('complementary').getByRole('heading', { name: subject }).waitFor();
    await other.context().close();
    await page.keyboard.press('Escape');
    await panel().waitFor({ state: 'detached' });
    await page.goto(demo.origin);
  });

  it('waits while text is marked', async () => {
    await rows().first().waitFor();
    await eventually('live', async () =>
      /Live/.test(await page.getByRole('status').first().innerText()),
    );
    const what = rows().first().locator('.what');
    await what.evaluate((node) => getSelection().selectAllChildren(node));
    await demo.post(ingest, mail.send('While marking', 'Tom'));
    await page.getByRole('button', { name: '1 new' }).waitFor();
    assert.equal(await about('While marking').count(), 0);
    await page.evaluate(() => getSelection().removeAllRanges());
    await page.keyboard.press('n');
    await about('While marking').waitFor();
  });

  it('shows its keys, and acts on them', async () => {
    await page.keyboard.press('?');
    const help = page.getByRole('dialog', { name: 'Keyboard' });
    await help.getByText('Pause or resume').waitFor();
    await page.keyboard.press('Escape');
    await help.waitFor({ state: 'detached' });
    await toggleAutomated('show');
    await toggleAutomated(null);
    await page.keyboard.press('j');
    await focusIsOn('1');
    await page.keyboard.press('j');
    await focusIsOn('2');
    await page.keyboard.press('k');
    await focusIsOn('1');
    await page.keyboard.press('Escape');
  });

  /** holdMeasurements has the browser measure nothing until measure is called, as a busy one does late: rows are drawn then. */
  const holdMeasurements = (p) =>
    p.addInitScript(() => {
      let measure;
      const measuring = new Promise((may) => (measure = may));
      window.measure = measure;
      window.ResizeObserver = class extends ResizeObserver {
        constructor(each) {
          super((...seen) => void measuring.then(() => each(...seen)));
        }
      };
    });

  it('takes keys before its rows are on the screen', async () => {
    const other = await open({ storageState });
    await holdMeasurements(other);
    await other.goto(demo.origin);
    await other.locator('[aria-label=Activity][aria-busy=false]').waitFor({ state: 'attached' });
    assert.equal(await rows(other).count(), 0);
    await other.keyboard.press('j');
    await other.keyboard.press('j');
    await other.evaluate(() => window.measure());
    await focusIsOn('2', other);
    await other.keyboard.press('k');
    await focusIsOn('1', other);
    await other.context().close();
  });

  it('takes a key for a row that is repeated before it is on the screen', async () => {
    const subject = 'Read again and again';
    const post = (...events) => demo.post(ingest, ...events);
    await post(mail.send(subject, 'Tom'), mail.open(subject, 'Tom'));
    const other = await open({ storageState });
    await holdMeasurements(other);
    await eventually('all is indexed', async () => (await demo.waiting()) === 0);
    await other.goto(
      `${demo.origin}/?${new URLSearchParams({ q: `subject:"${subject}" type:open` })}`,
    );
    await other.locator('[aria-label=Activity][aria-busy=false]').waitFor({ state: 'attached' });
    await other.getByText('Live', { exact: true }).waitFor();
    await other.keyboard.press('j');
    const again = mail.open(subject, 'Tom');
    await post({ ...again, id: `${again.id}-again` });
    const aloud = other.locator('[aria-live=polite]', { hasText: /new event/ });
    await aloud.waitFor({ state: 'attached' });
    await other.evaluate(() => window.measure());
    await eventually('it is one row', async () => (await rows(other).count()) === 1);
    await focusIsOn('1', other);
    await other.context().close();
  });

  it('goes to a day further down with the focus', async () => {
    const other = await open({ storageState });
    await other.goto(demo.origin);
    await rows(other).first().waitFor();
    const scroll = (down) =>
      other.locator('.scroller').evaluate((list, end) => {
        list.scrollTop = end ? list.scrollHeight : 0;
      }, down);
    await eventually('several days are read', async () => {
      await scroll(true);
      const last = await rows(other).last().getAttribute('aria-posinset');
      return Number(last) > 900;
    });
    await scroll(false);
    await other.keyboard.press('j');
    await focusIsOn('1', other);
    const at = () => other.evaluate(() => Number(document.activeElement?.ariaPosInSet));
    for (let day = 0; day < 3; day++) {
      const before = await at();
      await other.keyboard.press(']');
      await eventually('a row of the day before has the focus', async () => (await at()) > before);
    }
    assert.ok((await at()) > 100, 'all of these days were on one screen');
    await other.context().close();
  });

  it('rests once a key was taken beside a panel that covers the list', async () => {
    const other = await open({ storageState, viewport: { width: 390, height: 844 } });
    await other.addInitScript(() => {
      const ask = window.requestAnimationFrame.bind(window);
      window.frames_ = 0;
      window.requestAnimationFrame = (then) => {
        window.frames_++;
        return ask(then);
      };
    });
    await other.goto(demo.origin);
    await rows(other).first().click();
    const shown = other.getByRole('complementary', { name: 'Message' });
    await shown.waitFor();
    await other.keyboard.press('j');
    await eventually('no frame is asked for', () =>
      other.evaluate(async () => {
        const before = window.frames_;
        await new Promise((resolve) => setTimeout(resolve, 500));
        return window.frames_ === before;
      }),
    );
    await other.context().close();
  });

  it('opens the events of an hour, of another period, and compares', async () => {
    await page.goto(`${demo.origin}/stats`);
    await page.locator('canvas').waitFor();
    await page
      .getByRole('button', { name: 'Choose a time' })
      .or(page.locator('.text'))
      .first()
      .click();
    await page.getByRole('button', { name: 'Last 12 weeks' }).click();
    await eventually('twelve weeks', () => query().get('period') === '84d');
    await page.getByRole('button', { name: 'The time before', exact: true }).click();
    await eventually('the twelve before', () => /\.\./.test(query().get('period')));
    await page.getByRole('button', { name: 'The time after' }).click();
    await eventually('back', () => query().get('period') === '84d');
    await page.getByRole('button', { name: 'Week', exact: true }).click();
    await page.getByRole('heading', { name: 'Activity per week' }).waitFor();
    assert.match(await page.getByRole('region', { name: 'Figures' }).innerText(), /%/);

    await page.goto(`${demo.origin}/stats`);
    const cells = page.getByRole('table', { name: 'Opens by weekday and hour' }).getByRole('link');
    await cells.first().waitFor();
    const peak = page.locator('td.peak a');
    const count = number(await peak.innerText());
    await peak.focus();
    await page.keyboard.press('ArrowRight');
    assert.notEqual(await page.evaluate(() => document.activeElement.dataset.at), undefined);
    await peak.click();
    await rows().first().waitFor();
    assert.equal(query().get('type'), 'open');
    const q = query().get('q');
    const { totals } = await stats({ q, type: 'open', fields: 'totals' });
    assert.equal(totals.events, count);
    await eventually('the same number above the list', async () =>
      page
        .getByRole('button', { name: /^Opens/ })
        .innerText()
        .then((text) => number(text) === count),
    );
  });

  it('gives the rows of a search as CSV', async () => {
    const q = `type:reply before:${dayOf(Date.now() - 19 * 86_400_000)}`;
    await page.goto(`${demo.origin}/stats?q=${encodeURIComponent(q)}`);
    await page.locator('canvas').waitFor();
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'CSV' }).click(),
    ]);
    const chunks = await (await file.createReadStream()).toArray();
    const lines = Buffer.concat(chunks).toString().trim().split('\r\n');
    assert.match(lines[0], /^time,type,id,message,subject,/);
    const { totals } = await stats({ q, fields: 'totals' });
    assert.ok(totals.events > 0);
    assert.ok(lines.length - 1 >= totals.events, `${lines.length} lines`);
  });

  it('keeps people, teams and the start of the week', async () => {
    await page.goto(`${demo.origin}/settings`);
    const people = page.getByRole('region', { name: 'People', exact: true });
    await people.getByText('Add somebody who doesn’t sign in').click();
    await people.getByLabel('Id', { exact: true }).fill('u_zoe');
    await people.getByLabel('Name', { exact: true }).fill('Zoe Lind');
    await people.getByLabel('Own addresses').fill('zoe@harbourline.example, z@harbourline.example');
    await page.getByRole('button', { name: 'Save person' }).click();
    await page.getByText('Zoe Lind is saved').waitFor();
    const zoe = page.getByRole('list', { name: 'People' }).getByRole('listitem');
    const row = zoe.filter({ hasText: 'Zoe Lind' });
    await row.getByRole('button', { name: 'Edit Zoe Lind' }).click();
    await row.getByRole('group', { name: 'Teams' }).getByRole('checkbox').first().check();
    await row.getByRole('button', { name: 'Save', exact: true }).click();
    await eventually('she is in a team', async () => {
      const { items } = await demo.get(admin, '/v1/teams');
      return items.some(({ members }) => members.includes('u_zoe'));
    });
    await row.getByRole('button', { name: /^Remove Zoe/ }).click();
    await row.getByRole('button', { name: /^Remove for good/ }).click();
    await row.waitFor({ state: 'detached' });

    await page.getByLabel('Weeks start on').selectOption('sunday');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('Saved', { exact: true }).waitFor();
    await page.goto(`${demo.origin}/stats`);
    const days = page
      .getByRole('table', { name: 'Opens by weekday and hour' })
      .getByRole('rowheader');
    await eventually(
      'weeks start on Sunday',
      async () => (await days.first().innerText()) === 'Sun',
    );
    await page.goto(`${demo.origin}/settings`);
    await page.getByLabel('Weeks start on').selectOption('');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('Saved', { exact: true }).waitFor();
  });

  it('shows the shape of what is loading, and what to do when it fails', async () => {
    const other = await watch.page(browser, { storageState });
    let answer = null;
    await other.route('**/v1/feed*', async (route) => {
      await new Promise((done) => (answer = done));
      await route.fulfill({
        status: 503,
        contentType: 'application/problem+json',
        body: '{"title":"Service Unavailable","status":503,"detail":"the index is away"}',
      });
    });
    await other.goto(demo.origin);
    await other.locator('[aria-busy=true]').first().waitFor();
    await eventually('the skeleton', async () => (await other.locator('.bones').count()) > 0);
    answer();
    await other.getByRole('heading', { name: 'The feed couldn’t be read' }).waitFor();
    await other.getByText('New events still arrive and are kept').waitFor();
    await other.getByRole('alert').getByText('the index is away').waitFor();
    await look(other, `${results}failed-1280`, () => other.getByText('Copy details').waitFor());
    await other.unroute('**/v1/feed*');
    // The page also tries again by itself, and takes the button away.
    const shown = rows(other).first().waitFor();
    await Promise.any([other.getByRole('button', { name: 'Try again' }).click(), shown]);
    await shown;
    await other.context().close();
  });

  it('is a list with positions to those who hear it, and tells of new events', async () => {
    await page.goto(demo.origin);
    await rows().first().waitFor();
    const heard = await rows().evaluateAll((list) =>
      list.slice(0, 5).map((row) => [row.ariaPosInSet, row.ariaSetSize, row.ariaLabel]),
    );
    assert.deepEqual(
      heard.map(([position]) => position),
      ['1', '2', '3', '4', '5'],
    );
    for (const [, size, label] of heard) {
      assert.equal(size, '-1', 'how many there are is not known yet');
      assert.match(label, /\d{4}, \d\d:\d\d:\d\d$/, 'a sentence with its time');
    }
    const aloud = page.locator('[aria-live=polite]', { hasText: /new event/ });
    await demo.post(ingest, mail.send('Aloud', 'Tom'));
    await about('Aloud').waitFor();
    // How often it is told is in the unit tests of the announcer.
    await aloud.waitFor({ state: 'attached' });
  });

  it('writes times as the reader’s English does', async () => {
    const other = await open({ storageState, locale: 'en-US' });
    await other.goto(demo.origin);
    await rows(other).first().waitFor();
    const time = await rows(other).first().locator('time').first().getAttribute('title');
    assert.match(time, /\d{1,2}:\d\d:\d\d [AP]M$/);
    await other.context().close();
  });

  it('stands still where motion is to be reduced', async () => {
    const other = await open({ storageState, reducedMotion: 'reduce' });
    await other.goto(demo.origin);
    await rows(other).first().waitFor();
    await demo.post(ingest, mail.send('Without motion', 'Tom'));
    await about('Without motion', other).click();
    await other.getByRole('heading', { name: 'Timeline' }).waitFor();
    const moving = await other.evaluate(() =>
      document
        .getAnimations()
        .filter((one) => one.effect.getComputedTiming().duration > 1)
        .map((one) => `${one.animationName ?? one.transitionProperty}`),
    );
    assert.deepEqual(moving, []);
    await other.context().close();
  });

  it('fills a large screen and fits a small one', async () => {
    for (const [width, height] of [
      [2560, 1440],
      [1024, 768],
      [720, 1000],
    ]) {
      const other = await open({ storageState, viewport: { width, height } });
      for (const path of ['/', '/stats', '/settings']) {
        await other.goto(demo.origin + path);
        const name = path.slice(1) || 'feed';
        await look(other, `${results}${name}-light-${width}`, () =>
          path === '/'
            ? rows(other).first().waitFor()
            : path === '/stats'
              ? other.locator('canvas').waitFor()
              : other.getByRole('heading', { name: 'Sources' }).waitFor(),
        );
      }
      await other.context().close();
    }
  });

  it('asked nothing wrong and no other host, broke no policy and threw nothing', () =>
    harmless(watch));
});
