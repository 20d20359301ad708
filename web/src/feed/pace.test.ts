import { expect, test } from 'vitest';
import type { Item } from '../api/types';
import { Pace } from './pace';

const items = (...ids: string[]) => ids.map((id) => ({ id }) as Item);

test('a single event is drawn soon, a stream in longer steps', () => {
  const pace = new Pace();
  expect(pace.wait(0)).toBe(100);
  pace.drawn(100, 1);
  expect(pace.wait(120)).toBe(400);
  pace.drawn(520, 3);
  expect(pace.wait(540)).toBe(400);
  // Twenty a second: nobody follows those row by row.
  pace.drawn(940, 8);
  expect(pace.wait(960)).toBe(2_000);
  pace.drawn(2_960, 40);
  expect(pace.wait(2_980)).toBe(2_000);
  // Few in so long a step are no rush any more.
  pace.drawn(4_980, 12);
  expect(pace.wait(5_000)).toBe(400);
  expect(pace.wait(9_000)).toBe(100);
});

test('few rows move, and of many none, however they come', () => {
  const pace = new Pace();
  expect([...pace.arrive(items('a', 'b'), 0)]).toEqual(['a', 'b']);
  expect([...pace.arrive(items('c', 'd', 'e'), 400)]).toEqual(['a', 'b', 'c', 'd', 'e']);
  expect([...pace.arrive(items('f'), 800)]).toEqual([]);
  expect([...pace.arrive(items('g'), 1_200)]).toEqual([]);
  // The first have come to rest by now.
  expect([...pace.arrive(items('h'), 2_700)]).toEqual(['g', 'h']);
  expect([...pace.arrive(items(...'ijklmnop'), 9_000)]).toEqual([]);
});
