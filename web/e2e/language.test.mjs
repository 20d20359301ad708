// The page in a German browser: no sentence of the English catalogue on any page.
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { eventually, harmless, suffix, violations } from './browser.mjs';
import { begin, results, signIn } from './scene.mjs';

const assets = new URL('../dist/assets/', import.meta.url);

/** The sentences of the English catalogue that German says otherwise, as they were built. */
async function english() {
  const { number, many } = {
    number: String,
    many: (count, one, other) => other.replace('#', String(count)),
  };
  const texts = { en: new Set(), de: new Set() };
  for (const name of await readdir(assets)) {
    const [, tag] = /^(en|de)-.*\.js$/.exec(name) ?? [];
    if (!tag) continue;
    const part = Object.values(await import(new URL(name, assets)))[0]({ number, many });
    const look = (said) => {
      if (typeof said === 'object' && said !== null) return Object.values(said).forEach(look);
      let text = said;
      if (typeof said === 'function') {
        try {
          text = said(...['§', '§', '§', '§'].slice(0, said.length));
        } catch {
          return;
        }
      }
      // What is left between the names is long enough to be told from a name.
      for (const piece of String(text).split(/[§⟦⟧]/))
        if (/\p{L}+ \p{L}+/u.test(piece.trim())) texts[tag].add(piece.trim());
    };
    look(part);
  }
  assert.ok(texts.en.size > 500, `${texts.en.size} English texts`);
  return [...texts.en].filter((text) => !texts.de.has(text));
}

/** Where answers hold what people and mail servers wrote. */
const byOthers = new Set([
  'subject',
  'title',
  'snippet',
  'body',
  'own_words',
  'name',
  'file',
  'detail',
]);

describe('the page in German', () => {
  let demo, browser, watch, end, page, storageState, sentences;

  before(async () => {
    ({ demo, browser, watch, page, end } = await begin());
    storageState = await signIn(demo, page);
    sentences = await english();
  });
  after(() => end?.());

  /** What each page was answered. */
  const answers = new WeakMap();
  const german = async (options = {}) => {
    const p = await watch.page(browser, { storageState, locale: 'de-DE', ...options });
    answers.set(p, []);
    p.on('response', (response) => {
      if (new URL(response.url()).pathname.startsWith('/v1/'))
        answers.get(p).push(response.json().catch(() => null));
    });
    return p;
  };

  /** What can be seen or heard, without what people and mail servers wrote: that may be English. */
  const said = async (p) => {
    const written = new Set();
    // A problem's title and detail are the server's own.
    const look = (value, name) => {
      if (typeof value === 'string') {
        if (byOthers.has(name)) written.add(value.replaceAll(/\s+/g, ' ').trim());
      } else if (value && (value.status === undefined || value.detail === undefined))
        Object.entries(value).forEach(([key, one]) => look(one, key));
    };
    look(await Promise.all(answers.get(p) ?? []));
    const longestFirst = [...written].filter(Boolean).sort((a, b) => b.length - a.length);
    const texts = await p.evaluate(() => {
      const texts = [document.title, ...document.body.innerText.split('\n')];
      for (const name of ['aria-label', 'title', 'placeholder', 'alt'])
        for (const node of document.querySelectorAll(`[${name}]`))
          texts.push(node.getAttribute(name));
      return texts;
    });
    return texts.map((text) =>
      longestFirst.reduce((rest, one) => rest.replaceAll(one, '⟦⟧'), text.replaceAll(/\s+/g, ' ')),
    );
  };

  /** What of the English catalogue can be seen or heard. */
  const left = async (p) => {
    const all = (await said(p)).join('\n');
    return sentences.filter((sentence) => all.includes(sentence));
  };

  /** What sticks out of the screen. */
  const wide = (p) => p.evaluate(() => document.documentElement.scrollWidth - innerWidth);

  const pages = [
    ['/', 'Aktivität', (p) => p.locator('li[data-id]').first()],
    ['/now', 'Jetzt'],
    ['/nudge', 'Nachfassen'],
    ['/stats', 'Statistik', (p) => p.getByText('Wann E-Mails geöffnet werden')],
    ['/notifications', 'Benachrichtigungen', (p) => p.getByText('Protokoll')],
    ['/settings', 'Einstellungen', (p) => p.getByRole('heading', { name: 'Scanner', exact: true })],
    ['/dead-letters', 'Fehlgeschlagene Ereignisse', (p) => p.getByText('Nichts ist endgültig')],
  ];

  for (const viewport of [
    { width: 1440, height: 900 },
    { width: 390, height: 844 },
  ])
    it(`says nothing in English on its pages at ${viewport.width} px`, async () => {
      const p = await german({ viewport, colorScheme: 'light' });
      for (const [path, name, there] of pages) {
        await p.goto(demo.origin + path);
        await (there?.(p) ?? p.getByRole('heading', { name, exact: true })).first().waitFor();
        await p.waitForLoadState('networkidle');
        assert.equal(await p.getAttribute('html', 'lang'), 'de');
        assert.deepEqual(await left(p), [], path);
        assert.ok((await wide(p)) <= 0, `${path} is ${await wide(p)} px too wide`);
        assert.deepEqual(await violations(p), [], path);
        await p.screenshot({
          path: `${results}german-${path.replaceAll(/\W+/g, '') || 'feed'}-${suffix({ colorScheme: 'light', viewport })}.png`,
        });
      }
      await p.context().close();
    });

  it('answers, opens a mail, a person and a company, and says why a machine’s is one', async () => {
    const p = await german({ viewport: { width: 1440, height: 900 } });
    await p.goto(
      `${demo.origin}/?q=${encodeURIComponent('wer hat das Angebot geöffnet')}&automated=show`,
    );
    const answer = p.getByRole('region', { name: 'Antwort' });
    await answer.waitFor();
    await p.waitForLoadState('networkidle');
    assert.match(await answer.innerText(), /\d+ (Person|Ereignis)/);
    assert.deepEqual(await left(p), [], 'an answer');
    await p.goto(`${demo.origin}/?automated=only`);
    await p.locator('li[data-id] time').first().click();
    await p.getByRole('button', { name: 'Link kopieren' }).waitFor();
    await p.waitForLoadState('networkidle');
    assert.deepEqual(await left(p), [], 'a panel');
    // German is longer: no button is cut off, and no head of a column runs into the next.
    const cut = await p.evaluate(() =>
      [...document.querySelectorAll('button, thead th')]
        .filter((node) => node.checkVisibility() && !node.closest('.types'))
        .filter(
          (node) =>
            node.getBoundingClientRect().right > innerWidth ||
            // What only answers a finger beside a button is no part of what is seen.
            (node.matches('th') && node.scrollWidth > node.clientWidth + 1),
        )
        .map((node) => node.textContent.trim()),
    );
    assert.deepEqual(cut, []);
    await p.screenshot({ path: `${results}german-panel.png` });
    await p.keyboard.press('Escape');
    await p.goto(demo.origin);
    const link = p.locator('li[data-id] a[href^="/people"]').first();
    const who = new URL(await link.getAttribute('href'), demo.origin).searchParams.get('who');
    for (const path of [`/people?who=${who}`, `/companies?who=${who.split('@')[1]}`]) {
      await p.goto(demo.origin + path);
      await p.getByText('Auf einen Blick').waitFor();
      await p.waitForLoadState('networkidle');
      assert.deepEqual(await left(p), [], path);
      assert.deepEqual(await violations(p), [], path);
      await p.screenshot({ path: `${results}german${path.slice(0, 5).replace('/', '-')}.png` });
    }
    await p.context().close();
  });

  it('says in German what the server says', async () => {
    const p = await german({ viewport: { width: 1440, height: 900 } });
    await p.goto(`${demo.origin}/?q=${encodeURIComponent('before:gestern pricing foo:')}`);
    await p.getByText('wird als Text gesucht').first().waitFor();
    await p.goto(`${demo.origin}/notifications#log`);
    const why = p.getByText(/^(Gemeldet wird|Das war eine Maschine)/).first();
    await why.waitFor();
    await p.getByRole('button', { name: 'Zeigen, wie das entschieden wurde' }).first().click();
    await p.getByText('Das dürfen Sie sehen.').waitFor();
    const english = /\b(You|you|your|told|Somebody|Nothing|A machine did)\b/;
    assert.deepEqual(
      (await said(p)).filter((text) => english.test(text)),
      [],
    );
    await p.context().close();
  });

  it('speaks German to who has not signed in', async () => {
    const p = await watch.page(browser, { locale: 'de-AT' });
    await p.goto(demo.origin);
    await p.getByRole('heading', { name: 'Bei Tidings anmelden' }).waitFor();
    assert.deepEqual(await left(p), []);
    assert.deepEqual(await violations(p), []);
    await p.context().close();
  });

  it('speaks what was chosen, whatever the browser asks for', async () => {
    const p = await watch.page(browser, { storageState, locale: 'fr-FR' });
    await p.goto(`${demo.origin}/settings`);
    assert.equal(await p.getAttribute('html', 'lang'), 'en');
    await p.getByLabel('Language').selectOption('Deutsch');
    await p.getByRole('heading', { name: 'Einstellungen' }).waitFor();
    await p.reload();
    await p.getByLabel('Sprache').selectOption('Wie dieser Browser');
    await p.getByRole('heading', { name: 'Settings' }).waitFor();
    await eventually('English again', async () => (await p.getAttribute('html', 'lang')) === 'en');
    await p.context().close();
  });

  it('asked nothing wrong and no other host, broke no policy and threw nothing', () => {
    harmless(watch);
  });
});
