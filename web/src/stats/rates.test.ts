import { expect, test } from 'vitest';
import { RatesByUsers, type Group, type Rates } from './rates.svelte';

const rate = (count: number) => ({
  rate: count / 10,
  count,
  of: 10,
  denominator: 'delivered' as const,
});
const ratesOf = (n: number): Rates => ({
  open: rate(n),
  click: rate(0),
  reply: rate(0),
  bounce: rate(0),
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
    return ratesOf(Number(user?.slice(1)));
  });
  expect(most).toBe(2);
  expect([...rates.of].map(([id, { open }]) => [id, open.count])).toEqual([
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
    return ratesOf(9);
  });
  const after = rates.ask(groups.slice(0, 1), () => Promise.resolve(ratesOf(1)));
  for (const go of waiting) go();
  await Promise.all([before, after]);
  expect([...rates.of.keys()]).toEqual(['u1']);
  expect(rates.of.get('u1')?.open.count).toBe(1);
});

test('a refusal is told', async () => {
  const rates = new RatesByUsers();
  await expect(rates.ask(groups, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
});
