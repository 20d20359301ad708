import { expect, it } from 'vitest';
import { readView } from '../feed/address';
import { reportRule, textOf } from './weekly';

const reader = { id: 'u_ana', team: ['u_ana', 'u_jo'] } as never;

it.each([
  ['', ''],
  ['?scope=me', 'from:u_ana'],
  ['?scope=team&q=pricing', 'pricing (from:u_ana OR from:u_jo)'],
  ['?type=open&q=pricing', 'pricing type:open'],
  ['?type=open&type=click&automated=show', '(type:open OR type:click) automated:show'],
])('says the view %s in words: %s', (address, text) => {
  expect(textOf(readView(address), reader)).toBe(text);
});

it('makes a rule that comes by mail each week', () => {
  expect(reportRule(readView(''), null, { day: 1, time: '08:00' })).toEqual({
    on: 'report',
    weekly: { day: 1, time: '08:00' },
    enabled: true,
    do: { often: 'every', channels: ['mail'] },
  });
});
