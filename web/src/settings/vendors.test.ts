import { expect, test } from 'vitest';
import { addressOf, begun, secretFor, vendorOf, vendors } from './vendors';

const random = Uint8Array.from({ length: 24 }, (_, i) => 250 - i);
const made = secretFor('calcom', random);

test('a secret is long, and may stand in an address', () => {
  expect(made.length).toBeGreaterThanOrEqual(32);
  expect(made).toMatch(/^[\w-]+$/);
  expect(secretFor('standard', random)).toMatch(/^whsec_[A-Za-z0-9+/]{32}$/);
});

test.each([
  ['sendgrid', '', { provider: 'sendgrid', draft: true }, ''],
  ['ses', 'arn:aws:sns:1', { provider: 'ses', keys: ['arn:aws:sns:1'] }, ''],
  ['calcom', '', { provider: 'calcom', keys: [made] }, made],
  ['postmark', '', { provider: 'postmark', basic: [`tidings:${made}`] }, made],
  ['unheard-of', '', { provider: 'unheard-of', draft: true }, ''],
])('%s begins as it must', (provider, known, request, secret) => {
  expect(begun(provider, known, random)).toEqual({ request, secret });
});

test('a user and password stand in the address where the vendor sends them so', () => {
  const at = (provider: string) => addressOf(provider, 'https://t.example', '/v1/hooks/h', 's3');
  expect(at('postmark')).toBe('https://tidings:s3@t.example/v1/hooks/h');
  expect(at('calcom')).toBe('https://t.example/v1/hooks/h');
});

test('every vendor is told of in full', () => {
  for (const provider of Object.keys(vendors)) {
    const { name, needs, where } = vendorOf(provider);
    for (const said of [name, needs, where]) expect(said, provider).not.toBe('');
  }
});
