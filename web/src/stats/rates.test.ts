import { expect, test } from 'vitest';
import { RatesByUsers, type Group, type Measured } from './rates.svelte';

const rate = (count: number) => ({
  rate: count / 10,
  count,
  of: 10,
  denominator: 'delivered' as const,
});
const unknown = { median: null, answered: null, of: null };
const measured = (n: number): Measured => ({
  rates: { open: rate(n), click: rate(0), reply: rate(0), bounce: rate(0) },
  answers: { theirs: unknown, ours: unknown },
});
const groups: Group[] = [1, 2, 3, 4, 5].map((n) => ({
  id: `u${n}`,
  name: `${n}`,
  users: [`u${n}`],
}));

test('each group is asked for, two at a time', async () => {
  const rates = new RatesByUsers();
  let [now, most] = [0, 0];
  await rates.ask(groups, async ([user]) => {
    most = Math.max(most, ++now);
    await Promise.resolve();
    now--;
    return measured(Number(user?.slice(1)));
  });
  expect(most).toBe(2);
  expect([...rates.of].map(([id, { rates }]) => [id, rates.open.count])).toEqual([
    ['u1', 1],
    ['u2', 2],
    ['u3', 3],
    ['u4', 4],
    ['u5', 5],
  ]);
});

test('what is asked anew leaves nothing of the question before', async () => {
  const rates = new RatesByUsers();
  const waiting: (() => void)[] = [];
  const before = rates.ask(groups, async () => {
    await new Promise<void>((go) => waiting.push(go));
    return measured(9);
  });
  const after = rates.ask(groups.slice(0, 1), () => Promise.resolve(measured(1)));
  for (const go of waiting) go();
  await Promise.all([before, after]);
  expect([...rates.of.keys()]).toEqual(['u1']);
  expect(rates.of.get('u1')?.rates.open.count).toBe(1);
  expect(rates.groups).toEqual(groups.slice(0, 1));
  rates.close();
  expect([rates.groups.length, rates.of.size]).toEqual([0, 0]);
});

test('a refusal is told', async () => {
  const rates = new RatesByUsers();
  await expect(rates.ask(groups, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
});
