import { nextDay, termOf } from '../search/days';
import { t } from '../i18n/rest';

/** Whole days in the reader's zone, the last one included. */
export interface Period {
  first: string;
  last: string;
  days: number;
  /** Whether it is a month of the calendar, as far as that has come. */
  month?: true;
}

/** The periods that are offered, in days. */
export const presets = [
  { value: '7d', label: t.stats.last7d },
  { value: '30d', label: t.stats.last30d },
  { value: '84d', label: t.stats.last12w },
  { value: '364d', label: t.stats.last52w },
] as const;

export const usual = '30d';
const longest = 3660;

/** periodOf reads the period of an address; what it does not understand is the usual one. */
export function periodOf(text: string, today: string): Period {
  if (/^\d{4}-(0[1-9]|1[0-2])$/.test(text) && text <= today.slice(0, 7)) {
    const begin = `${text}-01`;
    const end = nextDay(`${monthAfter(text, 1)}-01`, -1);
    const stop = end < today ? end : today;
    return { first: begin, last: stop, days: daysBetween(begin, stop), month: true };
  }
  const [first, last] = text.split('..');
  if (first && last && isDay(first) && isDay(last) && first <= last) {
    return { first, last, days: daysBetween(first, last) };
  }
  const days = Number(/^(\d{1,4})d$/.exec(text)?.[1] ?? 30);
  const count = Math.min(Math.max(days, 1), longest);
  return { first: nextDay(today, 1 - count), last: today, days: count };
}

/** shifted is the period of the same length before (-1) or after (1), not beyond today. */
export function shifted(period: Period, by: 1 | -1, today: string): string {
  if (period.month) return monthAfter(period.first.slice(0, 7), by);
  const last = nextDay(period.last, by * period.days);
  if (last >= today) return `${period.days}d`;
  return `${nextDay(last, 1 - period.days)}..${last}`;
}

/** monthAfter is the month that many after one, 2026-11. */
export function monthAfter(month: string, by: number): string {
  const [year = 0, number = 1] = month.split('-').map(Number);
  return new Date(Date.UTC(year, number - 1 + by, 1)).toISOString().slice(0, 7);
}

/** daysBack is how far back the time is that a period is compared with: whole weeks. */
export const daysBack = ({ days }: Period): number => 7 * Math.ceil(days / 7);

/** termOfPeriod is how the search says it. */
export function termOfPeriod({ first, last }: Period): string {
  return termOf({ from: first, to: nextDay(last) });
}

function isDay(text: string): boolean {
  return /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text));
}

function daysBetween(first: string, last: string): number {
  return Math.round((Date.parse(last) - Date.parse(first)) / 86_400_000) + 1;
}
