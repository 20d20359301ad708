// A hundred thousand rows and fifty live events a second for a minute. Run on
// demand (npm run test:load); ROWS and SECONDS make it shorter, as CI does. What
// depends on the speed of the machine is asserted by the long run alone.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually, launch, Watch } from './browser.mjs';
import { Mail } from './events.mjs';
import { Demo } from './server.mjs';

const rowsWanted = Number(process.env['ROWS'] ?? 100_000);
const seconds = Number(process.env['SECONDS'] ?? 60);
const timed = process.env['SECONDS'] === undefined;
const rate = 50;
const batch = 5_000;

describe(`${rowsWanted} rows and ${rate} live events a second`, () => {
  const mail = new Mail(`load-${Date.now()}`);
  let demo, browser, page, ingest;

  before(async () => {
    demo = await Demo.make();
    await demo.start();
    ingest = await demo.key('ingest');
    const began = Math.floor(Date.now() / 1000) - 3 * 86_400;
    for (let n = 0; n < rowsWanted; n += batch) {
      const events = Array.from({ length: Math.min(batch, rowsWanted - n) }, (_, i) => ({
        ...mail.send(`Row ${n + i}`, 'Tom'),
        time: began + Math.floor(((n + i) * 2 * 86_400) / rowsWanted),
      }));
      await demo.post(ingest, ...events);
    }
    // What is still being read arrives live as well, at hundreds of events a second.
    await eventually('all is read', async () => (await demo.waiting()) === 0, 600_000);
    browser = await launch();
    const watch = new Watch(demo.origin);
    page = await watch.page(browser, { viewport: { width: 1440, height: 900 } });
    await page.addInitScript(() => {
      window.longTasks = [];
      new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) window.longTasks.push(duration);
      }).observe({ type: 'longtask', buffered: true });
    });
    await page.goto(demo.link);
    await page.locator('li[data-id]').first().waitFor();
  });
  after(async () => {
    await browser?.close();
    await demo?.remove();
  });

  const last = () => page.locator('li[data-id]').last().getAttribute('aria-posinset').then(Number);
  const heap = async () => {
    const session = await page.context().newCDPSession(page);
    await session.send('HeapProfiler.collectGarbage');
    const { usedSize } = await session.send('Runtime.getHeapUsage');
    return usedSize / 1024 / 1024;
  };

  it('shows its first row soon', async () => {
    const painted = [];
    for (let i = 0; i < 5; i++) {
      await page.reload();
      await page.locator('li[data-id]').first().waitFor();
      const row = () => performance.getEntriesByName('first-row')[0]?.startTime;
      await eventually('it is painted', async () => (await page.evaluate(row)) !== undefined);
      painted.push(Math.round(await page.evaluate(row)));
    }
    // How busy the machine is: the same sum takes about 10 ms on a quiet one.
    const machine = await page.evaluate(() => {
      const began = performance.now();
      let sum = 0;
      for (let i = 0; i < 1e7; i++) sum = (sum + i * i) % 1_000_003;
      return performance.now() - began + (sum < 0 ? 1 : 0);
    });
    console.log(
      `# first row after ${painted.join(', ')} ms; the machine’s sum ${Math.round(machine)} ms`,
    );
    // The best of a few: other work of the machine is none of the page's.
    if (timed) assert.ok(Math.min(...painted) < 500, `first row after ${painted}`);
  });

  it('costs little while events stream in', async () => {
    const session = await page.context().newCDPSession(page);
    const whole = await browser.newBrowserCDPSession();
    await session.send('Performance.enable');
    // Time of the processor, which other work of the machine does not lengthen much.
    const cost = async () => {
      const { processInfo } = await whole.send('SystemInfo.getProcessInfo');
      const { metrics } = await session.send('Performance.getMetrics');
      const metric = (name) => metrics.find((one) => one.name === name).value;
      const cpu = (type) =>
        processInfo.filter((one) => one.type === type).reduce((sum, one) => sum + one.cpuTime, 0);
      return {
        page: cpu('renderer'),
        drawing: cpu('GPU'),
        script: metric('ScriptDuration'),
        styles: metric('RecalcStyleDuration') + metric('LayoutDuration'),
      };
    };
    const streamed = Math.min(seconds, 30);
    const perSecond = 20;
    await page.evaluate(() => (window.longTasks.length = 0));
    const [before, began] = [await cost(), Date.now()];
    for (let n = 0; n < streamed * 4; n++) {
      const events = Array.from({ length: perSecond / 4 }, (_, i) =>
        mail.send(`Stream ${n}/${i}`, 'Tom'),
      );
      await demo.post(ingest, ...events);
      await page.waitForTimeout(Math.max(0, began + (n + 1) * 250 - Date.now()));
    }
    const [after, took] = [await cost(), (Date.now() - began) / 1_000];
    const share = Object.fromEntries(
      Object.entries(after).map(([key, value]) => [key, ((value - before[key]) / took) * 100]),
    );
    const words = Object.entries(share).map(([key, value]) => `${key} ${value.toFixed(1)} %`);
    const tasks = await page.evaluate(() => window.longTasks);
    console.log(
      `# ${perSecond} events a second for ${Math.round(took)} s: ${words.join(', ')} of a core; ${tasks.length} tasks over 50 ms`,
    );
    if (timed) assert.ok(share.page <= 10, `the page takes ${share.page} % of a core`);
    if (timed) assert.deepEqual(tasks, [], 'tasks over 50 ms');
  });

  it('scrolls through all of them', async () => {
    await eventually(
      'all rows',
      async () => {
        await page.locator('.scroller').evaluate((list) => (list.scrollTop = list.scrollHeight));
        return (await last()) >= rowsWanted;
      },
      600_000,
    );
    assert.ok((await page.locator('li[data-id]').count()) < 100, 'every row is in the document');
  });

  it('moves nothing under the eye, stays quick, and keeps its memory', async () => {
    const list = page.locator('.scroller');
    await list.evaluate((node) => (node.scrollTop = node.scrollHeight / 2));
    await page.waitForTimeout(1_000);
    const eye = () =>
      page.evaluate(() => {
        const row = [...document.querySelectorAll('li[data-id]')].find(
          (one) => one.getBoundingClientRect().bottom > 450,
        );
        return `${row.dataset.id} at ${row.getBoundingClientRect().top}`;
      });
    const [seen, used] = [await eye(), await heap()];
    await page.evaluate(() => (window.longTasks.length = 0));
    for (let n = 0; n < seconds; n++) {
      const began = Date.now();
      const events = Array.from({ length: rate }, (_, i) => [
        mail.send(`Live ${n}/${i}`, 'Tom', 'Raj'),
        mail.open(`Live ${n}/${i}`, 'Tom'),
      ]);
      await demo.post(ingest, ...events.flat().slice(0, rate));
      assert.equal(await eye(), seen, `after ${n + 1} s`);
      await new Promise((done) => setTimeout(done, Math.max(0, began + 1_000 - Date.now())));
    }
    await eventually('they wait', async () =>
      /\d/.test(await page.getByRole('button', { name: /new$/ }).innerText()),
    );
    assert.equal(await eye(), seen);

    const tasks = (await page.evaluate(() => window.longTasks)).sort((a, b) => a - b);
    // The browser calls a task long from 50 ms on: the others are shorter.
    const frames = seconds * 10;
    const p95 = tasks.length > frames * 0.05 ? tasks.at(-Math.ceil(frames * 0.05)) : 50;
    const grown = (await heap()) - used;
    console.log(
      `# ${seconds} s: ${tasks.length} tasks over 50 ms (longest ${Math.round(tasks.at(-1) ?? 0)} ms), p95 ≤ ${Math.round(p95)} ms, heap ${Math.round(used)} MB, grown by ${grown.toFixed(1)} MB`,
    );
    if (timed) assert.ok(p95 <= 50, `p95 ${p95} ms`);
    assert.ok(grown < 40, `the heap grew by ${grown} MB`);
  });
});
