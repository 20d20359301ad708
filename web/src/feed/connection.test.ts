import { beforeEach, describe, expect, it } from 'vitest';
import { Connection, type Socket, type Status, type World } from './connection';
import type { ClientFrame, ServerFrame } from './frames';

/** The far end of one socket. */
class Wire implements Socket {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  sent: ClientFrame[] = [];
  ready = false;
  closed = false;

  send(text: string): void {
    if (!this.ready) throw new Error('still connecting');
    this.sent.push(JSON.parse(text) as ClientFrame);
  }
  close(): void {
    this.closed = true;
  }
  accept(): void {
    this.ready = true;
    this.onopen?.();
  }
  say(frame: object): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
  /** confirm answers the newest subscription. */
  confirm(): void {
    this.say({ op: 'subscribed', id: this.asked()?.id });
  }
  asked(): Extract<ClientFrame, { op: 'subscribe' }> | undefined {
    return this.sent.findLast((frame) => frame.op === 'subscribe');
  }
}

let wires: Wire[];
let timers: { at: number; then: () => void }[];
let now: number;
let online: boolean;
let statuses: Status[];
let frames: ServerFrame[];
let signedOut: number;
let connection: Connection;

const wire = (): Wire => wires.at(-1) as Wire;
const status = (): Status => statuses.at(-1) as Status;
const asking = { q: 'opens', filters: { automated: 'hide' as const }, tz: 'UTC' };

function pass(ms: number): void {
  const until = now + ms;
  for (;;) {
    const next = timers.filter((timer) => timer.at <= until).sort((a, b) => a.at - b.at)[0];
    if (!next) break;
    timers.splice(timers.indexOf(next), 1);
    now = next.at;
    next.then();
  }
  now = until;
}

const world: World = {
  open: () => {
    const wire = new Wire();
    wires.push(wire);
    return wire;
  },
  now: () => now,
  random: () => 0.5,
  after: (ms, then) => {
    const timer = { at: now + ms, then };
    timers.push(timer);
    return () => {
      timers = timers.filter((other) => other !== timer);
    };
  },
  online: () => online,
};

beforeEach(() => {
  wires = [];
  timers = [];
  now = 1_000;
  online = true;
  statuses = [];
  frames = [];
  signedOut = 0;
  connection = new Connection(world, {
    frame: (frame) => frames.push(frame),
    status: (status) => statuses.push(status),
    signedOut: () => signedOut++,
  });
  connection.subscribe(asking, 'p0');
});

describe('a subscription', () => {
  it('asks for the query from the position of the page', () => {
    wire().accept();
    expect(wire().sent).toEqual([{ op: 'subscribe', id: '1', since: 'p0', ...asking }]);
    expect(status().is).toBe('connecting');
    wire().confirm();
    expect(status().is).toBe('live');
  });

  it('is replaced on the same socket, and late frames of the old one are dropped', () => {
    wire().accept();
    wire().confirm();
    connection.subscribe({ ...asking, q: 'clicks' }, 'p7');
    expect(wires).toHaveLength(1);
    expect(wire().sent.slice(1)).toEqual([
      { op: 'unsubscribe', id: '1' },
      { op: 'subscribe', id: '2', since: 'p7', ...asking, q: 'clicks' },
    ]);
    wire().say({ op: 'event', id: '1', item: {}, at: 'p9' });
    expect(frames.filter((frame) => frame.op === 'event')).toHaveLength(0);
  });

  it('survives frames that it does not understand', () => {
    wire().accept();
    wire().onmessage?.({ data: 'no json' });
    wire().onmessage?.({ data: new ArrayBuffer(4) });
    wire().say({ op: 'tomorrow' });
    wire().confirm();
    expect(frames.map((frame) => frame.op)).toEqual(['subscribed']);
  });
});

describe('what the page shows', () => {
  const named = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => `m-${from + i}`);

  it('is named with the question, and again on each new socket', () => {
    connection.close();
    connection = new Connection(world, {
      frame: () => {},
      status: () => {},
      signedOut: () => {},
      shows: () => named(0, 450),
    });
    connection.subscribe(asking, 'p0');
    wire().accept();
    expect(wire().sent).toEqual([
      { op: 'subscribe', id: '1', since: 'p0', ...asking, shows: named(0, 200) },
      { op: 'shows', id: '1', since: 'p0', shows: named(200, 400) },
      { op: 'shows', id: '1', since: 'p0', shows: named(400, 450) },
    ]);
  });

  it('is added to by a page that was read later', () => {
    wire().accept();
    wire().confirm();
    connection.shows([], 'p3');
    connection.shows(['m-1'], 'p3');
    expect(wire().sent.slice(1)).toEqual([{ op: 'shows', id: '1', since: 'p3', shows: ['m-1'] }]);
  });
});

describe('resuming', () => {
  it('starts from the position of the last frame', () => {
    wire().accept();
    wire().confirm();
    wire().say({ op: 'event', id: '1', item: {}, at: 'p1' });
    wire().say({ op: 'state', message: 'm', recipients: [], unopened: 0, v: 1, at: 'p2' });
    wire().onclose?.({ code: 1006 });
    pass(1_000);
    wire().accept();
    expect(wire().asked()?.since).toBe('p2');
  });

  it('starts from where a quiet feed has got to', () => {
    wire().accept();
    wire().say({ op: 'subscribed', id: '1', at: 'p0' });
    wire().say({ op: 'at', at: 'p40' });
    wire().onclose?.({ code: 1012 });
    pass(1_000);
    wire().accept();
    expect(wire().asked()?.since).toBe('p40');
  });

  it('starts from the page when the socket broke before the subscription was confirmed', () => {
    wire().accept();
    wire().confirm();
    connection.subscribe({ ...asking, q: 'clicks' }, 'p7');
    wire().say({ op: 'state', message: 'm', recipients: [], unopened: 0, v: 1, at: 'p9' });
    wire().onclose?.({ code: 1006 });
    pass(1_000);
    wire().accept();
    expect(wire().asked()?.since).toBe('p7');
  });

  it('hands on a reset, and asks anew from the page that was read for it', () => {
    wire().accept();
    wire().confirm();
    wire().say({ op: 'reset', id: '1', reason: 'position_expired' });
    expect(frames.at(-1)?.op).toBe('reset');
    connection.subscribe(asking, 'p20');
    expect(wire().asked()).toMatchObject({ id: '2', since: 'p20' });
  });
});

describe('reconnecting', () => {
  it('waits twice as long each time, with jitter, up to a bound', () => {
    const waits: number[] = [];
    for (let attempt = 0; attempt < 9; attempt++) {
      wire().onclose?.({ code: 1006 });
      const retrying = status();
      if (retrying.is !== 'retrying') throw new Error(retrying.is);
      waits.push(retrying.nextAt - now);
      pass(retrying.nextAt - now);
    }
    expect(waits).toEqual([375, 750, 1500, 3000, 6000, 12000, 22500, 22500, 22500]);
    expect(wires).toHaveLength(10);
  });

  it('forgets the waits once it is live again, and tells since when it was lost', () => {
    wire().onclose?.({ code: 1012 });
    expect(status()).toMatchObject({ is: 'retrying', attempt: 1, lostAt: 1_000 });
    pass(1_000);
    wire().onclose?.({ code: 1006 });
    expect(status()).toMatchObject({ is: 'retrying', attempt: 2, lostAt: 1_000 });
    pass(2_000);
    wire().accept();
    wire().confirm();
    wire().onclose?.({ code: 4408 });
    expect(status()).toMatchObject({ is: 'retrying', attempt: 1, lostAt: now });
  });

  it('gives up on a server that stays silent', () => {
    wire().accept();
    pass(15_000);
    expect(wires[0]?.closed).toBe(true);
    expect(status().is).toBe('retrying');
  });

  it('tries again when the question could not be read', () => {
    wire().accept();
    wire().say({ op: 'error', id: '1', problem: { status: 503 } });
    expect(status().is).toBe('retrying');
    pass(1_000);
    wire().accept();
    expect(wire().asked()?.since).toBe('p0');
  });

  it('happens at once when asked to, and leaves one socket', () => {
    wire().onclose?.({ code: 1006 });
    connection.retryNow();
    expect(wires).toHaveLength(2);
    pass(60_000);
    expect(wires.filter((each) => !each.closed)).toHaveLength(1);
  });

  it('waits for the network when there is none', () => {
    online = false;
    wire().onclose?.({ code: 1006 });
    expect(status()).toMatchObject({ is: 'off', why: 'offline' });
    pass(120_000);
    expect(wires).toHaveLength(1);
    online = true;
    connection.wake();
    expect(wires).toHaveLength(2);
  });

  it('does not disturb a socket that is well', () => {
    wire().accept();
    wire().confirm();
    connection.wake();
    expect(wires).toHaveLength(1);
  });

  it('comes back late when the server has too many', () => {
    wire().onclose?.({ code: 4429 });
    expect(status()).toMatchObject({ is: 'off', why: 'refused' });
    pass(59_000);
    expect(wires).toHaveLength(1);
    pass(1_000);
    expect(wires).toHaveLength(2);
  });

  it('stops when signed out', () => {
    wire().onclose?.({ code: 4401 });
    pass(120_000);
    expect([signedOut, wires.length]).toEqual([1, 1]);
  });

  it('stops when closed', () => {
    wire().accept();
    connection.close();
    connection.wake();
    pass(120_000);
    expect([wires.length, wire().closed]).toEqual([1, true]);
  });
});
