// What the tests of a file begin with: a demo, a browser, and a page of the reader who signed in.
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { launch, Watch } from './browser.mjs';
import { Demo } from './server.mjs';

/** Where pictures go. */
export const results = fileURLToPath(new URL('../test-results/', import.meta.url));

export const wide = { viewport: { width: 1440, height: 900 } };

/** begin starts a demo of so many months; end ends what was begun. Options are the command's, and the browser's. */
export async function begin(months, options, browserOptions) {
  await mkdir(results, { recursive: true });
  const demo = await Demo.make(months, options);
  const browser = await launch(browserOptions);
  const end = async () => {
    await browser.close();
    await demo.remove();
  };
  try {
    await demo.start();
    const watch = new Watch(demo.origin);
    return { demo, browser, watch, page: await watch.page(browser, wide), end };
  } catch (error) {
    await end();
    throw error;
  }
}

/** signIn takes the demo's link, and answers what signs other pages in. */
export async function signIn(demo, page) {
  await page.goto(demo.link);
  await page.getByRole('link', { name: 'Settings' }).first().waitFor();
  return page.context().storageState();
}

/** rowsAbout are the rows of a mail, by its whole subject: a part of it may stand in the demo's. */
export function rowsAbout(page, subject) {
  return page.locator('li[data-id]').filter({ has: page.getByText(subject, { exact: true }) });
}
