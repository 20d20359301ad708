import { eventTypes, type Stats } from '../api/types';
import type { AnswerTimes, Measured, Rates, RatesByUsers } from './rates.svelte';

/** What a spreadsheet would run as a formula is text. */
function cell(value: string | number): string {
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : `${value}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const rateNames = ['open', 'click', 'reply', 'bounce'] as const;

/** measures are the last columns of a row; what is not known is left empty. */
function measures(rates: Rates | undefined, answers: AnswerTimes | null | undefined) {
  const digits = 4;
  return [
    ...rateNames.map((name) => rates?.[name].rate?.toFixed(digits) ?? ''),
    rates?.bounce.of ?? '',
    answers?.theirs.median ?? '',
    answers?.ours.median ?? '',
  ];
}

/**
 * csvOf is what the statistics page shows, a row for each point and each line of its
 * tables: the table, what the row is about, how many events, how many of each type, and
 * where it has them the rates, of how many recipients, and the answer times in seconds.
 */
export function csvOf(
  stats: Stats,
  answers: AnswerTimes | null,
  shown: Pick<RatesByUsers, 'groups' | 'of'>,
): string {
  const kinds = (types: Partial<Record<string, number>>) => eventTypes.map((t) => types[t] ?? 0);
  const whole = (
    table: string,
    about: string,
    totals: Stats['totals'],
    rates: Rates | undefined,
    took: AnswerTimes | null | undefined,
  ) => [
    ...[table, about, totals?.events ?? ''],
    ...(totals ? kinds(totals.types) : eventTypes.map(() => '')),
    ...measures(rates, took),
  ];
  const ranked = (table: string, rows: readonly { name: string; events: number }[] = []) =>
    rows.map(({ name, events }) => [table, name, events]);
  const rows: (string | number)[][] = [
    [
      ...['table', 'about', 'events', ...eventTypes],
      ...rateNames.map((name) => `${name}_rate`),
      ...['recipients', 'they_answer_seconds', 'we_answer_seconds'],
    ],
    whole('all', '', stats.totals, stats.rates, answers),
    ...(stats.series?.points ?? []).map(({ start, events, types }) => [
      `per ${stats.series?.interval ?? 'day'}`,
      start,
      events,
      ...kinds(types),
    ]),
    ...shown.groups.map(({ id, name, users }) => {
      const found: Measured | undefined = shown.of.get(id);
      const table = users.length === 1 && users[0] === id ? 'rates of people' : 'rates of teams';
      return whole(table, name, undefined, found?.rates, found?.answers);
    }),
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
