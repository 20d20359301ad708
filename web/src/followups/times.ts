import { t } from '../i18n/rest';

const day = 24 * 60 * 60_000;

/** When a snooze may end, from now on. */
export const snoozes: readonly { label: string; days: number }[] = [
  { label: t.followups.tomorrow, days: 1 },
  { label: t.followups.inThreeDays, days: 3 },
  { label: t.common.inAWeek, days: 7 },
  { label: t.followups.inAMonth, days: 30 },
];

/** snoozedUntil is eight in the morning, so many of the reader's days ahead. */
export function snoozedUntil(days: number, now: number): string {
  const at = new Date(now + days * day);
  at.setHours(8, 0, 0, 0);
  return at.toISOString();
}

/** daysAgo is how many days something is ago, as people say it. */
export function daysAgo(time: string, now: number): string {
  const days = Math.floor((now - Date.parse(time)) / day);
  if (days < 1) return t.followups.today;
  return days === 1 ? t.followups.n1DayAgo : t.followups.daysAgo(days);
}
