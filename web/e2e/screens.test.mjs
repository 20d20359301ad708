// Every page as it is first seen, of a workspace with mail and of an empty one: nothing is cut off or
// scrolls sideways, and nothing is wrong for those who do not see, in forced colours too.
import { after, before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { eventually, harmless, look, looks, suffix, violations } from './browser.mjs';
import { begin, results, signIn } from './scene.mjs';

/** The pages, and what says that one is there. */
const pages = [
  ['messages', '/?rows=messages', 'Feed'],
  ['now', '/now', 'Now'],
  ['nudge', '/nudge', 'Nudge'],
  ['stats', '/stats', 'Stats'],
  ['notifications', '/notifications', 'Notifications'],
  ['notification-log', '/notifications#log', 'Notifications'],
  ['notification-settings', '/notifications#settings', 'Notifications'],
  ['settings', '/settings', 'Settings'],
  ['dead-letters', '/dead-letters', 'Dead letters'],
  ['missing', '/nowhere', 'Page not found'],
];

for (const [title, months] of [
  ['a workspace with mail', '1'],
  ['an empty workspace', '0'],
]) {
  describe(`every page of ${title}`, () => {
    let demo, browser, watch, end, page, storageState, all;

    before(async () => {
      ({ demo, browser, watch, page, end } = await begin(months));
      storageState = await signIn(demo, page);
      all = pages;
      if (months === '0') return;
      await page.locator('li[data-id]').first().waitFor();
      const { email } = await page.evaluate(async () => {
        const { items } = await (await fetch('/v1/feed?limit=100')).json();
        return items.flatMap((item) => item.recipient ?? item.recipients ?? []).at(0);
      });
      const [, domain] = email.split('@');
      all = [...pages, ['person', `/people?who=${email}`], ['company', `/companies?who=${domain}`]];
    });
    after(() => end?.());

    const open = async (p, path, heading) => {
      await p.goto(demo.origin + path);
      const named = heading ? { name: heading, exact: true } : {};
      await p.getByRole('heading', named).first().waitFor({ state: 'attached' });
      await p.waitForLoadState('networkidle');
    };

    for (const screen of looks)
      it(`fits a screen of ${screen.viewport.width} px, ${screen.colorScheme}`, async () => {
        const other = await watch.page(browser, { storageState, ...screen });
        for (const [name, path, heading] of all) {
          const picture = `${results}${name}-${months}-${suffix(screen)}`;
          await look(other, picture, () => open(other, path, heading));
        }
        await other.context().close();
      });

    it('fits a screen of 1440 px at 200 %', async () => {
      const other = await watch.page(browser, {
        storageState,
        viewport: { width: 720, height: 450 },
        deviceScaleFactor: 2,
      });
      for (const [name, path, heading] of all)
        await look(other, `${results}${name}-${months}-200`, () => open(other, path, heading));
      await other.context().close();
    });

    it('can be read in forced colours', async () => {
      const other = await watch.page(browser, { storageState, forcedColors: 'active' });
      for (const [name, path, heading] of all) {
        await open(other, path, heading);
        assert.deepEqual(await violations(other), [], name);
      }
      await other.context().close();
    });

    if (months !== '0')
      it('shows the tables of people on a phone without scrolling sideways', async () => {
        const phone = await watch.page(browser, {
          storageState,
          viewport: { width: 390, height: 844 },
        });
        for (const [name, path] of all.slice(-2)) {
          await open(phone, path);
          const table = phone.getByRole('group', { name: 'Table' }).first();
          await table.waitFor();
          const over = await table.evaluate((e) => e.scrollWidth - e.clientWidth);
          assert.ok(over <= 0, `${name}: the table scrolls by ${over} px`);
          await eventually(`${name} has rows`, async () => (await table.locator('tr').count()) > 1);
        }
        await phone.context().close();
      });

    it('asked nothing wrong, broke no policy and threw nothing', () => {
      // The page that there is none at an address is answered so by the server too.
      watch.refused = watch.refused.filter((answer) => !answer.endsWith('/nowhere'));
      harmless(watch);
    });
  });
}
