// From an empty installation to the first event, in the page alone.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { harmless, look, looks, suffix, violations } from './browser.mjs';
import { begin, results, signIn } from './scene.mjs';

describe('an empty installation', () => {
  let demo, browser, watch, end, page;

  before(async () => {
    ({ demo, browser, watch, page, end } = await begin('0'));
    await signIn(demo, page);
  });
  after(() => end?.());

  it('says what is done, what is next, and waits for the first event', async () => {
    const steps = page.getByRole('list', { name: 'First steps' });
    await steps.locator('[aria-current="step"]', { hasText: 'Connect a source' }).waitFor();
    assert.deepEqual(await violations(page), []);
    await steps.getByRole('link', { name: /^Connect a source/ }).click();
    const sources = page.getByRole('region', { name: 'Sources' });
    await sources.getByLabel('Name').fill('crm');
    await sources.getByRole('combobox', { name: 'Provider' }).selectOption('cloudevents');
    await sources.getByRole('button', { name: 'Get its address' }).click();
    await sources.getByText('Waiting for the first event of crm').waitFor();
    const address = await sources.getByLabel('Address', { exact: true }).innerText();
    const token = await sources.getByLabel('Secret', { exact: true }).innerText();
    const response = await fetch(address, {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${token}`,
        'Content-Type': 'application/cloudevents+json',
      },
      body: JSON.stringify({
        specversion: '1.0',
        id: '1',
        source: '/crm',
        type: 'com.example.mail.open',
        time: new Date().toISOString(),
        data: { message: 'm-1', recipient: { email: 'jo@acme.example' } },
      }),
    });
    assert.ok(response.ok, `${response.status}`);
    await sources.getByText('The first event of crm was received').waitFor();
    await page.goto(demo.origin);
    await page.locator('li[data-id]').first().waitFor();
    await page
      .getByRole('region', { name: 'Source health' })
      .getByRole('link', { name: /crm/ })
      .waitFor();
    for (const { viewport, colorScheme } of looks) {
      const storageState = await page.context().storageState();
      const other = await watch.page(browser, { viewport, colorScheme, storageState });
      await look(other, `${results}setup-${suffix({ viewport, colorScheme })}`, async () => {
        await other.goto(`${demo.origin}/settings#sources`);
        await other.getByRole('region', { name: 'Sources' }).last().waitFor();
        await other.waitForLoadState('networkidle');
      });
      await other.context().close();
    }
    harmless(watch);
  });
});
