import { expect, it } from 'vitest';
import type { Stats } from '../api/types';
import { csvOf } from './csv';
import { levelsOf } from './heat';

it('writes what is shown as a table, and no formula', () => {
  const stats = {
    series: {
      interval: 'day',
      points: [{ start: '2026-11-20T23:00:00Z', events: 3, types: { send: 1, open: 2 } }],
    },
    users: [{ user: { id: 'u_1', name: 'Ana, "A"' }, events: 2, types: { open: 2 } }],
    links: [{ name: '=cmd()', events: 4 }],
  } as unknown as Stats;
  const lines = csvOf(stats, null, { groups: [], of: new Map() as never }).split('\r\n');
  expect(lines[0]).toMatch(/^table,about,events,send,/);
  expect(lines[2]).toMatch(/^per day,2026-11-20T23:00:00Z,3,1,/);
  expect(lines[3]).toMatch(/^people,"Ana, ""A""",2,0,/);
  expect(lines[4]).toBe("links,'=cmd(),4");
});

it('writes rates and answer times, and nothing where they are not known', () => {
  const rate = (value: number | null) => ({
    rate: value,
    count: 1,
    of: 3,
    denominator: 'delivered',
  });
  const rates = { open: rate(1 / 3), click: rate(0), reply: rate(null), bounce: rate(0) };
  const took = (median: number | null) => ({ median, answered: null, of: null });
  const of = new Map([
    ['u_1', { rates, answers: { theirs: took(60), ours: took(null) } }],
    ['t_1', { rates, answers: { theirs: took(null), ours: took(90) } }],
  ]);
  const groups = [
    { id: 'u_1', name: 'Ana', users: ['u_1'] },
    { id: 't_1', name: 'Sales', users: ['u_1'] },
    { id: 't_2', name: 'Support', users: ['u_2'] },
  ];
  const stats = { totals: { events: 5, types: { send: 5 } }, rates } as unknown as Stats;
  const answers = { theirs: took(0), ours: took(7) };
  const [head, ...lines] = csvOf(stats, answers, { groups, of: of as never }).split('\r\n');
  const columns = head?.split(',') ?? [];
  const cells = (line: string | undefined) => {
    const values = line?.split(',') ?? [];
    expect(values.length).toBe(columns.length);
    return ['table', 'about', 'send', 'open_rate', 'reply_rate', 'recipients']
      .concat('they_answer_seconds', 'we_answer_seconds')
      .map((name) => values[columns.indexOf(name)]);
  };
  expect(lines.slice(0, 4).map(cells)).toEqual([
    ['all', '', '5', '0.3333', '', '3', '0', '7'],
    ['rates of people', 'Ana', '', '0.3333', '', '3', '60', ''],
    ['rates of teams', 'Sales', '', '0.3333', '', '3', '', '90'],
    ['rates of teams', 'Support', '', '', '', '', '', ''],
  ]);
});

it('shades hours by rank, whatever the busiest has', () => {
  const level = levelsOf([0, 0, 1, 2, 3, 4, 1_000]);
  expect([0, 1, 2, 3, 4, 1_000].map(level)).toEqual([0, 1, 2, 3, 4, 5]);
  expect(levelsOf([0])(0)).toBe(0);
});
