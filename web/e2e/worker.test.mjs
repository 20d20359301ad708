// The service worker alone, with stores in memory and a server that answers when it is told to.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { beforeEach, describe, it } from 'node:test';
import { runInNewContext } from 'node:vm';

const origin = 'https://tidings.example';
const source = await readFile(new URL('../public/sw.js', import.meta.url), 'utf8');

/** Store is a cache: requests are told apart by their addresses. */
class Store extends Map {
  match = async ({ url }) => super.get(url)?.clone();
  put = async ({ url }, answer) => void super.set(url, answer);
  keys = async () => [...super.keys()].map((url) => ({ url }));
  delete = async ({ url }) => super.delete(url);
}

describe('what the service worker keeps', () => {
  let listeners, stores, waiting;

  beforeEach(() => {
    [listeners, stores, waiting] = [{}, new Map(), []];
    const caches = {
      open: async (name) => stores.get(name) ?? stores.set(name, new Store()).get(name),
      delete: async (name) => stores.delete(name),
    };
    const self = {
      location: new URL(origin),
      addEventListener: (type, listener) => (listeners[type] = listener),
    };
    const fetch = (request) => new Promise((answer) => waiting.push({ request, answer }));
    runInNewContext(source, { self, caches, fetch, URL, Map });
  });

  /** ask is a request of the page: what the server says to it, and when all of it is done. */
  function ask(path, options) {
    const done = [];
    const event = {
      request: new Request(origin + path, options),
      respondWith: (answer) => done.push(answer),
      waitUntil: (more) => done.push(more),
    };
    listeners.fetch(event);
    const all = async () => {
      for (const each of done) await each;
    };
    return { handled: done.length > 0, all };
  }

  /** asked are the requests that have reached the server, so many of them. */
  async function asked(count) {
    for (let turn = 0; waiting.length < count; turn++) {
      assert.ok(turn < 100, 'the server is not asked');
      await new Promise(setImmediate);
    }
    return waiting.splice(0);
  }

  /** answer lets the server answer the one request that waits. */
  async function answer(text, status = 200) {
    const [one] = await asked(1);
    one.answer(new Response(text, { status }));
  }

  const kept = () => [...(stores.get('tidings-data')?.values() ?? [])].length;

  async function reads() {
    const feed = ask('/v1/feed');
    await answer('mail of Ana');
    await feed.all();
  }

  it('is the feed as it was read last', async () => {
    await reads();
    assert.equal(kept(), 1);
  });

  for (const [what, method] of [
    ['out', 'DELETE'],
    ['in, be it over the session of another', 'POST'],
  ])
    it(`is nothing after signing ${what}`, async () => {
      await reads();
      const session = ask('/v1/session', { method });
      await answer('{}');
      await session.all();
      assert.equal(kept(), 0);
    });

  it('is nothing that was asked before the session ended and answered after', async () => {
    const feed = ask('/v1/feed');
    const out = ask('/v1/session', { method: 'DELETE' });
    const [first, second] = await asked(2);
    second.answer(new Response('{}'));
    await out.all();
    first.answer(new Response('mail of Ana'));
    await feed.all();
    assert.equal(kept(), 0);
  });

  it('is nothing that was asked while the next reader signed in', async () => {
    const next = ask('/v1/session', { method: 'POST' });
    const [signing] = await asked(1);
    await reads();
    signing.answer(new Response('{}'));
    await next.all();
    assert.equal(kept(), 0);
  });

  it('is nothing after the server says that nobody is signed in', async () => {
    await reads();
    const session = ask('/v1/session');
    await answer('{}', 401);
    await session.all();
    assert.equal(kept(), 0);
  });

  it('is nothing that was read with a token of an embedded view', async () => {
    const { handled } = ask('/v1/feed', { headers: { Authorization: 'Bearer emb_1' } });
    assert.equal(handled, false);
  });
});

describe('what the service worker shows', () => {
  let listeners, looked, asked, timers;

  beforeEach(() => {
    [listeners, looked, asked, timers] = [{}, false, [], []];
    const browser = (what) => new Promise((answer, refuse) => asked.push({ what, answer, refuse }));
    const self = {
      location: new URL(origin),
      addEventListener: (type, listener) => (listeners[type] = listener),
      clients: { matchAll: async () => [{ focused: looked }] },
      registration: {
        showNotification: (title) => browser(`show ${title}`),
        getNotifications: ({ tag }) => browser(`find ${tag}`),
      },
    };
    const setTimeout = (then, after) => timers.push({ then, after });
    runInNewContext(source, { self, URL, Map, setTimeout });
  });

  /** push hands something over, and answers when the worker is done with it. */
  function push(told) {
    let done;
    listeners.push({ data: { json: () => told }, waitUntil: (more) => (done = more) });
    return done;
  }

  /** turns lets everything happen that waits for nothing else. */
  async function turns() {
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  }

  const open = { id: 'd1', title: 'Jo opened it' };
  const back = { id: 'd1', title: 'Taken back', taken: true };
  const whats = () => asked.map(({ what }) => what);

  it('is what takes something back, however long that takes to be shown', async () => {
    const both = [push(open), push(back)];
    await turns();
    assert.deepEqual(whats(), ['show Jo opened it']);
    asked[0].answer();
    await both[0];
    await turns();
    assert.deepEqual(whats(), ['show Jo opened it', 'show Taken back']);
    asked[1].answer();
    await both[1];
  });

  it('is not asked for while something is on its way to the screen', async () => {
    const both = [push(open), push(back)];
    await turns();
    looked = true;
    assert.deepEqual(whats(), ['show Jo opened it']);
    asked[0].answer();
    await turns();
    assert.deepEqual(whats(), ['show Jo opened it', 'find d1']);
    let closed = 0;
    asked[1].answer([{ close: () => closed++ }]);
    await Promise.all(both);
    assert.equal(closed, 1);
  });

  it('goes on after one that the browser refuses', async () => {
    const refused = assert.rejects(push(open), /denied/);
    const next = push({ id: 'd2', title: 'Ana replied' });
    await turns();
    asked[0].refuse(new Error('denied'));
    await refused;
    await turns();
    assert.deepEqual(whats(), ['show Jo opened it', 'show Ana replied']);
    asked[1].answer();
    await next;
  });

  it('goes on after one that the browser does not get on with', async () => {
    void push(open);
    await turns();
    const next = [
      push({ id: 'd2', title: 'Ana replied' }),
      push({ id: 'd3', title: 'Tom clicked' }),
    ];
    await turns();
    assert.deepEqual(whats(), ['show Jo opened it']);
    assert.ok(
      timers.every(({ after }) => after < 30_000),
      'Chromium gives a push 90 seconds',
    );
    for (const { then } of timers) then();
    await turns();
    asked[1].answer();
    await turns();
    assert.deepEqual(whats(), ['show Jo opened it', 'show Ana replied', 'show Tom clicked']);
    asked[2].answer();
    await Promise.all(next);
  });
});
