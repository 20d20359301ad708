import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { eventually, goTo, harmless, look, looks, suffix } from './browser.mjs';
import { Mail } from './events.mjs';
import { begin, results, rowsAbout, signIn } from './scene.mjs';

describe('the pages', () => {
  const mail = new Mail(`pages-${Date.now()}`);
  let demo, browser, watch, end, page, ingest, admin, storageState;

  before(async () => {
    ({ demo, browser, watch, page, end } = await begin());
    [ingest, admin] = [await demo.key('ingest'), await demo.key('admin')];
    storageState = await signIn(demo, page);
    await rows().first().waitFor();
  });
  after(() => end?.());

  const rows = (p = page) => p.locator('li[data-id]');
  const about = (subject, p = page) => rowsAbout(p, subject);
  const search = (p = page) => p.getByRole('combobox', { name: 'Search or ask' });
  const chips = (p = page) => p.locator('[data-chip]');
  const query = (p = page) => new URL(p.url()).searchParams;

  async function ask(text, p = page) {
    await search(p).fill(text);
    await search(p).press('Enter');
    await eventually(`the address asks ${text}`, () => (query(p).get('q') ?? '') === text);
  }

  it('reads a question as chips, which can be edited and removed', async () => {
    await ask('who hasn’t opened the pricing proposal since last monday');
    await eventually('chips', async () => (await chips().count()) >= 2);
    const told = await chips().allInnerTexts();
    assert.ok(
      told.some((chip) => /unopened/.test(chip)),
      told.join(),
    );
    assert.ok((await page.locator('.mirror mark').count()) >= 2, 'nothing is underlined');

    await ask('is:unopened since:2026-10-01');
    // The chip of the question before is there until this one is understood.
    await chips().filter({ hasText: '1 Oct' }).click();
    await page.getByRole('button', { name: '1st of the month' }).click();
    await eventually('another day', () => {
      const q = query().get('q');
      return /since:\d{4}-\d\d-01$/.test(q) && !q.includes('2026-10-01');
    });
    await page.getByRole('button', { name: 'Remove is unopened' }).click();
    await eventually('one chip', async () => (await chips().count()) === 1);
    assert.match(query().get('q'), /^since:\d{4}-\d\d-01$/);
  });

  it('completes what is typed, and remembers what was searched', async () => {
    await search().fill('is:repl');
    await page.getByRole('option', { name: 'replied' }).waitFor();
    await search().press('Tab');
    await eventually('it is completed', async () =>
      (await search().inputValue()).startsWith('is:replied'),
    );
    await search().fill('from:pri');
    await page
      .getByRole('option', { name: /Priya Nair/ })
      .first()
      .waitFor();
    await ask('subject:pricing');
    await search().fill('');
    await search().press('ArrowDown');
    await page.getByRole('option', { name: 'subject:pricing' }).click();
    await eventually('the search of before', () => query().get('q') === 'subject:pricing');
    await ask('');
  });

  it('shows my mail, my team’s or everyone’s', async () => {
    await page.getByRole('radio', { name: 'Me', exact: true }).click();
    await eventually('my mail', () => query().get('scope') === 'me');
    await eventually('only my sends', async () => {
      await page.getByRole('button', { name: /^Sends/ }).click();
      const who = await rows().locator('.who').allInnerTexts();
      return who.length > 0 && who.every((name) => name === 'You');
    });
    await page.getByRole('radio', { name: 'Team', exact: true }).click();
    await eventually('somebody else', async () =>
      (await rows().locator('.who').allInnerTexts()).some((name) => name !== 'You'),
    );
    await page.getByRole('radio', { name: 'Everyone' }).click();
    await page.getByRole('button', { name: /^All/ }).click();
    await eventually('no filter', () => page.url() === `${demo.origin}/`);
  });

  it('tells two readers of an open as it comes: in the row, the figures and the panel', async () => {
    const other = await watch.page(browser, { storageState });
    for (const p of [page, other]) {
      await p.goto(`${demo.origin}/?q=subject%3A%22Second+by+second%22`);
      await p.getByText('No events match').waitFor();
    }
    const people = ['Tom', 'Raj', 'Ida', 'Bo'];
    await demo.post(ingest, mail.send('Second by second', ...people));
    for (const p of [page, other]) {
      await about('Second by second', p).filter({ hasText: '4 of 4 haven’t opened' }).click();
      await p.getByRole('heading', { name: 'Timeline' }).waitFor();
    }
    const seen = (p, name, n) =>
      Promise.all([
        about('Second by second', p)
          .filter({ hasText: `${4 - n} of 4` })
          .waitFor(),
        p.locator('.strip b', { hasText: `${25 * n}%` }).waitFor(),
        p.getByRole('complementary', { name: 'Message' }).getByText(`${name} opened`).waitFor(),
      ]);
    const asked = watch.feedRequests;
    for (const [i, name] of people.slice(0, 3).entries()) {
      await demo.post(ingest, mail.open('Second by second', name));
      await Promise.all([seen(page, name, i + 1), seen(other, name, i + 1)]);
    }
    assert.equal(watch.feedRequests, asked, 'a page was read for what the socket tells');

    await demo.stop();
    await demo.start();
    await demo.post(ingest, mail.open('Second by second', 'Bo'));
    const path = `/v1/messages/${encodeURIComponent(mail.message('Second by second'))}`;
    for (const p of [page, other]) {
      await about('Second by second', p).filter({ hasText: 'Opened by all 4' }).waitFor();
      await p.getByRole('complementary', { name: 'Message' }).getByText('Bo opened').waitFor();
      const told = await p.getByRole('row', { name: /@acme/ }).count();
      const message = await demo.get(admin, path);
      assert.equal(told, message.recipients.length);
      assert.equal(message.unopened, 0);
    }
    await other.context().close();
    await page.goto(demo.origin);
  });

  it('folds repeats into one row and shows each of them', async () => {
    await demo.post(ingest, mail.send('Again and again', 'Tom'));
    const opens = [1, 2, 3, 4].map((n) =>
      mail.open('Again and again', 'Tom', { id: `again-${n}` }),
    );
    await demo.post(ingest, ...opens);
    const row = about('Again and again').filter({ hasText: 'opened' }).filter({ hasText: '× 4' });
    await row.waitFor();
    await row.getByRole('button', { name: '4 times, show each' }).click();
    await row.getByText('Show 2 earlier').click();
    await row.locator('[data-repeat]').nth(3).waitFor();
    assert.equal(await row.locator('[data-repeat]').count(), 4);
    await row.getByRole('button', { name: '4 times, show each' }).click();
  });

  it('hides what machines did, says how much, why, and takes a person’s word', async () => {
    await demo.post(ingest, mail.send('By a robot', 'Tom'));
    const client = { ip: '203.0.113.9', user_agent: 'Barracuda Sentinel (EE)', automated: true };
    await demo.post(ingest, mail.open('By a robot', 'Tom', { client }));
    await ask('subject:"By a robot"');
    const show = page.getByRole('button', { name: 'Show automated events' });
    await page.getByText('1 automated hidden').waitFor();
    await show.click();
    await about('By a robot').filter({ hasText: 'Automated' }).click();
    const panel = page.getByRole('complementary', { name: 'Message' });
    await panel.getByRole('heading', { name: 'Why is this open counted as automated?' }).waitFor();
    await panel.getByText('Barracuda Sentinel').waitFor();
    await panel.getByRole('button', { name: 'This was a person' }).click();
    await panel.getByRole('heading', { name: 'This open counts as a person’s' }).waitFor();
    await about('By a robot').filter({ hasText: 'opened' }).first().waitFor();
    await panel.getByRole('button', { name: 'Undo' }).click();
    await panel.getByRole('heading', { name: 'Why is this open counted as automated?' }).waitFor();
    await page.keyboard.press('Escape');
    await page.goto(demo.origin);
  });

  it('saves a search, offers it, and removes it', async () => {
    await ask('type:reply');
    await page.getByRole('button', { name: 'Save search' }).click();
    await page.getByLabel('Name').fill('All replies');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    const link = page.getByRole('link', { name: 'All replies' });
    await link.waitFor();
    await page.goto(demo.origin);
    await link.click();
    await eventually('the saved search', () => query().get('q') === 'type:reply');
    await page.goto(`${demo.origin}/settings`);
    await page.getByRole('button', { name: 'Remove All replies' }).click();
    await page.getByRole('button', { name: 'Remove for good All replies' }).click();
    await link.first().waitFor({ state: 'detached' });
  });

  it('counts, and opens the feed of a number', async () => {
    await page.goto(`${demo.origin}/stats`);
    await page.getByRole('heading', { name: 'Activity per day' }).waitFor();
    await page.locator('canvas').waitFor();
    const cell = page
      .getByRole('row', { name: /Ben Adeyemi/ })
      .getByRole('link', { name: /replies/ });
    const count = Number((await cell.innerText()).replace(/\D/g, ''));
    await cell.click();
    await rows().first().waitFor();
    assert.equal(query().get('type'), 'reply');
    const shown = async () =>
      Number((await page.getByRole('button', { name: /^All/ }).innerText()).replace(/\D/g, ''));
    await eventually('every one of them', async () => {
      await page.locator('.scroller').evaluate((list) => (list.scrollTop = list.scrollHeight));
      const all = (await page.getByText('That’s everything').count()) === 1;
      return all && Number(await rows().last().getAttribute('aria-posinset')) === count;
    });
    await eventually('the figures', async () => (await shown()) >= count);

    await page.goto(`${demo.origin}/stats?q=type%3Areply&period=7d`);
    const saved = async (role, name) => {
      const [file] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole(role, { name }).click(),
      ]);
      return file;
    };
    assert.equal((await saved('link', 'CSV')).suggestedFilename(), 'events.csv');
    await page.locator('canvas').waitFor();
    const figures = await saved('button', 'Figures');
    assert.match(figures.suggestedFilename(), /^figures-.*\.csv$/);
    const text = Buffer.concat(await (await figures.createReadStream()).toArray()).toString();
    assert.equal(text.match(/^per day,/gm).length, 7);
    const switched = page.getByRole('button', { name: 'Opens, the time before' });
    await switched.click();
    await eventually('no comparison', async () =>
      /false/.test(await switched.getAttribute('aria-pressed')),
    );
    await page.getByRole('button', { name: 'The time before', exact: true }).waitFor();
    await page.locator('.range .text').click();
    await page.getByRole('button', { name: 'Last month' }).click();
    await eventually('a month', () => /^\d{4}-\d\d$/.test(query().get('period')));
  });

  it('says the rates of people and of teams, each as the feed of theirs has them', async () => {
    await page.goto(`${demo.origin}/stats?period=30d`);
    const card = page.getByRole('region', { name: 'People', exact: true });
    await card.getByRole('button', { name: 'Rates', exact: true }).click();
    const rate = (name) => card.getByRole('row', { name }).getByRole('cell').nth(1);
    await eventually('a rate', async () => /^\d+%$/.test(await rate(/Ben Adeyemi/).innerText()));
    const [told, of] = [
      await rate(/Ben Adeyemi/).innerText(),
      await rate(/Ben Adeyemi/).getAttribute('title'),
    ];
    const took = (name, nth) => card.getByRole('row', { name }).getByRole('cell').nth(nth);
    assert.match(await took(/Ben Adeyemi/, 5).innerText(), /^\d+ (second|minute|hour|day)s?$/);
    assert.match(await took(/Ben Adeyemi/, 5).getAttribute('title'), /recipients answered$/);
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Figures' }).click(),
    ]);
    const text = Buffer.concat(await (await file.createReadStream()).toArray()).toString();
    const [head, all] = text.split('\r\n').map((line) => line.split(','));
    assert.match(all[head.indexOf('they_answer_seconds')], /^\d+$/);
    assert.match(text, /^rates of people,Ben Adeyemi,,.*,0\.\d{4},/m);
    await card.getByRole('button', { name: 'Rates of teams' }).click();
    await eventually('of a team', async () => /^\d+%$/.test(await rate(/Sales/).innerText()));
    // The figures above the tables are Ben's, where the search asks for Ben.
    await page.goto(`${demo.origin}/stats?period=30d&q=from%3Au_ben`);
    const figures = page.getByRole('region', { name: 'Figures' });
    await figures.getByText(told, { exact: true }).first().waitFor();
    await figures.getByText(`${of} delivered`).first().waitFor();
  });

  it('makes and revokes a key, and reads times in another zone', async () => {
    await page.goto(`${demo.origin}/settings`);
    await page.getByLabel('What it is for').fill('Mail server');
    await page.getByRole('button', { name: 'Make a key' }).click();
    await page.getByRole('status').locator('code').waitFor();
    const key = page
      .getByRole('list', { name: 'Keys' })
      .getByRole('listitem')
      .filter({ hasText: 'Mail server' });
    await key.getByText('may send events').waitFor();
    await key.getByRole('button', { name: /^Revoke/ }).click();
    await key.getByRole('button', { name: /^Revoke for good/ }).click();
    await key.waitFor({ state: 'detached' });

    await page.getByLabel('Time zone').selectOption('Pacific/Auckland');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('Saved', { exact: true }).waitFor();
    await page.goto(demo.origin);
    const time = rows().first().locator('time').first();
    const [instant, told] = [await time.getAttribute('datetime'), await time.getAttribute('title')];
    const there = new Date(instant).toLocaleTimeString('en-GB', { timeZone: 'Pacific/Auckland' });
    assert.ok(told.endsWith(there), `${told} is not ${there}`);
    await page.goto(`${demo.origin}/settings`);
    await page.getByLabel('Time zone').selectOption('');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('Saved', { exact: true }).waitFor();
  });

  it('goes everywhere by keyboard', async () => {
    await page.goto(demo.origin);
    await rows().first().waitFor();
    await goTo(page, 's', page.getByRole('heading', { name: 'Stats', exact: true }));
    await page.keyboard.press('Control+k');
    await page.keyboard.type('dead');
    await page.getByRole('option', { name: 'Dead letters' }).waitFor();
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Nothing failed for good' }).waitFor();
    await goTo(page, 'f', rows().first());
    await page.keyboard.press('j');
    const person = page.locator('li[data-id]:focus');
    await person.waitFor();
    await page.keyboard.press('m');
    await eventually('one message', () => query().get('q')?.startsWith('message:'));
  });

  it('says why nothing matches, and what would bring some back', async () => {
    await page.goto(demo.origin);
    await ask('type:reply before:2024-01-01');
    await page.getByText('outside this period').waitFor();
    await eventually('how many', async () =>
      /^\d+\soutside/.test(
        await page.getByRole('button', { name: /outside this period/ }).innerText(),
      ),
    );
    await page.getByRole('button', { name: /Search all time/ }).click();
    await rows().first().waitFor();
    assert.equal(query().get('q'), 'type:reply');
  });

  it('keeps the rows while the network is away, and catches up', async () => {
    await page.goto(demo.origin);
    await rows().first().waitFor();
    await page.context().setOffline(true);
    await page.getByText('Connection lost').waitFor();
    assert.ok((await rows().count()) > 0);
    await demo.post(ingest, mail.send('While away', 'Tom'));
    await page.context().setOffline(false);
    await about('While away').waitFor();
    await page.getByText('Connection lost').waitFor({ state: 'detached' });
  });

  it('is a part of another site’s page, for that site alone', async () => {
    const site = createServer((request, response) => {
      response.setHeader('Content-Type', 'text/html');
      response.end(bodies[request.url] ?? '');
    });
    site.listen(0, '127.0.0.1');
    await once(site, 'listening');
    const origin = `http://127.0.0.1:${site.address().port}`;
    const token = (origins) => demo.call(admin, 'POST', '/v1/embed-tokens', { origins });
    const good = await token([origin]);
    const bad = await token(['https://shop.example']);
    const frame = ({ path }) =>
      `<iframe width="800" height="600" src="${demo.origin}${path}"></iframe>`;
    const bodies = {
      '/good': frame(good),
      '/bad': frame(bad),
      '/own': `<ul id="list"></ul><script type="module">
        import { follow } from '${demo.origin}/tidings.js';
        follow({
          token: () => '${good.token}',
          event: ({ subject }) => list.append(Object.assign(document.createElement('li'), { textContent: subject })),
          status: (word) => (document.title = word),
        });
      </script>`,
    };
    const foreign = await browser.newPage();
    try {
      await foreign.goto(`${origin}/good`);
      const inside = foreign.frameLocator('iframe');
      await inside.locator('li[data-id]').first().waitFor();
      await demo.post(ingest, mail.send('Into the frame', 'Tom'));
      await inside.locator('li[data-id]', { hasText: 'Into the frame' }).waitFor();
      const address = foreign.frames()[1].url();
      assert.equal(address, `${demo.origin}/embed/feed`, 'the token stays in the address');

      await foreign.goto(`${origin}/own`);
      await eventually('the socket is open', async () => (await foreign.title()) === 'live');
      await demo.post(ingest, mail.send('Into the list', 'Tom'));
      await foreign.locator('li', { hasText: 'Into the list' }).waitFor();

      await foreign.goto(`${origin}/bad`);
      await eventually('the frame is refused', () =>
        foreign.frames()[1].url().startsWith('chrome-error'),
      );
    } finally {
      await foreign.close();
      site.close();
    }
  });

  it('is accessible and looks right in both themes, wide and narrow', async () => {
    for (const screen of looks) {
      const other = await watch.page(browser, { storageState, ...screen });
      const shot = (name, arrange) => look(other, `${results}${name}-${suffix(screen)}`, arrange);
      const at = (path, heading) => async () => {
        await other.goto(demo.origin + path);
        await other.getByRole('heading', { name: heading, exact: true }).first().waitFor();
      };
      await shot('stats', at('/stats', 'Top domains'));
      await shot('settings', at('/settings', 'Keys'));
      await shot('dead-letters', at('/dead-letters', 'Nothing failed for good'));
      await shot('palette', async () => {
        await other.goto(demo.origin);
        await rows(other).first().waitFor();
        await other.keyboard.press('Control+k');
        await other.getByRole('option', { name: 'Settings' }).waitFor();
      });
      await other.keyboard.press('Escape');
      await shot('edit-chip', async () => {
        await ask('is:unopened since:2026-10-01 pricing', other);
        await chips(other).filter({ hasText: 'since' }).click();
        await other.getByRole('button', { name: 'Start of the week' }).waitFor();
      });
      await other.context().close();
    }
  });

  it('stays within its budgets', async () => {
    const other = await watch.page(browser, { storageState });
    const sizes = { script: 0, style: 0, requests: 0 };
    other.on('response', async (response) => {
      if (!response.url().startsWith(`${demo.origin}/assets`)) return;
      sizes.requests++;
      const { responseBodySize } = await response.request().sizes();
      if (response.url().endsWith('.js')) sizes.script += responseBodySize;
      if (response.url().endsWith('.css')) sizes.style += responseBodySize;
    });
    await other.goto(demo.origin);
    await rows(other).first().waitFor();
    await other.waitForLoadState('networkidle');
    console.log(`# first page: ${JSON.stringify(sizes)} bytes, gzipped`);
    assert.ok(sizes.script < 90 * 1024, `${sizes.script} bytes of script`);
    assert.ok(sizes.style < 20 * 1024, `${sizes.style} bytes of style`);
    assert.ok(sizes.requests <= 4, `${sizes.requests} files`);
    await other.context().close();
  });

  it('needs two answers in a row for its first row: the document’s and the feed’s', async () => {
    const other = await watch.page(browser, { storageState });
    await other.goto(demo.origin);
    await rows(other).first().waitFor();
    await other.goto('about:blank');
    // The application comes only once the rows are asked for, and nothing else ever does.
    let asked;
    const rowsAsked = new Promise((resolve) => (asked = resolve));
    other.on('request', (request) => /\/v1\/feed/.test(request.url()) && asked());
    await other.route(/\/assets\/.*\.js$/, async (route) => {
      await rowsAsked;
      await route.continue();
    });
    const others = [];
    await other.route(/\/v1\/(?!feed|session)|\.woff2$/, (route) => void others.push(route));
    await other.goto(demo.origin, { waitUntil: 'commit' });
    await rows(other).first().waitFor();
    await eventually('the figures are asked for after the rows', () =>
      others.some((route) => /stats/.test(route.request().url())),
    );
    await other.context().close();
  });

  it('asked nothing wrong and no other host, broke no policy and threw nothing', () =>
    harmless(watch));
});
