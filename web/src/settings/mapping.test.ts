import { expect, test } from 'vitest';
import type { Source, Tries } from '../api/types';
import { editedOf, notesOf, requestOf, startOf, textOf } from './mapping';

const source = {
  name: 'phone',
  provider: 'json',
  keys: 1,
  basic: 0,
  addresses: ['192.0.2.0/24'],
  user: { by: 'address' },
  verify: { by: 'path' },
  mapping: { name: 'e.kind', time: 'e.at', message: 'e.id', events: { call: 'custom call' } },
} as unknown as Source;

test('what is edited goes back with the rest of the source, and without its secrets', () => {
  const edited = editedOf(textOf(source));
  expect(requestOf(source, edited)).toEqual({
    provider: 'json',
    user: { by: 'address' },
    addresses: ['192.0.2.0/24'],
    verify: source.verify,
    mapping: source.mapping,
  });
});

test('what is no mapping is said', () => {
  expect(() => editedOf('{')).toThrow('This is not JSON');
  expect(() => editedOf('[]')).toThrow('an object');
  expect(() => editedOf('{"maping": {}}')).toThrow('maping is neither');
});

test('a source of one’s own is signed where it has a key', () => {
  expect(startOf('secret').verify).toMatchObject({ by: 'hmac' });
  expect(startOf('').verify).toEqual({ by: 'path' });
});

test('each field of which nothing came out is told with its reason', () => {
  const tries = {
    items: [
      {
        unknown: ['strange'],
        events: [{ found: ['name'], missing: ['title'], notes: { title: 'cannot fetch' } }],
      },
    ],
  } as unknown as Tries;
  expect(notesOf(tries)).toEqual([
    'strange is not in events: it would be kept as unknown.',
    'title: nothing came out, cannot fetch',
  ]);
});
