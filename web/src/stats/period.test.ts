import { describe, expect, it } from 'vitest';
import { instantOf } from '../search/days';
import { daysBack, periodOf, shifted, termOfPeriod } from './period';

const today = '2026-11-21';

describe('a period', () => {
  it('is some days up to today, or two dates', () => {
    expect(periodOf('7d', today)).toEqual({ first: '2026-11-15', last: today, days: 7 });
    expect(periodOf('2026-10-01..2026-10-31', today)).toEqual({
      first: '2026-10-01',
      last: '2026-10-31',
      days: 31,
    });
  });
  it('is the usual one when the address makes no sense', () => {
    for (const text of ['', 'soon', '2026-10-31..2026-10-01', '2026-13-01..2026-14-01']) {
      expect(periodOf(text, today).days, text).toBe(30);
    }
  });
  it('moves by its own length, and not beyond today', () => {
    const week = periodOf('7d', today);
    expect(shifted(week, -1, today)).toBe('2026-11-08..2026-11-14');
    expect(shifted(periodOf('2026-11-08..2026-11-14', today), 1, today)).toBe('7d');
  });
  it('is a month, as far as that has come', () => {
    const month = periodOf('2026-11', today);
    expect(month).toEqual({ first: '2026-11-01', last: today, days: 21, month: true });
    expect(shifted(month, -1, today)).toBe('2026-10');
    expect(periodOf('2026-02', today).last).toBe('2026-02-28');
    expect(shifted(periodOf('2025-12', today), 1, today)).toBe('2026-01');
    expect(periodOf('2026-12', today).days).toBe(30);
  });
  it('is compared with the same days of the week', () => {
    expect(['1d', '7d', '30d', '2026-10'].map((text) => daysBack(periodOf(text, today)))).toEqual([
      7, 7, 35, 35,
    ]);
  });
  it('is said in the search language', () => {
    expect(termOfPeriod(periodOf('2026-10-01..2026-10-31', today))).toBe(
      'since:2026-10-01 before:2026-11-01',
    );
  });
});

describe('the beginning of a day', () => {
  const rows: [string, string, string][] = [
    ['2026-11-21', 'UTC', '2026-11-21T00:00:00Z'],
    ['2026-11-21', 'Europe/Berlin', '2026-11-20T23:00:00Z'],
    ['2026-07-01', 'America/New_York', '2026-07-01T04:00:00Z'],
    // The clocks change at two in the morning.
    ['2026-10-25', 'Europe/Berlin', '2026-10-24T22:00:00Z'],
    ['2026-10-26', 'Europe/Berlin', '2026-10-25T23:00:00Z'],
    ['2026-11-21', 'Asia/Kathmandu', '2026-11-20T18:15:00Z'],
  ];
  it.each(rows)('%s in %s is %s', (day, zone, want) => {
    expect(new Date(instantOf(day, zone) * 1000).toISOString().replace('.000', '')).toBe(want);
  });
});
