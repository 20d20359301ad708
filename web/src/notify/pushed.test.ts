import { describe, expect, it } from 'vitest';
import { bytesOf, hindranceOf, refusedBy, sameKey } from './pushed';

const able = {
  secure: true,
  worker: true,
  push: true,
  permission: 'default' as const,
  agent: 'Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari/537.36',
  touch: false,
};
const phone = 'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/605.1';

describe('what stands in the way of a device', () => {
  it.each([
    ['nothing', able, ''],
    ['no HTTPS', { ...able, secure: false, worker: false, push: false }, 'insecure'],
    ['an old browser', { ...able, push: false }, 'unsupported'],
    ['a refusal', { ...able, permission: 'denied' as const }, 'denied'],
    [
      'an iPhone’s tab',
      { ...able, agent: phone, push: false, permission: undefined },
      'homescreen',
    ],
    [
      'an iPad that calls itself a Mac',
      { ...able, agent: 'Mozilla/5.0 (Macintosh)', touch: true, push: false },
      'homescreen',
    ],
    ['an installed page on an iPhone', { ...able, agent: phone }, ''],
  ])('%s', (_, offers, hindrance) => expect(hindranceOf(offers)).toBe(hindrance));
});

describe('keys', () => {
  it('are compared byte by byte', () => {
    expect([...bytesOf('-_8A')]).toEqual([251, 255, 0]);
    expect(sameKey(bytesOf('-_8A').buffer, '-_8A')).toBe(true);
    expect(sameKey(bytesOf('-_8B').buffer, '-_8A')).toBe(false);
    expect(sameKey(null, '-_8A')).toBe(false);
  });
});

describe('what a browser refuses', () => {
  it('is said with what to do', () => {
    expect(refusedBy(new DOMException('no', 'NotAllowedError'))).toMatch(/settings for this site/);
    expect(refusedBy(new DOMException('no', 'AbortError'))).toMatch(/push service.*try again/);
    expect(refusedBy('?')).toMatch(/Reload/);
  });
});
