import { describe, expect, it } from 'vitest';
import type { Item } from '../api/types';
import { foldKey, newestFirst } from './folds';
import { asNow, maxWaiting, Rows } from './rows';

const at = (seconds: number) => new Date(1_790_000_000_000 + seconds * 1000).toISOString();

function item(id: string, seconds: number, more: Partial<Item> = {}): Item {
  return { id, type: 'reply', time: at(seconds), message: 'm-1', source: 'api', ...more };
}

function send(id: string, seconds: number, message: string, ...emails: string[]): Item {
  const recipients = emails.map((email) => ({ email, opened: null }));
  return item(id, seconds, { type: 'send', message, recipients, unopened: emails.length });
}

const dayOf = (time: string) => time.slice(0, 10);

/** The newest event of each row, as the list shows them. */
const shown = (rows: Rows) =>
  rows.entries.flatMap((e) => (e.is === 'row' ? [e.fold.items[0]!] : []));

const ids = (items: readonly Item[]) => items.map(({ id }) => id).join(' ');

/** A small seeded generator, so that a failing order can be run again. */
function random(seed: number): () => number {
  return () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed / 2 ** 32;
  };
}

function shuffled<T>(list: readonly T[], next: () => number): T[] {
  const out = [...list];
  for (let i = out.length - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1));
    [out[i], out[j]] = [out[j] as T, out[i] as T];
  }
  return out;
}

describe('order', () => {
  it('is by time, newest first', () => {
    const rows = new Rows(dayOf);
    rows.reset([item('a', 1), item('b', 3), item('c', 2)], true);
    expect(ids(shown(rows))).toBe('b c a');
  });

  it('is the other way round where the oldest come first', () => {
    const rows = new Rows(dayOf);
    const day = 24 * 60 * 60;
    rows.reset([item('a', 1), item('b', 3), item('c', day)], false, true);
    expect(ids(shown(rows))).toBe('a b c');
    rows.append([item('d', 2 * day), item('e', 2 * day + 1)], false);
    // What is behind the last page comes with the page that will bring it.
    expect(rows.arrive([item('f', 2), item('g', 3 * day)], false).map((one) => one.id)).toEqual([
      'f',
    ]);
    rows.append([], true);
    rows.arrive([item('g', 3 * day)], false);
    expect(ids(shown(rows))).toBe('a f b c d e g');
    const kinds = rows.entries.map((entry) => entry.is).join(' ');
    expect(kinds).toBe('day row row row day row day row row day row');
  });

  it('is by id within a second, highest first', () => {
    expect([item('a', 1), item('c', 1), item('b', 1)].sort(newestFirst).map((i) => i.id)).toEqual([
      'c',
      'b',
      'a',
    ]);
  });

  it('is the same for every order and any repetition of pages and frames', () => {
    const all = Array.from({ length: 40 }, (_, i) => item(`e${i % 7}-${i}`, Math.floor(i / 3)));
    const want = ids([...all].sort(newestFirst));
    for (let seed = 0; seed < 200; seed++) {
      const next = random(seed);
      const rows = new Rows(dayOf);
      rows.reset([], true);
      for (const one of shuffled([...all, ...all.slice(0, 15)], next)) {
        rows.arrive([one], next() < 0.5);
        if (next() < 0.1) rows.release();
      }
      rows.release();
      expect(ids(shown(rows)), `seed ${seed}`).toBe(want);
    }
  });
});

describe('repeats', () => {
  it('are dropped between a page and the socket', () => {
    const rows = new Rows(dayOf);
    rows.reset([item('b', 2), item('a', 1)], true);
    expect(rows.arrive([item('b', 2), item('c', 3)], false).map((i) => i.id)).toEqual(['c']);
    expect(ids(shown(rows))).toBe('c b a');
  });

  it('are dropped between the socket and a later page', () => {
    const rows = new Rows(dayOf);
    rows.reset([item('d', 4), item('b', 2)], false);
    rows.arrive([item('c', 3)], false);
    rows.append([item('c', 3), item('a', 1)], true);
    expect(ids(shown(rows))).toBe('d c b a');
  });

  it('are dropped while they wait behind the pill', () => {
    const rows = new Rows(dayOf);
    rows.reset([item('a', 1)], true);
    rows.arrive([item('b', 2)], true);
    rows.arrive([item('b', 2)], true);
    expect(ids(rows.waiting)).toBe('b');
    rows.release();
    rows.arrive([item('b', 2)], true);
    expect([ids(shown(rows)), rows.waiting.length]).toEqual(['b a', 0]);
  });
});

describe('held', () => {
  it('leaves the screen as it is until it is released', () => {
    const rows = new Rows(dayOf);
    rows.reset([item('a', 1)], true);
    const before = rows.entries;
    rows.arrive([item('b', 2), item('c', 3)], true);
    expect(rows.entries).toBe(before);
    expect(ids(rows.release())).toBe('c b');
    expect([ids(shown(rows)), rows.waiting.length]).toEqual(['c b a', 0]);
  });

  it('keeps a bounded number and says how many were let go', () => {
    const rows = new Rows(dayOf);
    rows.reset([], true);
    rows.arrive(
      Array.from({ length: maxWaiting + 20 }, (_, i) => item(`e${i}`, i)),
      true,
    );
    expect([rows.waiting.length, rows.overflow]).toEqual([maxWaiting, 20]);
    expect(rows.waiting[0]?.id).toBe(`e${maxWaiting + 19}`);
  });
});

describe('an event older than the last row', () => {
  it('is left to its page while there are more pages', () => {
    const rows = new Rows(dayOf);
    rows.reset([item('c', 3)], false);
    rows.arrive([item('a', 1)], false);
    expect(ids(shown(rows))).toBe('c');
    rows.append([item('b', 2), item('a', 1)], true);
    expect(ids(shown(rows))).toBe('c b a');
  });

  it('goes to the end when all pages have been read', () => {
    const rows = new Rows(dayOf);
    rows.reset([item('c', 3)], true);
    rows.arrive([item('a', 1)], false);
    expect(ids(shown(rows))).toBe('c a');
  });
});

describe('state', () => {
  const opened = at(9);
  const change = (v: number, ...emails: string[]) => ({
    message: 'm-1',
    v,
    recipients: ['tom@x', 'ines@x', 'raj@x'].map((email) => ({
      email,
      opened: emails.includes(email) ? opened : null,
    })),
  });

  function rows(): Rows {
    const rows = new Rows(dayOf);
    rows.reset(
      [send('s', 1, 'm-1', 'tom@x', 'ines@x', 'raj@x'), item('o', 2), send('t', 0, 'm-2', 'tom@x')],
      true,
    );
    return rows;
  }
  const unopened = (rows: Rows) => shown(rows).map((i) => i.unopened);

  it('updates the sends of its message and nothing else', () => {
    const r = rows();
    r.state(change(1, 'tom@x'));
    expect(unopened(r)).toEqual([undefined, 2, 1]);
  });

  it('takes the highest version in any order', () => {
    for (const order of [
      [1, 2, 3],
      [3, 2, 1],
      [2, 3, 1],
      [3, 1, 3],
    ]) {
      const r = rows();
      const who = { 1: ['tom@x'], 2: ['tom@x', 'raj@x'], 3: ['tom@x', 'raj@x', 'ines@x'] };
      for (const v of order) r.state(change(v, ...who[v as 1 | 2 | 3]));
      expect(unopened(r)[1], order.join()).toBe(0);
    }
  });

  it('keeps a piece of a send to its own recipients', () => {
    const r = new Rows(dayOf);
    r.reset([send('p', 1, 'm-1', 'raj@x'), send('q', 1, 'm-1', 'tom@x', 'ines@x')], true);
    r.state(change(1, 'tom@x'));
    expect(shown(r).map((i) => [i.id, i.recipients?.length, i.unopened])).toEqual([
      ['q', 2, 1],
      ['p', 1, 1],
    ]);
  });

  it('counts a recipient whose open time is not kept as opened', () => {
    const r = rows();
    r.state({ message: 'm-2', v: 1, recipients: [{ email: 'tom@x' }] });
    expect(unopened(r)[2]).toBe(0);
  });

  it('counts those of a mailing whom the server alone has seen', () => {
    const r = new Rows(dayOf);
    r.reset(
      [{ ...send('s', 1, 'm-1', 'tom@x'), rest: { count: 999, at: '' }, unopened: 999 }],
      true,
    );
    r.state({ ...change(1, 'raj@x'), rest: { count: 997 }, unopened: 998 });
    expect(shown(r)[0]?.unopened).toBe(998);
    r.state({ ...change(2, 'tom@x'), rest: { count: 5 }, unopened: 3 });
    expect(shown(r)[0]?.unopened, 'it is a piece').toBe(998);
    expect(shown(r)[0]?.recipients?.[0]?.opened).toBe(opened);
  });

  it('is kept of those of whom nothing was heard, in their order', () => {
    const said = change(1, 'ines@x', 'raj@x').recipients;
    expect(asNow(change(0, 'ines@x').recipients, said.slice(2))).toEqual(said);
  });

  it('reaches what waits, too', () => {
    const r = new Rows(dayOf);
    r.reset([], true);
    r.arrive([send('s', 1, 'm-1', 'tom@x')], true);
    r.state(change(1, 'tom@x'));
    r.release();
    expect(unopened(r)).toEqual([0]);
  });
});

describe('corrections', () => {
  it('replace an event where it is', () => {
    const r = new Rows(dayOf);
    r.reset([item('b', 2), item('a', 1)], true);
    r.change(item('a', 1, { subject: 'Pricing' }), true);
    expect(shown(r).map((i) => i.subject)).toEqual([undefined, 'Pricing']);
  });

  it('bring in an event that was not known', () => {
    const r = new Rows(dayOf);
    r.reset([item('a', 1)], true);
    expect(r.change(item('b', 2), false)).toHaveLength(1);
    expect(ids(shown(r))).toBe('b a');
  });

  it('remove what is gone from the screen and from behind the pill', () => {
    const r = new Rows(dayOf);
    r.reset([item('b', 2), item('a', 1)], true);
    r.arrive([item('c', 3)], true);
    r.gone('c');
    r.gone('a');
    r.gone('never seen');
    expect([ids(shown(r)), r.waiting.length]).toEqual(['b', 0]);
  });

  it('bring back what did not match for a while, and end the same when replayed', () => {
    const r = new Rows(dayOf);
    r.reset([item('b', 2), item('a', 1)], true);
    r.gone('a');
    r.change(item('a', 1, { subject: 'Pricing' }), false);
    expect(ids(shown(r))).toBe('b a');
    r.arrive([item('a', 1)], false);
    r.gone('a');
    expect(ids(shown(r))).toBe('b');
  });
});

describe('folds', () => {
  const jo = { email: 'jo@x' };
  const open = (id: string, seconds: number, more: Partial<Item> = {}) =>
    item(id, seconds, { type: 'open', person: jo, ...more });
  const folds = (rows: Rows) =>
    rows.entries.map((e) => (e.is === 'row' ? e.fold.items.map((i) => i.id).join('+') : e.is));

  it('hold the repeats of one person on one message within a day', () => {
    const rows = new Rows(dayOf);
    rows.reset([open('d', 9), item('c', 8), open('b', 7), open('a', 6, { message: 'm-2' })], true);
    expect(folds(rows)).toEqual(['day', 'd+b', 'c', 'a']);
    expect([rows.size, rows.count]).toEqual([4, 3]);
  });

  it('stand where their newest event does, and grow at their end without moving', () => {
    const rows = new Rows(dayOf);
    rows.reset([item('c', 8), open('b', 7)], false);
    const before = rows.entries;
    rows.append([open('a', 5)], true);
    expect(folds(rows)).toEqual(['day', 'c', 'b+a']);
    expect(rows.entries.map((e) => e.key)).toEqual(before.map((e) => e.key));
    rows.arrive([open('d', 9)], false);
    expect(folds(rows)).toEqual(['day', 'd+b+a', 'c']);
  });

  it('part at midnight, and never hide a machine behind a person', () => {
    const rows = new Rows(dayOf);
    const day = 86_400;
    const machine = open('m', 2, { verdict: { is: 'machine' } });
    rows.reset([open('b', day + 3), machine, open('a', 1)], true);
    expect(folds(rows)).toEqual(['day', 'b', 'day', 'm', 'a']);
  });

  it('lose what is gone, and a day with its last row', () => {
    const rows = new Rows(dayOf);
    rows.reset([open('c', 86_403), open('b', 2), item('x', 2), open('a', 1)], true);
    rows.gone('b');
    rows.gone('c');
    expect(folds(rows)).toEqual(['day', 'x', 'a']);
  });

  it('part when a person overrides a machine', () => {
    const rows = new Rows(dayOf);
    const machine = (id: string, seconds: number) =>
      open(id, seconds, { verdict: { is: 'machine' } });
    rows.reset([machine('c', 3), machine('b', 2), machine('a', 1)], true);
    rows.change(open('b', 2, { verdict: { is: 'human', by: 'person' } }), true);
    expect(folds(rows)).toEqual(['day', 'c+a', 'b']);
  });

  it('are the same whatever came first, each event once and each day headed once', () => {
    const all = Array.from({ length: 60 }, (_, i) =>
      open(`e${i}`, i * 7_200, { message: `m-${i % 3}`, person: { email: `p${i % 2}@x` } }),
    );
    let want: string[] | undefined;
    for (let seed = 1; seed < 100; seed++) {
      const next = random(seed);
      const rows = new Rows(dayOf);
      rows.reset([], true);
      for (const one of shuffled([...all, ...all.slice(0, 20)], next)) {
        rows.arrive([one], next() < 0.3);
        if (next() < 0.2) rows.release();
        if (next() < 0.1) {
          rows.gone(one.id);
          rows.arrive([one], false);
        }
      }
      rows.release();
      want ??= folds(rows);
      expect(folds(rows), `seed ${seed}`).toEqual(want);
      const days = rows.entries.filter((e) => e.is === 'day').map((e) => e.key);
      expect(new Set(days).size).toBe(days.length);
    }
  });
});

describe('the mark of the last visit', () => {
  const marks = (rows: Rows) =>
    rows.entries.map((e) => (e.is === 'row' ? e.fold.items[0]!.id : e.is));

  it('stands between what came since and what was there', () => {
    const rows = new Rows(dayOf, at(2));
    rows.reset([item('c', 3), item('b', 2), item('a', 1)], true);
    expect(marks(rows)).toEqual(['day', 'c', 'mark', 'b', 'a']);
  });

  it('may be on a later page', () => {
    const rows = new Rows(dayOf, at(1));
    rows.reset([item('c', 3)], false);
    expect(marks(rows)).toEqual(['day', 'c']);
    rows.append([item('a', 1)], true);
    expect(marks(rows)).toEqual(['day', 'c', 'mark', 'a']);
  });

  it('is left out when nothing came since', () => {
    const rows = new Rows(dayOf, at(9));
    rows.reset([item('c', 3)], true);
    rows.arrive([item('d', 10)], false);
    expect(marks(rows)).toEqual(['day', 'd', 'c']);
  });
});

describe('a hundred thousand rows', () => {
  it('take in live events and pages without a pass over all of them for each', () => {
    const rows = new Rows(dayOf);
    const page = (n: number) =>
      Array.from({ length: 1_000 }, (_, i) => item(`p${n}-${i}`, 10_000_000 - n * 1_000 - i));
    rows.reset([], false);
    for (let n = 0; n < 100; n++) rows.append(page(n), false);
    expect(rows.count).toBe(100_000);
    const head = rows.entries[1];
    rows.arrive([item('new', 10_000_001)], false);
    expect(rows.positionOf('new')).toBe(1);
    expect(rows.entries[2]).toBe(head);
    expect(rows.positionOf('p50-500')).toBeGreaterThan(50_000);
  }, 60_000); // what it asserts is no time, and a machine may be busy
});

describe('events of one second', () => {
  it('stand above what they come of, however they came', () => {
    const events = [
      item('a', 5, { type: 'click', link: 'https://x.example' }),
      item('z', 5, { type: 'send', recipients: [] }),
      item('b', 5, { type: 'open' }),
      item('y', 5, { type: 'delivery' }),
    ];
    for (let seed = 1; seed <= 20; seed++) {
      const rows = new Rows(dayOf);
      rows.reset(shuffled(events, random(seed)), true);
      expect(shown(rows).map(({ type }) => type)).toEqual(['click', 'open', 'delivery', 'send']);
    }
  });
});

it('tells opens together only where the same people come into question', () => {
  const among = (...names: string[]) => names.map((name) => ({ email: `${name}@x.example` }));
  const key = (candidates?: Item['candidates']) =>
    foldKey(item('a', 1, { type: 'open', ...(candidates && { candidates }) }), 'd');
  expect(key(among('jo', 'tom'))).toBe(key(among('jo', 'tom')));
  expect(key(among('jo', 'tom'))).not.toBe(key(among('jo', 'uma')));
  expect(key(among('jo', 'tom'))).not.toBe(key());
});
