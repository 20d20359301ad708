import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually, goTo, harmless, look, looks, suffix, violations } from './browser.mjs';
import { Mail } from './events.mjs';
import { begin, results, signIn } from './scene.mjs';

const day = 86_400;

/** at is an event at another time, so many seconds ago. */
const at = (event, seconds, id = '') => ({
  ...event,
  id: `${event.id}${id}`,
  time: new Date(Date.now() - seconds * 1_000).toISOString().replace(/\.\d+/, ''),
});

describe('who to call and who to nudge', () => {
  const mail = new Mail(`followups-${Date.now()}`);
  let demo, browser, watch, end, page, storageState, me;

  before(async () => {
    ({ demo, browser, watch, page, end } = await begin('1'));
    storageState = await signIn(demo, page);
    await page.locator('li[data-id]').first().waitFor();
    me = await page.evaluate(async () => (await (await fetch('/v1/session')).json()).user.id);
    const ingest = await demo.key('ingest');
    const offer = at({ ...mail.send('Offer', 'Quill', 'Rosa', 'Bart'), user: me }, 6 * day);
    const again = at({ ...mail.send('Second offer', 'Quill'), user: me }, 4 * day);
    await demo.post(
      ingest,
      offer,
      again,
      at(mail.open('Offer', 'Rosa'), 5 * day),
      { ...at(mail.open('Offer', 'Bart'), 6 * day - 60), id: `${offer.id}-b`, type: 'bounce' },
      // Somebody who was away for weeks opens one mail again and again.
      at({ ...mail.send('Proposal', 'Wilma'), user: me }, 30 * day),
      at(mail.open('Proposal', 'Wilma'), 25 * day),
      ...[1_200, 600, 120].map((ago) => at(mail.open('Proposal', 'Wilma'), ago, `-${ago}`)),
    );
    await eventually('all is read', async () => (await demo.waiting()) === 0);
  });
  after(() => end?.());

  const people = (p = page) => p.getByRole('main').locator('li.person');
  const person = (name, p = page) => people(p).filter({ hasText: name });
  const open = async (path, p = page) => {
    await p.goto(`${demo.origin}${path}?scope=me`);
    await people(p).first().waitFor();
  };

  it('says who to call now, and why', async () => {
    await open('/now');
    const wilma = person('Wilma');
    await wilma.getByText(/Opened “Proposal” three times in 18 minutes/).waitFor();
    await wilma.getByText(/for the first time in three weeks/).waitFor();
    await wilma.getByRole('button', { name: 'Done with Wilma' }).click();
    await wilma.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Undo' }).click();
    await wilma.waitFor();
  });

  it('puts somebody off, and has them back', async () => {
    await open('/now');
    await page.getByRole('button', { name: 'Not now: Wilma' }).click();
    await page.getByRole('button', { name: 'Tomorrow' }).click();
    await person('Wilma').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: /^Later/ }).click();
    await person('Wilma')
      .getByText(/Comes back/)
      .waitFor();
    await page.getByRole('button', { name: 'Open Wilma again' }).click();
    await page.getByRole('button', { name: /^To do/ }).click();
    await person('Wilma').waitFor();
  });

  it('lists who let mail wait, by person, and bounced apart', async () => {
    await open('/nudge');
    await person('Quill').getByText('not opened').first().waitFor();
    assert.equal(await person('Quill').getByRole('link', { name: /offer/i }).count(), 2);
    await person('Rosa').getByText('opened, no answer').waitFor();
    assert.equal(await person('Bart').count(), 0);
    await page.getByRole('region', { name: 'Bounced' }).getByText('bart@acme.example').waitFor();
    await page.getByLabel('Sent at least').selectOption('5');
    await person('Quill').waitFor({ state: 'detached' });
    await person('Rosa').waitFor();
  });

  it('copies the addresses of those who may be nudged alone', async () => {
    await open('/nudge');
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.getByRole('button', { name: /^Copy \d+ addresses/ }).click();
    const copied = (await page.evaluate(() => navigator.clipboard.readText())).split('\n');
    assert.ok(copied.includes('quill@acme.example') && copied.includes('rosa@acme.example'));
    assert.ok(!copied.includes('bart@acme.example'));
  });

  it('lets a colleague take over, with a note that both see', async () => {
    await open('/nudge');
    await page.getByRole('button', { name: 'Note for Rosa' }).click();
    await page.getByLabel('Taken care of by').selectOption({ label: 'Ben Adeyemi' });
    await page.getByLabel('Note, for your team too').fill('Ask about the budget');
    await page.getByRole('button', { name: 'Save' }).click();
    await person('Rosa').getByText('Ben Adeyemi takes care of it').waitFor();
    await page.reload();
    await person('Rosa').getByText('Ask about the budget').waitFor();
    await page.goto(`${demo.origin}/people?who=rosa%40acme.example`);
    await page.getByText('Ask about the budget').waitFor();
  });

  it('loses nothing that a colleague noted meanwhile', async () => {
    const other = await watch.page(browser, {
      storageState,
      viewport: { width: 1440, height: 900 },
    });
    await open('/nudge');
    await open('/nudge', other);
    await page.getByRole('button', { name: 'Note for Quill' }).click();
    await page.getByLabel('Note, for your team too').fill('I called');
    await other.getByRole('button', { name: 'Done with Quill' }).click();
    await person('Quill', other).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Save' }).click();
    await page
      .getByRole('alert')
      .getByText(/Somebody else changed it/)
      .waitFor();
    await other.context().close();
  });

  it('writes nothing over a note that came while the own was written', async () => {
    const desk = { storageState, viewport: { width: 1440, height: 900 } };
    const [mine, other] = [await watch.page(browser, desk), await watch.page(browser, desk)];
    await mine.clock.install();
    await open('/nudge', mine);
    await open('/nudge', other);
    await mine.getByRole('button', { name: 'Note for Rosa' }).click();
    await mine.getByLabel('Note, for your team too').fill('Mine');
    await other.getByRole('button', { name: 'Note for Rosa' }).click();
    await other.getByLabel('Note, for your team too').fill('Theirs');
    await other.getByRole('button', { name: 'Save' }).click();
    await person('Rosa', other).getByText('Theirs').waitFor();
    // The list is read anew while the note is open.
    await mine.clock.fastForward(60_000);
    await person('Rosa', mine).getByText('Theirs').waitFor();
    await mine.getByRole('button', { name: 'Save' }).click();
    await mine
      .getByRole('alert')
      .getByText(/Somebody else changed it/)
      .waitFor();
    await mine.context().close();
    await other.context().close();
  });

  it('is done with a swipe, and by keys alone', async () => {
    const phone = await watch.page(browser, {
      storageState,
      ...looks[1],
      hasTouch: true,
      isMobile: true,
    });
    await open('/now', phone);
    const wilma = person('Wilma', phone);
    const box = await wilma.boundingBox();
    const touch = (type, x) =>
      wilma.dispatchEvent(type, {
        pointerType: 'touch',
        isPrimary: true,
        pointerId: 7,
        bubbles: true,
        clientX: box.x + x,
        clientY: box.y + 40,
      });
    await touch('pointerdown', 40);
    await touch('pointermove', 90);
    await touch('pointermove', 200);
    await touch('pointerup', 200);
    await wilma.waitFor({ state: 'detached' });
    await phone.getByRole('button', { name: 'Undo' }).click();
    await wilma.waitFor();
    await phone.context().close();

    await page.goto(`${demo.origin}/?scope=me`);
    await page.locator('li[data-id]').first().waitFor();
    await goTo(page, 'c', person('Wilma'));
    await page.getByRole('button', { name: 'Done with Wilma' }).focus();
    await page.keyboard.press('Enter');
    await person('Wilma').waitFor({ state: 'detached' });
  });

  it('looks right', async () => {
    for (const each of looks) {
      const p = await watch.page(browser, { storageState, ...each });
      // Everybody's list of who to nudge has hundreds of rows: one's own has each kind of them.
      for (const path of ['now', 'nudge?scope=me'])
        await look(p, `${results}${path.split('?')[0]}-${suffix(each)}`, async () => {
          await p.goto(`${demo.origin}/${path}`);
          await people(p).first().waitFor();
        });
      await p.context().close();
    }
    const forced = await watch.page(browser, { storageState, forcedColors: 'active' });
    await open('/nudge', forced);
    assert.deepEqual(await violations(forced), []);
    await forced.context().close();
  });

  it('asked for nothing that it may not', () => {
    watch.refused = watch.refused.filter((one) => !one.startsWith('409'));
    harmless(watch);
  });
});
