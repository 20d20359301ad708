import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

/** Chromium with all of it, and its shell without windows, which takes two thirds of the processor. */
const whole = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const shell = process.env['CHROMIUM_SHELL'] || whole;
// Chromium has no sandbox for root, and containers have a small /dev/shm.
const args = ['--no-sandbox', '--disable-dev-shm-usage'];

/** How long what must happen may take: only a test that fails waits as long. */
const patience = 60_000;

/**
 * looks are the screens that pages are looked at on: each theme once and each width once,
 * and with PICTURES=all each theme at each width.
 */
export const looks = [
  { colorScheme: 'light', viewport: { width: 1440, height: 900 } },
  { colorScheme: 'dark', viewport: { width: 390, height: 844 } },
  { colorScheme: 'dark', viewport: { width: 1440, height: 900 } },
  { colorScheme: 'light', viewport: { width: 390, height: 844 } },
].slice(0, process.env['PICTURES'] === 'all' ? 4 : 2);

/** suffix is how the pictures of a look are called. */
export const suffix = ({ colorScheme, viewport }) => `${colorScheme}-${viewport.width}`;

/** launch starts a browser: the shell, where there is one and a test does not need what only windows have. */
export const launch = ({ windows = false } = {}) =>
  chromium.launch({ executablePath: windows ? whole : shell, args });

/** What no page may do, gathered from all of them. */
export class Watch {
  #origin;
  foreign = [];
  blocked = [];
  errors = [];
  /** Requests that the server did not understand. */
  refused = [];
  feedRequests = 0;

  constructor(origin) {
    this.#origin = origin;
  }

  async page(browser, options) {
    const context = await browser.newContext({
      timezoneId: 'Europe/Berlin',
      locale: 'en-GB',
      // What the worker answers, no route of a test sees.
      serviceWorkers: 'block',
      ...options,
    });
    const page = await context.newPage();
    page.setDefaultTimeout(patience);
    page.on('request', (request) => {
      const url = new URL(request.url());
      if (url.origin !== this.#origin) this.foreign.push(request.url());
      if (url.pathname === '/v1/feed') this.feedRequests++;
    });
    page.on('websocket', (socket) => {
      if (new URL(socket.url()).host !== new URL(this.#origin).host)
        this.foreign.push(socket.url());
    });
    page.on('response', (response) => {
      if ([400, 404, 405, 415, 422].includes(response.status()))
        this.refused.push(`${response.status()} ${response.url()}`);
    });
    page.on('pageerror', (error) => this.errors.push(String(error)));
    page.on('console', (message) => {
      if (/content security policy/i.test(message.text())) this.blocked.push(message.text());
    });
    await page.exposeFunction('e2eBlocked', (what) => this.blocked.push(what));
    await page.addInitScript(() => {
      addEventListener('securitypolicyviolation', (event) =>
        window.e2eBlocked(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`),
      );
    });
    return page;
  }
}

const axe = readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** violations runs axe-core on a page, and says what it found in a line each; what passes is not described. */
export async function violations(page) {
  await page.evaluate(await axe);
  const { violations } = await page.evaluate(() => window.axe.run({ resultTypes: ['violations'] }));
  return violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.html.slice(0, 160)} ${node.failureSummary}`),
  );
}

/** harmless asserts that nothing was seen of what no page may do. */
export function harmless(watch) {
  assert.deepEqual(watch.refused, [], 'refused');
  assert.deepEqual(watch.foreign, [], 'other hosts');
  assert.deepEqual(watch.blocked, [], 'blocked by the policy');
  assert.deepEqual(watch.errors, [], 'thrown');
}

/** eventually waits until a condition holds. */
export async function eventually(what, condition, timeout = patience) {
  const until = Date.now() + timeout;
  while (!(await condition())) {
    if (Date.now() > until) throw new Error(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** How far apart G and its letter may be, in milliseconds (src/shell/keyboard.ts). */
const apart = 1_000;

/** goTo presses G and a letter, again where a busy machine took too long between them. */
export async function goTo(page, letter, there) {
  await eventually(`G and ${letter} within a second`, async () => {
    const began = Date.now();
    await page.keyboard.press('g');
    await page.keyboard.press(letter);
    return Date.now() - began < apart;
  });
  await there.waitFor();
}

/** look takes a picture of a page at rest, and asserts that nothing is wrong with it. */
export async function look(page, path, arrange) {
  await arrange();
  const name = basename(path);
  // Contrast is measured on what has come to rest.
  await page.evaluate(() =>
    Promise.all(
      document
        .getAnimations()
        .filter((a) => a.effect.getComputedTiming().iterations !== Infinity)
        .map((a) => a.finished.catch(() => {})),
    ),
  );
  await page.screenshot({ path: `${path}.png` });
  const over = await page.evaluate(() => {
    const { scrollWidth, scrollHeight } = document.documentElement;
    return [scrollWidth - innerWidth, scrollHeight - innerHeight];
  });
  assert.ok(Math.max(...over) <= 0, `${name}: the window scrolls by ${over} px`);
  assert.deepEqual(await page.evaluate(cutOff), [], `${name}: what sticks out of the page`);
  assert.deepEqual(await violations(page), [], name);
}

/**
 * cutOff names controls and times that cannot be seen whole: outside of the window, or over the edge of
 * what clips them. Rows of chips and tables may be scrolled sideways; what is scrolled up and down may not.
 */
function cutOff() {
  /** Whether the nearest thing that does not show what is outside of it clips e, and cannot be scrolled. */
  const clipped = (e, box) => {
    for (let up = e.parentElement, at = e; up; at = up, up = up.parentElement) {
      // What is fixed is clipped by the window alone.
      if (getComputedStyle(at).position === 'fixed') return false;
      const { overflowX, overflowY } = getComputedStyle(up);
      if (/auto|scroll/.test(overflowX + overflowY)) return false;
      if (overflowX === 'visible' && overflowY === 'visible') continue;
      const edge = up.getBoundingClientRect();
      if (edge.width > 1 && (box.bottom > edge.bottom + 1 || box.top < edge.top - 1)) return true;
    }
    return false;
  };
  const scrolls = (e) =>
    e &&
    ((/auto|scroll/.test(getComputedStyle(e).overflowX) && e.scrollHeight <= e.clientHeight) ||
      scrolls(e.parentElement));
  return [...document.querySelectorAll('a[href], button, input, select, textarea, time')]
    .filter((e) => e.checkVisibility() && !scrolls(e.parentElement))
    .filter((e) => {
      const box = e.getBoundingClientRect();
      const { left, right, width } = box;
      return width > 1 && (left < 0 || right > innerWidth || clipped(e, box));
    })
    .map((e) => e.ariaLabel ?? e.textContent.trim());
}
