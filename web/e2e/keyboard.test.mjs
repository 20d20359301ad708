// Without a mouse: from the sign-in to an overridden verdict.
import { after, before, describe, it } from 'node:test';
import { eventually, harmless } from './browser.mjs';
import { Mail } from './events.mjs';
import { begin } from './scene.mjs';

describe('the keyboard alone', () => {
  const mail = new Mail(`keyboard-${Date.now()}`);
  let demo, watch, page, end;

  before(async () => {
    ({ demo, watch, page, end } = await begin('0'));
    const client = { ip: '203.0.113.9', user_agent: 'Barracuda Sentinel (EE)', automated: true };
    await demo.post(
      await demo.key('ingest'),
      mail.send('By a robot', 'Tom'),
      mail.open('By a robot', 'Tom', { client }),
    );
    await eventually('all is indexed', async () => (await demo.waiting()) === 0);
  });
  after(() => end?.());

  /** Tab goes on until what has the focus is called so. */
  const tabTo = (name) =>
    eventually(`the focus is on ${name}`, async () => {
      await page.keyboard.press('Tab');
      return page.evaluate((wanted) => {
        const e = document.activeElement;
        const said = e?.ariaLabel ?? e?.labels?.[0]?.textContent ?? e?.textContent ?? '';
        return said.trim().startsWith(wanted);
      }, name);
    });

  it('signs in, finds what a machine did, and says that it was a person', async () => {
    await page.goto(demo.origin);
    await page.getByLabel('Key', { exact: true }).waitFor();
    await tabTo('Key');
    await page.keyboard.type(await demo.key('admin'));
    await page.keyboard.press('Enter');
    await page.locator('li[data-id]').first().waitFor();

    await page.keyboard.press('/');
    await page.keyboard.type('subject:robot');
    await page.keyboard.press('Enter');
    await page.getByText('1 automated hidden').waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('a');
    const automated = page.locator('li[data-id]').filter({ hasText: 'Automated' });
    await automated.waitFor();
    await eventually('the row has the focus', async () => {
      await page.keyboard.press('j');
      return automated.evaluate((row) => row.contains(document.activeElement));
    });
    await page.keyboard.press('Enter');
    const panel = page.getByRole('complementary', { name: 'Message' });
    await panel.getByRole('heading', { name: 'Why is this open counted as automated?' }).waitFor();
    await page.keyboard.press('h');
    await panel.getByRole('heading', { name: 'This open counts as a person’s' }).waitFor();
    await page.keyboard.press('Escape');
    await panel.waitFor({ state: 'detached' });
    await page.locator('li[data-id]:focus-within').waitFor();
  });

  it('asked nothing wrong, broke no policy and threw nothing', () => harmless(watch));
});
