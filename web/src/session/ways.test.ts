import { describe, expect, it } from 'vitest';
import { failedOf, wayTo } from './ways';

describe('a sign-in at a provider', () => {
  it.each([
    ['unknown', 'no such way'],
    ['expired', 'took too long'],
    ['declined', 'cancelled'],
    ['provider', 'can’t be reached'],
    ['not-anew', 'just shown who you are'],
    ['not-invited', 'an invitation'],
    ['no-role', 'none of your groups'],
    ['suspended', 'can’t come in'],
    ['of-tomorrow', 'Try once more'],
  ])('that failed (%s) says why', (reason, words) => {
    expect(failedOf({ hash: `#sign-in-failed=${reason}` })).toContain(words);
  });

  it('has not failed at other addresses', () => {
    for (const hash of ['', '#', '#token=x', '#sign-in-failed='])
      expect(failedOf({ hash })).toBeNull();
  });

  it('begins at its path, with what is known', () => {
    const okta = { id: 'acme.okta', title: 'Okta', path: '/auth/acme.okta' };
    expect(wayTo(okta, {})).toBe('/auth/acme.okta');
    expect(wayTo(okta, { to: '/' })).toBe('/auth/acme.okta');
    expect(wayTo(okta, { email: 'a+b@c.example', to: '/stats?x=1', again: true })).toBe(
      '/auth/acme.okta?email=a%2Bb%40c.example&to=%2Fstats%3Fx%3D1&again=true',
    );
    expect(wayTo(okta, { invitation: 'tid_x' })).toBe('/auth/acme.okta?invitation=tid_x');
  });
});
