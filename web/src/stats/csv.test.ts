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
  const lines = csvOf(stats).split('\r\n');
  expect(lines[0]).toMatch(/^table,about,events,send,/);
  expect(lines[1]).toMatch(/^per day,2026-11-20T23:00:00Z,3,1,/);
  expect(lines[2]).toMatch(/^people,"Ana, ""A""",2,0,/);
  expect(lines[3]).toBe("links,'=cmd(),4");
});

it('shades hours by rank, whatever the busiest has', () => {
  const level = levelsOf([0, 0, 1, 2, 3, 4, 1_000]);
  expect([0, 1, 2, 3, 4, 1_000].map(level)).toEqual([0, 1, 2, 3, 4, 5]);
  expect(levelsOf([0])(0)).toBe(0);
});
