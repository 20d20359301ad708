const day = 24 * 60 * 60_000;

/** When a snooze may end, from now on. */
export const snoozes: readonly { label: string; days: number }[] = [
  { label: 'Tomorrow', days: 1 },
  { label: 'In three days', days: 3 },
  { label: 'In a week', days: 7 },
  { label: 'In a month', days: 30 },
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
  if (days < 1) return 'today';
  return days === 1 ? '1 day ago' : `${days} days ago`;
}
