import { describe, expect, it } from 'vitest';
import type { Item, Recipient } from '../api/types';
import { Clock } from './clock';
import { percent } from '../ui/numbers';
import {
  initials,
  isAutomated,
  isOwn,
  progress,
  progressOf,
  sentence,
  shortLink,
  spoken,
  unattributed,
} from './words';

const people = (opened: string, unopened: string): Recipient[] => [
  ...opened
    .split(' ')
    .filter(Boolean)
    .map((name) => ({ name, email: `${name}@x.example`, opened: '2026-11-19T10:00:00Z' })),
  ...unopened
    .split(' ')
    .filter(Boolean)
    .map((name) => ({ name, email: `${name}@x.example`, opened: null })),
];

describe('progress', () => {
  const rows: [string, Recipient[], string][] = [
    ['some', people('Ana Bo', 'Tom Inês Raj'), '3 of 5 haven’t opened: Tom, Inês, Raj'],
    [
      'many',
      people('Ana Bo', 'Nadia Piotr Elin Uma Vic Wes'),
      '6 of 8 haven’t opened: Nadia, Piotr, Elin and 3 more',
    ],
    ['one of several', people('Ana Bo', 'Tom'), '1 of 3 hasn’t opened: Tom'],
    ['the only one', people('', 'Tom'), 'Tom hasn’t opened'],
    ['one who opened', people('Tom', ''), 'Opened'],
    ['both', people('Tom Ana', ''), 'Opened by both'],
    ['all', people('Tom Ana Raj', ''), 'Opened by all 3'],
    [
      'a first name twice',
      ['Folake Ade', 'Folake Obi', 'Ngozi Eze'].map((name) => ({
        name,
        email: `${name}@x.example`,
        opened: null,
      })),
      '3 of 3 haven’t opened: Folake Ade, Folake Obi, Ngozi',
    ],
    ['an address alone', [{ email: 'jo@acme.example', opened: null }], 'jo hasn’t opened'],
    ['a time that is not kept', [{ email: 'jo@acme.example' }], 'Opened'],
    [
      'a reply',
      people('Tom', '').map((p) => ({ ...p, replied: '2026-11-19T11:00:00Z' })),
      'Opened, replied',
    ],
    [
      'one whose mail came back',
      [
        ...people('', 'Tom'),
        ...people('', 'Raj').map((p) => ({ ...p, bounced: '2026-11-19T11:00:00Z' })),
      ],
      '1 of 2 hasn’t opened: Tom, 1 bounced',
    ],
    [
      'a bounce alone',
      people('', 'Raj').map((p) => ({ ...p, bounced: '2026-11-19T11:00:00Z' })),
      'Bounced: Raj',
    ],
    [
      'opened, and a bounce',
      [
        ...people('Tom', ''),
        ...people('', 'Raj').map((p) => ({ ...p, bounced: '2026-11-19T11:00:00Z' })),
      ],
      '1 of 2 opened, 1 bounced',
    ],
    [
      'those who want no more are waited for no more than those whom nothing reaches',
      [
        ...people('', 'Tom'),
        ...people('Ida', '').map((p) => ({ ...p, unsubscribed: '2026-11-19T11:00:00Z' })),
        ...people('', 'Bo').map((p) => ({ ...p, complained: '2026-11-19T11:00:00Z' })),
        ...people('', 'Raj').map((p) => ({ ...p, bounced: '2026-11-19T11:00:00Z' })),
      ],
      '1 of 4 hasn’t opened: Tom, 1 reported spam, 1 unsubscribed, 1 bounced',
    ],
    [
      'an unsubscribed one alone',
      people('', 'Raj').map((p) => ({ ...p, unsubscribed: '2026-11-19T11:00:00Z' })),
      'Unsubscribed: Raj',
    ],
    ['nobody', [], ''],
  ];
  it('counts a mailing, of which only the first are listed', () => {
    const send = { unopened: 640, rest: { count: 950 } };
    const listed = Array.from({ length: 50 }, (_, i) => ({ email: `p${i}@x`, opened: null }));
    expect(progressOf(send, listed).spoken).toBe('640 of 1,000 haven’t opened');
    expect(progressOf({ ...send, unopened: 0 }, listed).spoken).toBe('Opened by all 1,000');
    expect(progressOf({ unopened: 50 }, listed)).toEqual(progress(listed));
  });

  it.each(rows)('%s', (_, recipients, want) => {
    expect(progress(recipients).spoken).toBe(want);
  });
});

describe('sentence', () => {
  const base = {
    id: 'x',
    time: '2026-11-19T10:00:00Z',
    message: 'm',
    subject: 'Pricing',
    source: 'api',
  };
  const person = { email: 'jo@acme.example', name: 'Jo Reyes' };
  const say = (item: Partial<Item>) => {
    const s = sentence({ ...base, person, type: 'open', ...item }, 'u_me');
    return [s.who, s.verb, s.what, s.extra].filter(Boolean).join(' ');
  };
  it('says who did what', () => {
    expect(say({})).toBe('Jo Reyes opened Pricing');
    expect(say({ type: 'click', link: 'https://www.x.example/a/b/?q=1' })).toBe(
      'Jo Reyes clicked x.example/a/b in Pricing',
    );
    expect(say({ type: 'download', file: 'deck.pdf' })).toBe(
      'Jo Reyes downloaded deck.pdf from Pricing',
    );
    expect(say({ type: 'reply', snippet: 'Looks good' })).toBe(
      'Jo Reyes replied to Pricing “Looks good”',
    );
    expect(say({ type: 'meeting', meeting: { title: 'Demo', answer: 'no' } })).toBe(
      'Jo Reyes declined Demo',
    );
    expect(say({ type: 'custom', kind: 'moved', title: 'Stage 2' })).toBe(
      'Jo Reyes moved Stage 2 in Pricing',
    );
  });
  it('calls the reader you, and others by name', () => {
    const send = { ...base, type: 'send' as const };
    expect(sentence({ ...send, user: { id: 'u_me', name: 'Me' } }, 'u_me').who).toBe('You');
    expect(sentence({ ...send, user: { id: 'u_ana', name: 'Ana' } }, 'u_me').who).toBe('Ana');
    expect(sentence({ ...send, user: { id: 'u_ana' } }, undefined).who).toBe('u_ana');
    expect(sentence(send, undefined).who).toBe('Mail');
  });
  it('is one sentence when spoken', () => {
    const item: Item = {
      ...base,
      type: 'open',
      person,
      verdict: { is: 'machine' },
    };
    expect(isAutomated(item)).toBe(true);
    expect(spoken(item, undefined, 'Thu 19 Nov 2026, 10:00:00')).toBe(
      'Jo Reyes opened Pricing, automated, Thu 19 Nov 2026, 10:00:00',
    );
  });
});

describe('short forms', () => {
  it('initials', () => {
    expect(['Maya Lindqvist', 'jo@acme.example', 'Ana', ''].map(initials)).toEqual([
      'ML',
      'J',
      'A',
      '?',
    ]);
  });
  it('links', () => {
    expect(shortLink('https://brightwater.example/')).toBe('brightwater.example');
    expect(shortLink('not a link')).toBe('not a link');
  });
});

describe('clock', () => {
  const clock = new Clock('Europe/Lisbon', 'en-GB');
  const now = Date.parse('2026-11-19T14:42:00Z');
  const short = (time: string) => clock.short(time, now);
  it('short', () => {
    expect(short('2026-11-19T14:41:30Z')).toBe('now');
    expect(short('2026-11-19T14:42:20Z')).toBe('now');
    expect(short('2026-11-19T14:50:00Z')).toBe('14:50');
    expect(short('2026-11-19T14:38:00Z')).toBe('4m');
    expect(short('2026-11-19T12:00:00Z')).toBe('2h');
    expect(short('2026-11-19T07:05:00Z')).toBe('07:05');
    expect(short('2026-11-18T17:48:00Z')).toBe('17:48');
  });
  it('full', () => {
    expect(clock.full('2026-11-19T14:40:22Z')).toBe('Thu 19 Nov 2026, 14:40:22');
    expect(clock.moment('2026-11-23T10:00:00Z')).toBe('Mon 23 Nov, 10:00');
  });
  it('days begin in the reader’s zone', () => {
    const day = (zone: string, time: string) => new Clock(zone, 'en-GB').day(time, now);
    expect(day('UTC', '2026-11-19T00:30:00Z').name).toBe('Today');
    expect(day('America/New_York', '2026-11-19T00:30:00Z')).toEqual({
      key: '2026-11-18',
      name: 'Yesterday',
      date: 'Wednesday 18 November',
      recent: true,
    });
    expect(day('UTC', '2026-11-16T12:00:00Z')).toMatchObject({
      name: 'Monday',
      date: '16 November',
    });
    expect(day('UTC', '2025-12-31T12:00:00Z').date).toBe('31 December 2025');
  });
  it('yesterday is the day before, also when the clocks change', () => {
    const newYork = new Clock('America/New_York', 'en-GB');
    const after = Date.parse('2026-11-02T12:00:00Z');
    expect(newYork.day('2026-11-01T12:00:00Z', after).name).toBe('Yesterday');
  });
});

describe('who did it', () => {
  const base = {
    id: 'x',
    time: '2026-11-19T10:00:00Z',
    message: 'm',
    subject: 'Pricing',
    source: 'crm',
  };
  it('is never someone', () => {
    expect(sentence({ ...base, type: 'send', recipients: [] }, 'me').who).toBe('Mail');
    expect(sentence({ ...base, type: 'custom' }, 'me').who).toBe('crm');
  });
  it('is the reader for their own acts alone', () => {
    const user = { id: 'me' };
    expect(isOwn({ ...base, type: 'send', user }, 'me')).toBe(true);
    expect(isOwn({ ...base, type: 'open', user, person: { email: 'jo@x.example' } }, 'me')).toBe(
      false,
    );
    expect(isOwn({ ...base, type: 'send', user }, undefined)).toBe(false);
  });
});

describe('an event of which nobody knows who did it', () => {
  const base: Item = {
    id: 'x',
    type: 'open',
    time: '2026-11-19T10:00:00Z',
    message: 'm',
    subject: 'Pricing',
    source: 'api',
    user: { id: 'me' },
  };
  const among = (...names: string[]) =>
    names.map((name) => ({ name, email: `${name.toLowerCase()}@x.example` }));
  const candidates = among('Tom', 'Inês', 'Raj');
  const say = (item: Partial<Item>, times = 1) => {
    const one = { ...base, ...item };
    const { who, verb, what, extra } = sentence(one, 'me', Array<Item>(times).fill(one));
    return [who, verb, what, extra].filter(Boolean).join(' ');
  };
  it('is by one of several, and names a few', () => {
    expect(say({ candidates })).toBe('One of 3 recipients opened Pricing Tom, Inês or Raj');
    expect(say({ candidates: among('Tom', 'Raj') })).toContain('Pricing Tom or Raj');
    expect(say({ candidates: among('Tom', 'Inês', 'Raj', 'Uma', 'Vic') })).toContain(
      'One of 5 recipients opened Pricing Tom, Inês, Raj or 2 others',
    );
    expect(say({ type: 'click', link: 'https://x.example/a', candidates })).toBe(
      'One of 3 recipients clicked x.example/a in Pricing',
    );
  });
  it('may be by several where it happened several times', () => {
    expect(say({ candidates }, 2)).toContain('One or more of 3 recipients opened');
  });
  it.each(['delivery', 'open', 'click', 'download', 'reply', 'bounce'] as const)(
    'is never by the user whose mail it is: %s',
    (type) => {
      expect(say({ type })).toMatch(/^Someone /);
      expect(isOwn({ ...base, type }, 'me')).toBe(false);
    },
  );
  it('is told once in the panel, without machines', () => {
    expect(
      unattributed([
        { ...base, candidates },
        { ...base, candidates },
        { ...base, type: 'click' },
        { ...base, candidates: among('Tom', 'Raj'), verdict: { is: 'machine' } },
        { ...base, person: { email: 'jo@x.example' } },
        { ...base, type: 'send' },
      ]),
    ).toEqual(['Opened by one of 3 recipients', 'Clicked by someone who isn’t named']);
  });
});

describe('a rate', () => {
  it.each([
    [null, '–'],
    [undefined, '–'],
    [0, '0%'],
    [0.276, '28%'],
    [1, '100%'],
  ])('%s is %s', (rate, want) => expect(percent(rate)).toBe(want));
});
