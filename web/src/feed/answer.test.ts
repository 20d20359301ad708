import { describe, expect, it } from 'vitest';
import type { Answer } from '../api/types';
import {
  addressesOf,
  copyLabel,
  joined,
  peopleOf,
  pieces,
  rowName,
  stateWords,
  tableHead,
} from './answer';
import { Clock } from './clock';

const person = (email: string) => ({
  email,
  events: 1,
  messages: 1,
  last: '2026-11-19T10:00:00Z',
  state: [],
  query: `q to:${email}`,
});
const company = (domain: string, count: number, ...names: string[]) => ({
  domain,
  count,
  events: count,
  query: `q domain:${domain}`,
  people: names.map((name) => person(`${name}@${domain}`)),
});
const answer: Answer = {
  sentence: '1,204 people at 1 company haven’t opened 4 messages.',
  counts: [
    { of: 'events', count: 4, query: 'e' },
    { of: 'messages', count: 4, query: 'm' },
    { of: 'people', count: 1204, query: 'p' },
    { of: 'companies', count: 1, query: 'c' },
  ],
  companies: [company('a.example', 3, 'jo', 'tom'), company('b.example', 1, 'uma')],
  next: '3.1',
  partial: false,
  reached: '2026-11-01T00:00:00Z',
  query: { chips: [], words: '', interpretation: '', order: 'newest' },
};

describe('pieces', () => {
  const told = (sentence: string) =>
    pieces({ ...answer, sentence }).map(({ text, query }) => (query ? `[${text}|${query}]` : text));
  const rows: [string, string, string[]][] = [
    [
      'each number leads to its query',
      answer.sentence,
      ['[1,204 people|p]', ' at ', '[1 company|c]', ' haven’t opened ', '[4 messages|m]', '.'],
    ],
    ['nobody', 'Nobody opened a message like that.', ['Nobody opened a message like that.']],
    [
      'a date is no count',
      'On Monday, 4 May 2026, 10:04: 4 events.',
      ['On Monday, 4 May 2026, 10:04: ', '[4 events|e]', '.'],
    ],
    ['a number that is none of the counts', '5 messages.', ['5 messages.']],
  ];
  it.each(rows)('%s', (_, sentence, want) => {
    expect(told(sentence)).toEqual(want);
    expect(
      pieces({ ...answer, sentence })
        .map(({ text }) => text)
        .join(''),
    ).toBe(sentence);
  });
});

it('says how far somebody has come', () => {
  expect(stateWords({ state: [] })).toBe('Not opened');
  expect(stateWords({ state: ['opened', 'replied'] })).toBe('Opened, replied');
  expect(stateWords({ state: ['bounced'] })).toBe('Bounced');
});

it('copies nobody’s address who wants no more, unless the question is about them', () => {
  const person = (email: string, state: string[]) => ({
    ...company('a.example', 1, email).people[0]!,
    state,
  });
  const of = (people: ReturnType<typeof person>[]) =>
    addressesOf({ companies: [{ ...company('a.example', people.length), people }] });
  const [left, here] = [person('left', ['opened', 'unsubscribed']), person('here', [])];
  expect(of([left, here, person('back', ['bounced'])])).toEqual([here.email]);
  expect(of([left])).toEqual([left.email]);
});

it('says how many addresses are copied', () => {
  expect(copyLabel(1, 1)).toBe('Copy 1 address');
  expect(copyLabel(7, 7)).toBe('Copy 7 addresses');
  expect(copyLabel(50, 1204)).toBe('Copy first 50 addresses');
});

it('goes on with the people after those listed', () => {
  const after = {
    ...answer,
    companies: [company('b.example', 2, 'vic'), company('c.example', 1, 'wes')],
    next: null,
  };
  const both = joined(answer, after);
  expect(addressesOf(both)).toEqual([
    'jo@a.example',
    'tom@a.example',
    'uma@b.example',
    'vic@b.example',
    'wes@c.example',
  ]);
  expect(both.companies.map(({ domain }) => domain)).toHaveLength(3);
  expect(both.next).toBeNull();
  expect(peopleOf(both)).toBe(1204);
});

describe('a table', () => {
  const clock = new Clock('UTC', 'en-GB', '24');
  const rows: [Parameters<typeof rowName>[0]['by'], string, string | undefined, string][] = [
    ['company', 'acme.example', undefined, 'acme.example'],
    ['person', 'jo@acme.example', 'Jo Berg', 'Jo Berg'],
    ['client', 'apple-mail', undefined, 'Apple mail'],
    ['device', '', undefined, 'Not known'],
    ['hour', '09', undefined, '09:00'],
    ['day', '2019-11-18', undefined, 'Mon 18 Nov 2019'],
    ['month', '2019-11-01', undefined, 'November 2019'],
  ];
  it.each(rows)('by %s has %s as a row', (by, name, label, want) => {
    expect(rowName({ by }, label === undefined ? { name } : { name, label }, clock)).toBe(want);
    expect(tableHead({ by })).not.toBe('');
  });
});
