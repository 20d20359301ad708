import { describe, expect, it } from 'vitest';
import type { Decision, Item, Mute } from '../api/types';
import { toggled, withOften } from './kinds';
import { untilOf } from './mutes';
import { daysOf, hoursOf, usual } from './quiet';
import { cutTo } from './rules';
import { mutesOf, place, readIn, without } from './told';

const one = (id: string, time: string, more: Partial<Decision> = {}): Decision => ({
  id,
  time,
  outcome: 'notified',
  kind: 'open',
  reasons: [],
  channels: ['inpage'],
  read: false,
  event: null,
  ...more,
});
const ids = (list: readonly Decision[]) => list.map(({ id }) => id).join('');

describe('the list of notifications', () => {
  const list = [one('c', '2026-11-29T12:00:00Z'), one('a', '2026-11-29T10:00:00Z')];

  it('has each one once, by its time', () => {
    expect(ids(place(list, one('b', '2026-11-29T11:00:00Z')))).toBe('cba');
    expect(ids(place(list, one('d', '2026-11-29T13:00:00Z')))).toBe('dca');
    expect(ids(place(list, one('0', '2026-11-29T09:00:00Z')))).toBe('ca0');
    const again = place(list, one('a', '2026-11-29T10:00:00Z', { outcome: 'withdrawn' }));
    expect(ids(again)).toBe('ca');
    expect(again[1]?.outcome).toBe('withdrawn');
  });

  it('is read in part or whole, and forgets what is gone', () => {
    expect(readIn(list, ['a']).map(({ read }) => read)).toEqual([false, true]);
    expect(readIn(list).every(({ read }) => read)).toBe(true);
    const item = { id: 'e' } as Item;
    expect(without([one('a', '', { event: item })], 'e')[0]?.event).toBeNull();
    expect(without([one('a', '', { event: item })], 'f')[0]?.event).toBe(item);
  });
});

describe('mutes', () => {
  const item = {
    message: 'm1',
    person: { email: 'Jo@Acme.example' },
    user: { id: 'u_ana' },
  } as Item;

  it.each<[Mute, boolean]>([
    [{ what: 'person', id: 'jo@acme.example' }, true],
    [{ what: 'person', id: 'jo@acme.example', until: 10 }, false],
    [{ what: 'domain', id: 'acme.example' }, true],
    [{ what: 'domain', id: 'cme.example' }, false],
    [{ what: 'message', id: 'm1' }, true],
    [{ what: 'message', id: 'm2' }, false],
    [{ what: 'user', id: 'u_ana' }, true],
    [{ what: 'kind', id: 'open' }, true],
    [{ what: 'all' }, true],
  ])('finds %j: %s', (mute, found) => {
    expect(mutesOf([mute], item, 'open', 20_000)).toHaveLength(found ? 1 : 0);
  });

  it.each([
    ['Europe/Berlin', '2026-11-29T12:00:00Z', '2026-11-30T07:00:00.000Z'],
    ['America/New_York', '2026-11-29T12:00:00Z', '2026-11-30T13:00:00.000Z'],
    ['Asia/Kathmandu', '2026-11-29T12:00:00Z', '2026-11-30T02:15:00.000Z'],
    // On the Monday itself it is the one after; the clock changes on the way.
    ['Europe/Berlin', '2026-10-19T06:00:00Z', '2026-10-26T07:00:00.000Z'],
  ])('last until Monday in %s from %s', (zone, now, until) => {
    expect(new Date(untilOf('monday', Date.parse(now), zone)! * 1000).toISOString()).toBe(until);
  });

  it('last for an hour, or for ever', () => {
    expect(untilOf('hour', 5_000, 'UTC')).toBe(3_605);
    expect(untilOf('ever', 5_000, 'UTC')).toBeUndefined();
  });
});

describe('rows of the settings', () => {
  it('are switched by channel', () => {
    expect(toggled({ often: 'off' }, 'inpage')).toEqual({ often: 'every', channels: ['inpage'] });
    const both = { often: 'first-per-link' as const, channels: ['inpage' as const] };
    expect(toggled(both, 'desktop').channels).toEqual(['inpage', 'desktop']);
    expect(toggled(both, 'inpage')).toEqual({ often: 'off' });
    expect(withOften({ often: 'off' }, 'every').channels).toEqual(['inpage', 'desktop', 'push']);
    expect(withOften(both, 'every')).toEqual({ often: 'every', channels: ['inpage'] });
  });
});

describe('quiet hours', () => {
  it('are read as they were written', () => {
    for (const weekends of [true, false]) {
      const hours = { ...usual, weekends };
      expect(hoursOf(daysOf(hours))).toMatchObject({ from: '18:30', until: '08:00', weekends });
    }
    expect(hoursOf(undefined)).toBeNull();
    expect(hoursOf({ days: { '1': [{ from: '12:00', until: '13:00' }] } })).toBeNull();
  });
});

describe('names of rules', () => {
  it('are cut to the bytes that a name may have, between letters', () => {
    expect(cutTo(' a ')).toBe('a');
    expect(new TextEncoder().encode(cutTo('ü'.repeat(300))).length).toBe(200);
    expect(cutTo('👍'.repeat(51))).toBe('👍'.repeat(50));
  });
});
