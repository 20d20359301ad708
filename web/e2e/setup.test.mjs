// docs/setup.md, walked in the page by an administrator who has the binary alone: a key, two teams,
// three colleagues and a provider at which they sign in.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { launch, look, looks, suffix, Watch } from './browser.mjs';
import { Provider } from './provider.mjs';
import { Installation } from './server.mjs';

const results = fileURLToPath(new URL('../test-results/', import.meta.url));

describe('from the empty binary', () => {
  let tidings, provider, browser, watch, page, key;

  before(async () => {
    await mkdir(results, { recursive: true });
    provider = new Provider();
    await provider.start();
    provider.people = {
      'chloe@acme.example': { sub: 'c-1', name: 'Chloé Martin', groups: ['Sales'] },
      'dan@acme.example': { sub: 'd-1', name: 'Dan Roe', groups: ['Canteen'] },
    };
    tidings = await Installation.make(['--outbound-allow', provider.host]);
    key = await tidings.key('acme', 'admin');
    await tidings.start();
    browser = await launch();
    watch = new Watch(tidings.origin);
    page = await watch.page(browser, { viewport: { width: 1440, height: 900 } });
  });
  after(async () => {
    await browser?.close();
    await tidings?.remove();
    provider?.stop();
  });

  const region = (name, p = page) => p.getByRole('region', { name, exact: true });
  const providers = () => region('Sign-in providers');
  const group = (name) => providers().getByRole('group', { name, exact: true });
  const signInAt = async (p, email, title = 'Okta') => {
    await p.goto(`${tidings.origin}/settings`);
    await p.getByLabel('Address').fill(email);
    await p.keyboard.press('Enter');
    await p.getByRole('button', { name: `Continue with ${title}` }).click();
  };

  it('signs in with the key that the first command printed', async () => {
    await page.goto(tidings.origin);
    await page.getByLabel('Key', { exact: true }).fill(key);
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: 'Settings' }).first().click();
    await page.getByText('You look after the workspace.').waitFor();
  });

  it('makes two teams', async () => {
    for (const team of ['Sales', 'Service']) {
      await region('Teams').getByRole('textbox', { name: 'Team' }).fill(team);
      await page.getByRole('button', { name: 'Make a team' }).click();
      await region('Teams')
        .getByRole('group', { name: `About ${team}` })
        .waitFor();
    }
  });

  it('invites two colleagues, who come in by their links', async () => {
    const people = region('People');
    for (const [name, email, role] of [
      ['Ana Duarte', 'ana@acme.example', 'admin'],
      ['Ben Adeyemi', 'ben@acme.example', 'member'],
    ]) {
      await people.getByLabel('Colleague').fill(name);
      await people.getByLabel('Address', { exact: true }).fill(email);
      await people.getByRole('combobox', { name: /^Role(?! of)/ }).selectOption(role);
      await people.getByRole('checkbox', { name: 'Service' }).check();
      await people.getByRole('button', { name: 'Invite', exact: true }).click();
      const link = await people.getByRole('status').locator('code').innerText();
      const other = await watch.page(browser, {});
      await other.goto(link);
      await other.getByRole('button', { name: 'Accept the invitation' }).click();
      await other.getByRole('link', { name: 'Settings' }).first().waitFor();
      await other.context().close();
      await people.getByRole('button', { name: 'Done' }).click();
    }
  });

  it('sets up a provider, by keyboard, and tests it', async () => {
    await page.getByRole('button', { name: 'Add a provider' }).focus();
    await page.keyboard.press('Enter');
    const form = group('A new provider');
    await form.getByRole('combobox', { name: /^It is/ }).selectOption('okta');
    assert.equal(await form.getByLabel('Short name').inputValue(), 'okta');
    // What is registered at the provider is what the form shows.
    provider.client.redirect = await form.locator('code').first().innerText();
    assert.equal(provider.client.redirect, `${tidings.origin}/auth/acme.okta/callback`);
    await form.getByLabel('Client id').fill(provider.client.id);
    await form.getByRole('button', { name: 'Save provider' }).click();
    await form.getByText('Put your own part into the issuer').waitFor();
    await form.getByLabel('Issuer', { exact: true }).fill(provider.issuer);
    await form.getByLabel('Client secret').fill('a wrong one');
    await form.getByLabel('More scopes').fill('');
    await form.getByLabel('Domains whose').fill('acme.example');
    await form.getByRole('button', { name: 'Add a group' }).click();
    await form.getByLabel('Group 1', { exact: true }).fill('Sales');
    await form.getByLabel('Team of group 1', { exact: true }).selectOption({ label: 'Sales' });
    await form.getByLabel('Client id').press('Enter');
    await providers().getByText('Okta is saved').waitFor();

    await providers().getByRole('button', { name: 'Test Okta' }).click();
    await providers().getByText('Something doesn’t work yet.').waitFor();
    await providers().getByText('its secret is another').waitFor();
    await providers().getByRole('button', { name: 'Edit Okta' }).click();
    const about = group('About Okta');
    assert.equal(await about.getByLabel('Client secret').inputValue(), '', 'it is not shown again');
    await about.getByLabel('Client secret').fill(provider.client.secret);
    await about.getByRole('button', { name: 'Save provider' }).click();
    await about.waitFor({ state: 'detached' });
    await providers().getByRole('button', { name: 'Test Okta' }).click();
    await providers().getByText('All that can be tried without signing in works.').waitFor();
  });

  it('lets a third colleague in by her address, into the team of her group', async () => {
    const chloe = await watch.page(browser, { viewport: { width: 390, height: 844 } });
    await signInAt(chloe, 'chloe@acme.example');
    await chloe.waitForURL(`${tidings.origin}/settings`);
    await chloe.getByText('You see your own and your teams’ mail.').waitFor();
    await chloe.context().close();
    await page.reload();
    const row = page
      .getByRole('list', { name: 'People', exact: true })
      .locator('> li')
      .filter({ hasText: 'Chloé Martin' });
    await row.getByText('Sales').waitFor();
    assert.equal(await row.getByLabel('Role of Chloé Martin').inputValue(), 'member');
  });

  it('says why others don’t come in', async () => {
    const dan = await watch.page(browser, {});
    await signInAt(dan, 'dan@acme.example');
    await dan.getByText('none of your groups may use Tidings').waitFor();
    assert.equal(new URL(dan.url()).hash, '');
    await signInAt(dan, 'eve@acme.example');
    await dan.getByText('You were not signed in there').waitFor();
    await dan.getByLabel('Address').fill('eve@elsewhere.example');
    await dan.keyboard.press('Enter');
    await dan.getByText('No mail is sent from this server').waitFor();
    assert.equal(await dan.getByRole('button', { name: 'Continue with Okta' }).count(), 0);
    await dan.context().close();
  });

  it('shows a button to everybody, and takes the provider off', async () => {
    await providers().getByRole('button', { name: 'Edit Okta' }).click();
    await group('About Okta')
      .getByRole('checkbox', { name: /^its button/ })
      .check();
    await group('About Okta').getByRole('button', { name: 'Save provider' }).click();
    await providers().getByText('button for everybody').waitFor();

    const storageState = await page.context().storageState();
    for (const screen of looks) {
      const other = await watch.page(browser, { storageState, ...screen });
      await other.goto(`${tidings.origin}/settings#providers`);
      await look(other, `${results}providers-${suffix(screen)}`, async () => {
        const card = region('Sign-in providers', other);
        await card.getByRole('button', { name: 'Edit Okta' }).click();
        await card.getByRole('group', { name: 'About Okta' }).scrollIntoViewIfNeeded();
      });
      await other.context().close();
      const out = await watch.page(browser, screen);
      await out.goto(tidings.origin);
      await look(out, `${results}sign-in-at-${suffix(screen)}`, () =>
        out.getByRole('button', { name: 'Continue with Okta' }).waitFor(),
      );
      await out.context().close();
    }

    await providers()
      .getByRole('button', { name: /^Remove/ })
      .click();
    await providers()
      .getByRole('button', { name: /^Remove for good/ })
      .click();
    await providers().getByText('Okta is taken off').waitFor();
  });

  it('asked nothing wrong, went to the provider alone, broke no policy and threw nothing', () => {
    assert.deepEqual(
      watch.foreign.filter((url) => new URL(url).host !== provider.host),
      [],
    );
    assert.deepEqual(watch.refused, []);
    assert.deepEqual(watch.blocked, []);
    assert.deepEqual(watch.errors, []);
  });
});
