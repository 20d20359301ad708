import { describe, expect, it } from 'vitest';
import {
  cutSpan,
  everything,
  invitationOf,
  readView,
  takeToken,
  toggleType,
  writeView,
} from './address';

describe('the address of a view', () => {
  it('is read back as it was written', () => {
    const view = {
      q: 'opens from "acme & co"',
      types: ['open', 'click'] as const,
      automated: 'show' as const,
      open: 'm/17 ä',
      scope: 'team' as const,
      period: '',
      interval: '' as const,
      who: '',
      rows: 'events' as const,
      name: '',
    };
    expect(readView(writeView(view).slice(1))).toEqual({ ...view, types: ['open', 'click'] });
  });
  it('says whose page it is', () => {
    const address = writeView({ ...everything, who: 'jo+x@acme.example' }, '/people');
    expect(address).toBe('/people?who=jo%2Bx%40acme.example');
    expect(readView(address.replace('/people', '')).who).toBe('jo+x@acme.example');
  });
  it('is the root for everything', () => {
    expect(writeView(everything)).toBe('/');
    expect(readView('')).toEqual(everything);
  });
  it('leaves out what it does not understand', () => {
    expect(readView('?type=teleport&automated=maybe&x=1')).toEqual(everything);
  });
});

describe('types', () => {
  it('toggle alone, or with Ctrl together', () => {
    expect(toggleType([], 'open', false)).toEqual(['open']);
    expect(toggleType(['open'], 'open', false)).toEqual([]);
    expect(toggleType(['open'], 'click', false)).toEqual(['click']);
    expect(toggleType(['click'], 'open', true)).toEqual(['open', 'click']);
    expect(toggleType(['open', 'click'], 'open', true)).toEqual(['click']);
  });
});

describe('cutting a chip out of the text', () => {
  it('counts code points', () => {
    expect(cutSpan('🙂 opens from acme', [2, 7])).toBe('🙂 from acme');
    expect(cutSpan('opens', [0, 5])).toBe('');
  });
});

describe('a sign-in link', () => {
  it('gives its token and keeps the rest', () => {
    expect(takeToken({ hash: '#token=abc', search: '?q=opens' })).toEqual({
      token: 'abc',
      rest: '/?q=opens',
    });
    expect(takeToken({ hash: '', search: '?token=abc' })).toEqual({
      token: 'abc',
      rest: '/',
    });
    expect(takeToken({ hash: '', search: '?q=x' }).token).toBeNull();
  });

  it('reads an invitation', () => {
    expect(invitationOf({ hash: '#invitation=abc' })).toBe('abc');
    expect(invitationOf({ hash: '#token=abc' })).toBeNull();
    expect(invitationOf({ hash: '' })).toBeNull();
  });
});
