// Who comes in and what they may do: people, teams, sessions and keys, in the page alone.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually, harmless, look, looks, suffix } from './browser.mjs';
import { begin, results, signIn } from './scene.mjs';

describe('who comes in', () => {
  let demo, browser, watch, end, page, nora, link;

  before(async () => {
    ({ demo, browser, watch, page, end } = await begin('0'));
    nora = await watch.page(browser, { viewport: { width: 390, height: 844 } });
    await signIn(demo, page);
    await page.goto(`${demo.origin}/settings`);
  });
  after(() => end?.());

  const region = (name, p = page) => p.getByRole('region', { name, exact: true });
  const entry = (list, text, p = page) =>
    p.getByRole('list', { name: list, exact: true }).locator('> li').filter({ hasText: text });
  const signedOut = () =>
    eventually('Nora is signed out', async () => {
      await nora.reload();
      return nora.getByRole('heading', { name: 'Sign in to Tidings' }).isVisible();
    });

  it('invites a colleague by keyboard, who accepts the link', async () => {
    await region('People').getByLabel('Colleague').focus();
    await page.keyboard.type('Nora Quist');
    await page.keyboard.press('Tab');
    await page.keyboard.type('nora@brightwater.example');
    await page.keyboard.press('Enter');
    link = await region('People').getByRole('status').locator('code').innerText();
    assert.match(link, new RegExp(`^${demo.origin}/#invitation=`));
    await entry('Invitations', 'Nora Quist').getByText('invited as Member').waitFor();

    await nora.goto(link);
    await nora.getByRole('button', { name: 'Accept the invitation' }).click();
    await nora.getByRole('link', { name: 'Settings' }).click();
    await nora.getByText('You see your own and your teams’ mail.').waitFor();
    await entry('Where you are signed in', 'this browser', nora).waitFor();
    assert.equal(await region('People', nora).count(), 0);
    await page.reload();
    await entry('People', 'Nora Quist').waitFor();
    assert.equal(await entry('Invitations', 'Nora Quist').count(), 0);
  });

  it('takes an invitation back', async () => {
    await region('People').getByLabel('Colleague').fill('Otto Blix');
    await page.getByRole('button', { name: 'Invite', exact: true }).click();
    const invited = await region('People').getByRole('status').locator('code').innerText();
    const otto = entry('Invitations', 'Otto Blix');
    await otto.getByRole('button', { name: /^Take back/ }).click();
    await otto.getByRole('button', { name: /^Take back for good/ }).click();
    await otto.waitFor({ state: 'detached' });
    const other = await watch.page(browser, {});
    await other.goto(invited);
    await other.getByRole('button', { name: 'Accept the invitation' }).click();
    await other.getByText('has been used, taken back or is too old').waitFor();
    await other.context().close();
  });

  it('makes a team, renames it, and lets somebody lead it who sees its people alone', async () => {
    await region('Teams').getByRole('textbox', { name: 'Team' }).fill('Harbour');
    await page.getByRole('button', { name: 'Make a team' }).click();
    const team = entry('Teams', /Harbour|Port/);
    const about = team.getByRole('group', { name: 'About Harbour' });
    await about.getByLabel('Name').fill('Port');
    await about.getByRole('checkbox', { name: 'Nora Quist', exact: true }).check();
    await about.getByRole('checkbox', { name: /^Nora Quist leads/ }).check();
    await about.getByRole('checkbox', { name: 'Ben Adeyemi', exact: true }).check();
    await about.getByRole('button', { name: 'Save' }).click();
    await region('Teams').getByText('Port is saved').waitFor();
    await team.getByText('Nora Quist (lead)').waitFor();
    await entry('People', 'Nora Quist').getByText('Port (lead)').waitFor();

    await nora.reload();
    await nora.getByText('You say who is in the teams you lead.').waitFor();
    await nora.getByRole('button', { name: 'Edit Port' }).click();
    const port = nora.getByRole('group', { name: 'About Port' });
    await port.getByRole('checkbox', { name: 'Ben Adeyemi', exact: true }).uncheck();
    assert.equal(await port.getByText('Chloé Martin').count(), 0, 'who is in no team of hers');
    await port.getByRole('button', { name: 'Save' }).click();
    await nora.getByText('Port is saved').waitFor();
    await eventually('Ben is out, and his name out of sight', async () => {
      return (await entry('Teams', 'Port', nora).getByText('Ben Adeyemi').count()) === 0;
    });
    await look(nora, `${results}lead-390`, () => region('Teams', nora).scrollIntoViewIfNeeded());
  });

  it('changes a role, which counts at once, and keeps the last admin', async () => {
    const role = page.getByLabel('Role of Nora Quist');
    await role.selectOption('admin');
    await page.getByText('Nora Quist is Admin now').waitFor();
    await nora.reload();
    await region('People', nora).waitFor();
    await role.selectOption('viewer');
    await page.getByText('Nora Quist is Viewer now').waitFor();
    await page.getByLabel('Role of Chloé Martin').selectOption('member');
    await page.getByText('Chloé Martin is Member now').waitFor();
    const own = page.getByLabel('Role of Ana Moreira');
    await own.selectOption('member');
    await page.getByText('This is the last admin.').waitFor();
    assert.equal(await own.inputValue(), 'admin', 'the role is shown as it is');
    await look(page, `${results}last-admin`, () =>
      page.getByText('This is the last admin.').scrollIntoViewIfNeeded(),
    );
    await nora.reload();
    await nora.getByText('Sessions').first().waitFor();
    assert.equal(await region('People', nora).count(), 0);
  });

  it('ends a person’s sessions, and suspends them', async () => {
    const row = entry('People', 'Nora Quist');
    await row.getByRole('button', { name: 'Edit Nora Quist' }).click();
    await row.getByText('Chrome on').first().waitFor();
    await row.getByRole('button', { name: 'Sign Nora Quist out everywhere' }).click();
    await row.getByRole('button', { name: /^End \d sessions?$/ }).click();
    await row.getByText('isn’t signed in anywhere').waitFor();
    await signedOut();

    await row.getByRole('button', { name: 'Suspend Nora Quist' }).click();
    await row.getByRole('button', { name: /^Sign out and suspend/ }).click();
    await row.getByText('suspended', { exact: true }).waitFor();
    await row.getByRole('button', { name: 'Let in again Nora Quist' }).click();
    await region('People').getByText('can sign in again').waitFor();
    await row.getByRole('button', { name: 'Remove Nora Quist' }).click();
    await row.getByRole('button', { name: /^Remove for good/ }).click();
    await row.waitFor({ state: 'detached' });
  });

  it('makes a key for some things, rotates it, and takes it back', async () => {
    const keys = region('Keys');
    await keys.getByLabel('What it is for').fill('Warehouse');
    await keys.getByRole('combobox', { name: /^It may/ }).selectOption('some');
    await keys.getByRole('checkbox', { name: 'read statistics' }).check();
    await keys.getByLabel('It ends').selectOption('7');
    await keys.getByRole('button', { name: 'Bound it to sources or networks' }).click();
    await keys.getByLabel('Only from these networks').fill('127.0.0.0/8');
    await keys.getByRole('button', { name: 'Make a key' }).click();
    const text = keys.getByRole('status').locator('code');
    const first = await text.innerText();
    await keys.getByRole('button', { name: 'Done' }).click();
    const key = entry('Keys', 'Warehouse');
    await key.getByText('may read statistics, only from 127.0.0.0/8').waitFor();
    await key.getByText('never used').waitFor();
    await key.getByText(/^ends /).waitFor();

    await key.getByRole('button', { name: 'Rotate Warehouse' }).click();
    await key.getByRole('button', { name: 'Give it another text' }).click();
    const second = await text.innerText();
    assert.notEqual(second, first);
    await key.getByText('text before works until').waitFor();
    for (const each of [first, second]) await demo.get(each, '/v1/stats?fields=totals');
    await key.getByRole('button', { name: /^Revoke/ }).click();
    await key.getByRole('button', { name: /^Revoke for good/ }).click();
    await key.waitFor({ state: 'detached' });
    await keys
      .getByText(/No keys yet|never used|used /)
      .first()
      .waitFor();
  });

  it('looks right, wide and narrow, light and dark', async () => {
    const storageState = await page.context().storageState();
    for (const screen of looks) {
      const other = await watch.page(browser, { storageState, ...screen });
      await other.goto(`${demo.origin}/settings#people`);
      await look(other, `${results}access-${suffix(screen)}`, async () => {
        await other.getByRole('button', { name: /^Edit/ }).first().click();
        await other.getByRole('group', { name: /^About/ }).waitFor();
      });
      await look(other, `${results}keys-${suffix(screen)}`, async () => {
        await other.getByRole('link', { name: 'Keys', exact: true }).click();
        const may = region('Keys', other).getByRole('combobox', { name: /^It may/ });
        await may.selectOption('some');
      });
      await other.context().close();
    }
  });

  it('asked nothing wrong and no other host, broke no policy and threw nothing', () =>
    harmless(watch));
});
