import { eventTypes, type Stats } from '../api/types';

/** What a spreadsheet would run as a formula is text. */
function cell(value: string | number): string {
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : `${value}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * csvOf is what the statistics page shows, a row for each point and each line of its
 * tables: the table, what the row is about, how many events, and how many of each type.
 */
export function csvOf(stats: Stats): string {
  const kinds = (types: Partial<Record<string, number>>) => eventTypes.map((t) => types[t] ?? 0);
  const ranked = (table: string, rows: readonly { name: string; events: number }[] = []) =>
    rows.map(({ name, events }) => [table, name, events]);
  const rows: (string | number)[][] = [
    ['table', 'about', 'events', ...eventTypes],
    ...(stats.series?.points ?? []).map(({ start, events, types }) => [
      `per ${stats.series?.interval ?? 'day'}`,
      start,
      events,
      ...kinds(types),
    ]),
    ...(stats.users ?? []).map(({ user, events, types }) => [
      'people',
      user?.name || user?.id || '',
      events,
      ...kinds(types),
    ]),
    ...ranked('recipients', stats.recipients),
    ...(stats.messages ?? []).map((one) => ['messages', one.subject ?? one.message, one.events]),
    ...ranked('links', stats.links),
    ...ranked('domains', stats.domains),
  ];
  return rows.map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}
