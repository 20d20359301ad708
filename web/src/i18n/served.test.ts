import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { served } from './served.de';
import { translator } from './served';

const root = join(import.meta.dirname, '../../..');
const german = translator(served);

/** Text in Go: parts in quotes, and what is put between them. */
const literal = String.raw`"(?:[^"\\\n]|\\.)*"`;
const operand = String.raw`[\w.]+(?:\[[^\]\n]*\])?(?:\((?:[^()"\n]|${literal}|\((?:[^()]|\([^()]*\))*\))*\))?`;
const text = `(?:${literal}|${operand})(?:\\s*\\+\\s*(?:${literal}|${operand}))*`;

/** sentences are the texts behind a mark in the sources of a package, {} for what is put in. */
function sentences(folder: string, mark: string): string[] {
  const files = readdirSync(join(root, folder)).filter((name) => /(?<!_test)\.go$/.test(name));
  const found = files.flatMap((name) => {
    const source = readFileSync(join(root, folder, name), 'utf8');
    return [...source.matchAll(new RegExp(`${mark}(${text})`, 'g'))].map(([, one]) => one ?? '');
  });
  return [...new Set(found.filter((one) => one.includes('"')).map(sentence))];
}

function sentence(go: string): string {
  const format = go.startsWith('fmt.Sprintf(');
  const parts = format
    ? [new RegExp(literal).exec(go)?.[0] ?? '""']
    : [...go.matchAll(new RegExp(`${literal}|${operand}`, 'g'))].map(([part]) => part);
  return parts
    .map((part) => (part.startsWith('"') ? (JSON.parse(part) as string) : '{}'))
    .join('')
    .replaceAll(/%[.\d]*[a-z]/g, (verb) => (verb === '%q' ? '"{}"' : '{}'))
    .replaceAll('%%', '%');
}

/** What programs alone are answered: no page asks so. */
const forPrograms = new Set([
  'at most 10,000 events are taken at once',
  'at most {} are taken, decompressed',
  'none of {} events is valid',
  'the Authorization header must be: Bearer, and a key',
  'the Content-Encoding is not understood here',
  'the Content-Type must be {}, in UTF-8',
  'the body did not come in time',
  'the form cannot be read',
  'the form must say {}',
  'the request is not signed as this source’s are',
  'the subprotocol {} must be offered',
  'this is a websocket; /v1/live/sse is there for those who cannot',
  'this takes a key with the role read or admin: Authorization: Bearer …',
  'this takes a key with the scope notifications:read',
  'this takes a key with the scope {}',
  'this takes {}',
  // A field and what is wrong with it.
  '{} {}',
]);

/** What a sentence may be filled with, as some have words of the server's own in them. */
const filled = ['opens', 'open', 'Mon 5 Jan, 09:00', 'this person', '3', 'quiet'];

const untranslated = (all: readonly string[]) =>
  all.filter(
    (one) =>
      !filled.some((word) => {
        const said = one.replaceAll('{}', word);
        return german(said) !== said;
      }),
  );

test('notes of searches are said in German', () => {
  const notes = sentences('query', String.raw`\bp\.note\(`);
  expect(notes.length).toBeGreaterThan(25);
  expect(untranslated(notes)).toEqual([]);
  const values = sentences('query', 'meaning\\{problem: ');
  expect(values.length).toBeGreaterThan(10);
  expect(untranslated(values)).toEqual([]);
});

test('what the server refuses is said in German, where people ask', () => {
  const problems = sentences('api', String.raw`\b(?:problem\(http\.Status\w+, |unauthorized\()`);
  expect(problems.length).toBeGreaterThan(40);
  expect(
    untranslated(problems).filter((one) => !forPrograms.has(one.replaceAll("'", '’'))),
  ).toEqual([]);
});

test('why one was told is said in German', () => {
  const mark = '(?:return |found :?= |words :?= |Found: |Fix\\{)';
  const told = sentences('notify', mark).filter((one) => /^[A-Z].*(\.|^Tell.*)$/.test(one));
  expect(told.length).toBeGreaterThan(25);
  expect(untranslated(told)).toEqual([]);
});

test.each([
  ['"frist" is read as first.', '„frist“ wird als first gelesen.'],
  [
    '"before:x" is searched for as text: that is not a domain.',
    '„before:x“ wird als Text gesucht: das ist keine Domain.',
  ],
  [
    'You are told of every open of your messages (your settings).',
    'Gemeldet wird jede Öffnung bei Ihren Nachrichten (Ihre Einstellungen).',
  ],
  [
    'You are told of no opens of everyone’s messages (the preset quiet).',
    'Nicht gemeldet: Öffnungen bei allen Nachrichten (Voreinstellung quiet).',
  ],
  [
    'You muted this person until Mon 5 Jan, 09:00.',
    'Sie haben diese Person stummgeschaltet, bis Mo 5. Jan., 09:00.',
  ],
  ['Told in the page, by mail.', 'Gemeldet: in der Seite, per E-Mail.'],
  ['Something that nobody wrote down.', 'Something that nobody wrote down.'],
])('%s', (said, here) => {
  expect(german(said.replaceAll('’', "'"))).toBe(here);
});

test('a sentence is said with all that was put into it', () => {
  const count = (text: string) => text.match(/\{~?\d?\}/g)?.length ?? 0;
  expect(served.filter(([said, here]) => count(said) !== count(here))).toEqual([]);
});
