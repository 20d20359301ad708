import { expect, test } from 'vitest';
import { takeEmbedToken } from './token';

const claims = btoa(
  JSON.stringify({ iss: 'acme', origins: ['https://a.example', 'https://b.example'] }),
)
  .replaceAll('+', '-')
  .replaceAll('/', '_')
  .replace(/=+$/, '');
const token = `e30.${claims}.x`;

test.each([
  ['?origin=https://a.example', token, ''],
  ['?origin=https://a.example&origin=https://b.example&q=type:reply', token, 'q=type%3Areply'],
  ['?origin=https://evil.example', '', ''],
  ['?origin=https://a.example&origin=https://evil.example', '', ''],
  ['', '', ''],
])('a token counts for the origins that it names: %s', (search, want, rest) => {
  expect(takeEmbedToken({ search, hash: `#token=${token}` })).toEqual({ token: want, rest });
});

test('a token in the query is none', () => {
  expect(
    takeEmbedToken({ search: `?token=${token}&origin=https://a.example`, hash: '' }).token,
  ).toBe('');
  expect(
    takeEmbedToken({ search: '?origin=https://a.example', hash: '#token=e30.%%%.x' }).token,
  ).toBe('');
});
