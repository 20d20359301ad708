import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const web = join(import.meta.dirname, '..');
const tests = new Map(
  readdirSync(join(web, 'e2e'))
    .filter((name) => name.endsWith('.test.mjs'))
    .map((name) => {
      const source = readFileSync(join(web, 'e2e', name), 'utf8');
      const titles = [...source.matchAll(/\bit\(\s*['`](.*?)['`],/g)].map(
        ([, title]) => title ?? '',
      );
      return [name.replace('.test.mjs', ''), titles] as const;
    }),
);

test('each task of docs/design-reference.md names browser tests that there are', () => {
  const page = readFileSync(join(web, '../docs/design-reference.md'), 'utf8');
  const tasks = (page.split('| Task | Test |')[1] ?? '')
    .split('\n')
    .filter((line) => /^\| \w/.test(line));
  expect(tasks.length).toBeGreaterThanOrEqual(25);
  const missing = tasks.flatMap((line) => {
    let file = '';
    return (line.split('|')[2] ?? '').split(';').filter((one) => {
      const [, named, title = one] = /^\s*(\w+):(.*)$/.exec(one) ?? [];
      if (!named && one.split(',').every((name) => tests.has(name.trim()))) return false;
      file = named ?? file;
      return !tests.get(file)?.some((there) => there.includes(title.trim()));
    });
  });
  expect(missing).toEqual([]);
});
