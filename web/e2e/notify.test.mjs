// What the reader is told: the bell, the log, mutes and rules.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually, harmless, look, looks, suffix, violations } from './browser.mjs';
import { Mail } from './events.mjs';
import { begin, results, signIn, wide } from './scene.mjs';

describe('what the reader is told', () => {
  const mail = new Mail(`notify-${Date.now()}`);
  let demo, browser, watch, end, ana, ben, anaId, ingest, storageState;

  const bell = (page) =>
    page
      .getByRole('navigation', { name: 'Pages' })
      .first()
      .getByRole('link', { name: /^Notifications/ });
  const unread = async (page) => Number((await bell(page).innerText()).match(/\d+/)?.[0] ?? 0);
  // What the server counts: the bell of a page that was just opened may not have been told yet.
  const told = (page) =>
    page.evaluate(async () => (await (await fetch('/v1/notifications')).json()).unread);
  const idOf = (page) =>
    page.evaluate(async () => (await (await fetch('/v1/session')).json()).user.id);
  const said = (page, text) => page.locator('.toast').getByText(text).waitFor();

  before(async () => {
    ({ demo, browser, watch, page: ana, end } = await begin('0'));
    storageState = await signIn(demo, ana);
    await bell(ana).waitFor();
    anaId = await idOf(ana);
    ingest = await demo.key('ingest');
    // Ben is a colleague who comes in by an invitation.
    await ana.goto(`${demo.origin}/settings#people`);
    const people = ana.getByRole('region', { name: 'People' });
    await people.getByLabel('Colleague').fill('Ben Aker');
    await ana.getByRole('button', { name: 'Invite', exact: true }).click();
    const link = await people.getByRole('status').locator('code').innerText();
    ben = await watch.page(browser, wide);
    await ben.goto(link);
    await ben.getByRole('button', { name: 'Accept the invitation' }).click();
    await bell(ben).waitFor();
    await ana.goto(demo.origin);
    await bell(ana).waitFor();
    const subjects = ['Proposal', 'Renewal', 'Contract', 'Waiting'];
    await demo.post(ingest, ...subjects.map((s) => ({ ...mail.send(s, 'Jo'), user: anaId })));
  });
  after(() => end?.());

  it('an open by Jo reaches Ana’s bell, and Ben’s not', async () => {
    const [before, bens] = [await told(ana), await told(ben)];
    await demo.post(ingest, mail.open('Proposal', 'Jo'));
    await eventually('the bell counts', async () => (await unread(ana)) === before + 1);
    await bell(ana).click();
    const row = ana.locator('li', { hasText: 'Jo opened Proposal' });
    await row.getByText(/You are told of the first open/).waitFor();
    await row.getByText('Unread:').waitFor({ state: 'attached' });
    assert.equal(await unread(ben), bens);
    await bell(ben).click();
    await ben.getByText('Nothing yet').waitFor();
    assert.equal(await ben.getByText('Jo opened').count(), 0);
  });

  it('says when it happened, where that was before it was told', async () => {
    const ago = (hours) => new Date(Date.now() - hours * 3_600_000).toISOString();
    const row = ana.locator('li', { hasText: 'Jo opened Late news' });
    await demo.post(ingest, { ...mail.send('Late news', 'Jo'), user: anaId, time: ago(3) });
    await demo.post(ingest, mail.open('Late news', 'Jo', { time: ago(2) }));
    await row.getByText(/happened .*\d:\d\d/).waitFor();
    const first = ana.locator('li', { hasText: 'Jo opened Proposal' });
    assert.equal(await first.getByText(/happened/).count(), 0);
    await row.getByRole('button', { name: 'More' }).click();
    await ana.getByRole('menuitem', { name: 'Mark as read' }).click();
  });

  it('says why, and marks as read in every window', async () => {
    const other = await watch.page(browser, { ...wide, storageState });
    await other.goto(`${demo.origin}/notifications`);
    const row = (page) => page.locator('li', { hasText: 'Jo opened Proposal' });
    await row(other).waitFor();
    await row(ana).getByRole('button', { name: 'More' }).click();
    await ana.getByRole('menuitem', { name: 'Why was I told?' }).click();
    const dialog = ana.getByRole('dialog');
    await dialog.getByText('You were told: In app, Desktop.').waitFor();
    await dialog.getByText('Was it a person?').waitFor();
    assert.deepEqual(await violations(ana), []);
    await ana.keyboard.press('Escape');
    await ana.getByRole('button', { name: 'Mark all as read' }).click();
    await ana.getByText('All read').waitFor();
    await eventually('the other window knows', async () => (await unread(other)) === 0);
    await other.getByText('All read').waitFor();
    await other.context().close();
  });

  it('Ana mutes Jo: the next open is in the log, with the reason and the way back', async () => {
    const row = ana.locator('li', { hasText: 'Jo opened Proposal' });
    await row.getByRole('button', { name: 'More' }).click();
    await ana.getByRole('menuitem', { name: 'Mute Jo', exact: true }).click();
    await ana.getByRole('menuitem', { name: 'Until Monday' }).click();
    await said(ana, /^Muted Jo until Mon /);
    await demo.post(ingest, mail.open('Renewal', 'Jo'));
    await ana.getByRole('button', { name: 'Log', exact: true }).click();
    const logged = ana.locator('li', { hasText: 'opened Renewal' });
    await eventually('it is in the log', async () => {
      await ana.evaluate(() => dispatchEvent(new Event('focus')));
      return (await logged.count()) > 0;
    });
    await logged.getByText('Not told').waitFor();
    await logged.getByText(/muted/).waitFor();
    assert.equal(await unread(ana), 0);
    await logged.getByRole('button', { name: 'Unmute' }).click();
    await said(ana, /isn’t muted any more/);
    // What was done by mistake is taken back where it is said.
    await ana.locator('.toast').getByRole('button', { name: 'Undo' }).click();
    await said(ana, 'Taken back');
    await logged.getByRole('button', { name: 'Show how this was decided' }).click();
    await logged.getByText('It stopped here.').waitFor();
    await logged.getByRole('button', { name: /nmute/ }).last().click();
    await said(ana, /mute/i);
  });

  it('a scanner’s open is taken back', async () => {
    const before = await told(ana);
    await demo.post(ingest, mail.open('Contract', 'Jo'));
    await eventually('the bell counts', async () => (await unread(ana)) === before + 1);
    await ana
      .getByRole('group', { name: 'Part of the notifications' })
      .getByRole('button', { name: 'Told' })
      .click();
    const row = ana.locator('li', { hasText: 'Jo opened Contract' });
    await row.getByText(/You are told/).waitFor();
    // Later evidence, or a colleague, says that it was a machine.
    const body = JSON.stringify({ is: 'machine', reason: 'It reads every mail at once.' });
    await ana.evaluate(async (body) => {
      const ask = async (path) => (await fetch(path)).json();
      const told = await ask('/v1/notifications');
      const { event } = told.items.find((one) => one.event?.subject === 'Contract');
      const headers = {
        'X-CSRF-Token': (await ask('/v1/session')).csrf,
        'Content-Type': 'application/json',
      };
      await fetch(`/v1/events/${event.id}/verdict`, { method: 'PUT', headers, body });
    }, body);
    await row.getByText('Taken back: it was a scanner').waitFor();
    await eventually('the bell counts back', async () => (await unread(ana)) === before);
    await ana.reload();
    await row.getByText('Taken back: it was a scanner').waitFor();
  });

  it('makes a rule from a search in two presses, after saying what it would have told', async () => {
    await ana.goto(`${demo.origin}/?q=type%3Adownload+subject%3ABrochure`);
    await ana.getByRole('button', { name: 'Save search' }).click();
    await ana.getByText('It would have told you of nothing last week.').waitFor();
    await ana.getByRole('button', { name: 'Save and notify me' }).click();
    await said(ana, /^You’ll be told of “/);
    const before = await told(ana);
    const sent = { ...mail.send('Brochure', 'Jo'), user: anaId };
    const download = { ...mail.open('Brochure', 'Jo'), type: 'download', file: 'brochure.pdf' };
    await demo.post(ingest, sent, download);
    await eventually('the bell counts', async () => (await unread(ana)) === before + 1);
    await bell(ana).click();
    await ana
      .locator('li', { hasText: 'brochure.pdf' })
      .getByText(/^Your rule “/)
      .waitFor();
  });

  it('tells when somebody opens, from a message, and reminds of who does not reply', async () => {
    await ana.goto(`${demo.origin}/?open=${encodeURIComponent(mail.message('Waiting'))}`);
    const panel = ana.getByRole('complementary', { name: 'Message' });
    const tell = panel.getByRole('button', { name: 'Tell me when' });
    await tell.click();
    await ana.getByRole('menuitem', { name: 'Jo opens it' }).press('Escape');
    await ana.getByRole('menu').waitFor({ state: 'detached' });
    assert.ok(await tell.evaluate((button) => button === document.activeElement));
    await tell.click();
    await ana.getByRole('menuitem', { name: 'Jo opens it' }).click();
    await said(ana, 'You’ll be told when Jo opens it');
    const before = await told(ana);
    await demo.post(ingest, mail.open('Waiting', 'Jo'));
    await eventually('the bell counts', async () => (await unread(ana)) === before + 1);
    await ana.goto(`${demo.origin}/?q=subject%3AWaiting`);
    await ana.locator('li[data-id]', { hasText: 'opened' }).first().waitFor();
    await ana.keyboard.press('j');
    await ana.keyboard.press('.');
    await ana.getByRole('menuitem', { name: 'Remind me if no reply' }).press('ArrowRight');
    await ana.getByRole('menuitem', { name: 'By Friday' }).click();
    await said(ana, /^You’ll be reminded Fri .*, unless Jo replies$/);
    await ana.locator('.toast').getByRole('button', { name: 'Undo' }).click();
    await said(ana, 'Taken back');
  });

  it('an admin says what everybody is told, locks it and rehearses, and the others see that', async () => {
    const choose = (page, part) =>
      page
        .getByRole('group', { name: 'Part of the notifications' })
        .getByRole('button', { name: part, exact: true })
        .click();
    await ana.goto(`${demo.origin}/notifications#workspace`);
    const lock = ana.getByRole('button', { name: 'Lock Bounce', exact: true });
    await lock.focus();
    await ana.keyboard.press('Enter');
    await said(ana, 'Bounce is locked for everybody');
    const download = (page) => page.getByRole('checkbox', { name: 'Download: In app' });
    await download(ana).check();
    await said(ana, 'Download: changed for everybody');
    await ana.locator('.toast').getByRole('button', { name: 'Undo' }).click();
    await said(ana, 'Taken back');
    await ana.getByRole('checkbox', { name: 'Download: In app', checked: false }).waitFor();
    await ana.getByRole('button', { name: 'Shadow', exact: true }).click();
    await said(ana, 'Shadow: nobody is told, and the log is kept');
    await ana.getByText('Shadow is a rehearsal.').waitFor();
    assert.deepEqual(await violations(ana), []);

    await ben.goto(`${demo.origin}/notifications#settings`);
    await ben.getByText('Your workspace rehearses').waitFor();
    await ben.getByRole('img', { name: 'Bounce: locked by Ana Moreira' }).waitFor();
    assert.ok(await ben.getByRole('checkbox', { name: 'Bounce: In app' }).isDisabled());
    assert.ok(await download(ben).isEnabled());
    const part = ben.getByRole('group', { name: 'Part of the notifications' });
    assert.equal(await part.getByRole('button', { name: 'Workspace' }).count(), 0);
    assert.deepEqual(await violations(ben), []);

    const before = await told(ana);
    await demo.post(ingest, mail.open('Proposal', 'Lee'));
    await choose(ana, 'Log');
    const logged = ana.locator('li', { hasText: 'Lee opened Proposal' });
    await eventually('it is in the log', async () => {
      await ana.evaluate(() => dispatchEvent(new Event('focus')));
      return (await logged.count()) > 0;
    });
    await logged.getByText('Would be told').waitFor();
    assert.equal(await told(ana), before);
    for (const { viewport, colorScheme } of looks) {
      const page = await watch.page(browser, { viewport, colorScheme, storageState });
      const name = `${results}notify-workspace-${suffix({ viewport, colorScheme })}`;
      await look(page, name, async () => {
        await page.goto(`${demo.origin}/notifications#workspace`);
        await page.getByText('Shadow is a rehearsal.').waitFor();
      });
      await page.context().close();
    }
    await choose(ana, 'Workspace');
    await ana.getByRole('button', { name: 'Forget these rows' }).click();
    await said(ana, /^The preset Normal holds again/);
    await ana.getByRole('button', { name: 'On', exact: true }).click();
    await said(ana, 'People are told from now on');
  });

  it('takes a chat, a digest, and who passes quiet hours', async () => {
    await demo.call(await demo.key('admin'), 'PUT', '/v1/endpoints/sales', {
      kind: 'slack',
      url: 'https://hooks.slack.com/services/T0/B0/secret',
    });
    await ana.goto(`${demo.origin}/notifications#settings`);
    await ana.reload();
    await ana.getByRole('checkbox', { name: 'Reply: Chat' }).check();
    await ana.getByLabel('Comes').selectOption('together each day');
    await said(ana, 'Together each day at 08:00');
    await ana.getByRole('button', { name: 'Turn on' }).last().click();
    await said(ana, 'Quiet from 18:30 to 08:00');
    const through = ana.getByLabel('Let these people and companies through');
    await through.fill('jo@acme.example beta.example');
    await through.press('Enter');
    await said(ana, 'Quiet hours don’t hold jo@acme.example, beta.example');
    await ana.reload();
    const chosen = (page) =>
      page.getByLabel('Chat leads to').evaluate((select) => select.selectedOptions[0].text);
    await eventually('the chat is kept', async () => (await chosen(ana)) === 'sales');
    assert.equal(await ana.getByLabel('Comes').inputValue(), 'daily');
    assert.equal(await ana.getByLabel('At', { exact: true }).inputValue(), '08:00');
    assert.equal(await through.inputValue(), 'jo@acme.example, beta.example');
    for (const { viewport, colorScheme } of looks) {
      const page = await watch.page(browser, { viewport, colorScheme, storageState });
      const name = `${results}notify-leaving-${suffix({ viewport, colorScheme })}`;
      await look(page, name, async () => {
        await page.goto(`${demo.origin}/notifications#settings`);
        await page.getByLabel('Chat leads to').scrollIntoViewIfNeeded();
      });
      await page.context().close();
    }
    // A chat that an admin has taken off says so, and can be left.
    await demo.call(await demo.key('admin'), 'DELETE', '/v1/endpoints/sales');
    await ana.reload();
    await eventually('it is gone', async () => (await chosen(ana)) === 'sales (gone)');
    await ana.getByRole('checkbox', { name: 'Reply: Chat' }).uncheck();
    await ana.getByLabel('Chat leads to').selectOption('nowhere');
    await ana.getByLabel('Chat leads to').waitFor({ state: 'detached' });
    await through.fill('');
    await through.press('Enter');
    await said(ana, 'Quiet hours hold everybody');
    await ana.getByLabel('Comes').selectOption('each by itself');
    await said(ana, 'Each by itself from now on');
    await ana.getByRole('button', { name: 'Turn off' }).click();
    await said(ana, 'No quiet hours any more');
  });

  it('is chosen by kind, with quiet hours, and looks as it should', async () => {
    await ana.goto(`${demo.origin}/notifications#settings`);
    const box = ana.getByRole('checkbox', { name: 'Download: In app' });
    const saved = ana.waitForResponse(
      (answer) =>
        answer.url().endsWith('/v1/notification-settings') && answer.request().method() !== 'GET',
    );
    await box.check();
    await saved;
    await ana.reload();
    await ana.getByRole('checkbox', { name: 'Download: In app', checked: true }).waitFor();
    await ana.getByRole('button', { name: 'Turn on' }).last().click();
    await said(ana, 'Quiet from 18:30 to 08:00');
    await ana.getByRole('button', { name: 'Turn off' }).click();
    await said(ana, 'No quiet hours any more');
    for (const { viewport, colorScheme } of looks) {
      const page = await watch.page(browser, { viewport, colorScheme, storageState });
      for (const part of ['', 'log', 'settings']) {
        await look(
          page,
          `${results}notify-${part || 'told'}-${suffix({ viewport, colorScheme })}`,
          async () => {
            await page.goto(`${demo.origin}/notifications#${part}`);
            await page.reload();
            await page.locator('.page section, .page li').first().waitFor();
            await page.waitForLoadState('networkidle');
          },
        );
      }
      await page.context().close();
    }
    harmless(watch);
  });
});
