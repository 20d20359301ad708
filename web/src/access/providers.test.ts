import { describe, expect, it } from 'vitest';
import type { Provider } from '../api/types';
import { addressFor, draftOf, factsOf, newDraft, requestOf, unfit, vendorNames } from './providers';

const okta: Provider = {
  name: 'okta',
  id: 'acme.okta',
  title: 'Okta',
  issuer: 'https://acme.okta.example',
  client_id: 'tidings',
  has_secret: true,
  scopes: ['groups'],
  domains: ['acme.example', 'acme.test'],
  button: true,
  groups_claim: 'groups',
  map: [
    { group: 'Sales', role: 'member', team: 't_sales' },
    { group: 'IT', role: 'admin' },
  ],
  role_default: 'viewer',
  only: true,
  callback: 'https://t.example/auth/acme.okta/callback',
  logout: 'https://t.example/auth/acme.okta/logout',
  changed: '2026-11-29T12:00:00Z',
};

describe('a provider in the form', () => {
  it('is sent as it was, without its secret', () => {
    expect(requestOf(draftOf(okta))).toEqual({
      issuer: okta.issuer,
      client_id: okta.client_id,
      title: okta.title,
      scopes: okta.scopes,
      domains: okta.domains,
      groups_claim: okta.groups_claim,
      map: okta.map,
      role_default: 'viewer',
      button: true,
      only: true,
    });
  });

  it('sends a secret that was typed, and no empty rows', () => {
    const draft = {
      ...newDraft('other'),
      issuer: ' https://id.example ',
      clientID: 'c',
      secret: ' s ',
      rules: [{ group: ' ', role: 'admin' as const, team: '' }],
    };
    expect(requestOf(draft)).toEqual({
      issuer: 'https://id.example',
      client_id: 'c',
      secret: 's',
      groups_claim: 'groups',
    });
  });

  it.each([
    [{ name: 'Okta' }, 'small letters'],
    [{ name: '' }, 'small letters'],
    [{ issuer: 'https://YOUR.okta.com' }, 'your own part'],
    [{ domains: '', button: false }, 'Name a domain'],
    [{ rules: [{ group: 'IT', role: '' as const, team: '' }] }, 'Say what the group IT gives'],
    [{}, ''],
  ])('says what it lacks: %j', (change, words) => {
    const said = unfit({ ...draftOf(okta), ...change });
    if (words) expect(said).toContain(words);
    else expect(said).toBe('');
  });

  it('begins with what each vendor needs', () => {
    for (const vendor of vendorNames)
      expect(
        unfit({ ...newDraft(vendor), name: 'x', issuer: 'https://x.example', button: true }),
      ).toBe('');
  });
});

describe('what is said of a provider', () => {
  it('has the address to register', () => {
    const template = 'https://t.example/auth/acme.NAME/callback';
    expect(addressFor(template, 'okta')).toBe(okta.callback);
    expect(addressFor(template, '')).toBe(template);
  });

  it('has its domains, groups and whether it is the only way', () => {
    expect(factsOf(okta)).toEqual([
      'acme.example, acme.test',
      'button for everybody',
      '2 groups',
      'the only way in',
    ]);
    expect(
      factsOf({ ...okta, domains: [], button: false, map: [okta.map![0]!], only: false }),
    ).toEqual(['1 group']);
  });
});
