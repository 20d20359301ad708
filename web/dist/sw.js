// Lets the installed page open without a network: the application from the cache, and
// the feed as it was last read. With a network nothing here answers in its place but
// files whose names change with their content. What was read is of one reader: signing in
// or out forgets it, and what was asked before is not kept after.
'use strict';

const shell = 'tidings-shell';
const data = 'tidings-data';
const assets = /^\/assets\//;
const fixed = ['/early.js', '/icon.svg', '/manifest.webmanifest'];
/** What the first screen is made of. */
const first = ['/v1/session', '/v1/settings', '/v1/searches', '/v1/feed'];
/** How many answers are kept: the newest questions of the feed. */
const most = 12;
/** Moves whenever the session does. */
let session = 0;

self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== self.location.origin) return;
  if (request.method !== 'GET') {
    if (url.pathname === '/v1/session') event.respondWith(changed(request));
    return;
  }
  // What is embedded has readers of its own.
  if (url.pathname.startsWith('/embed') || request.headers.has('Authorization')) return;
  if (request.mode === 'navigate') event.respondWith(page(event));
  else if (assets.test(url.pathname)) event.respondWith(asset(request));
  else if (fixed.includes(url.pathname)) event.respondWith(newest(event, shell));
  else if (first.includes(url.pathname) && !url.searchParams.has('cursor'))
    event.respondWith(newest(event, data));
});

/** Every page is the same document. A sign-in link's token is no part of what is kept. */
async function page({ request }) {
  const cache = await caches.open(shell);
  try {
    const answer = await fetch(request);
    if (answer.ok && (answer.headers.get('Content-Type') ?? '').startsWith('text/html')) {
      const known = await cache.match('/');
      const text = await answer.clone().text();
      // A new version has other files: the old ones go.
      if (known && (await known.text()) !== text)
        for (const old of await cache.keys())
          if (assets.test(new URL(old.url).pathname)) await cache.delete(old);
      await cache.put('/', answer.clone());
    }
    return answer;
  } catch (error) {
    const known = await cache.match('/');
    if (known) return known;
    throw error;
  }
}

async function asset(request) {
  const cache = await caches.open(shell);
  const known = await cache.match(request);
  if (known) return known;
  const answer = await fetch(request);
  if (answer.ok) await cache.put(request, answer.clone());
  return answer;
}

/**
 * Settles when the push before has been dealt with. They are shown one after the other, as they
 * came: a browser takes its time to show one, and what takes it back would be covered by it. And
 * Chromium, asked for what it shows while it is about to show something, forgets that: a click on
 * it would do nothing.
 */
let earlier = Promise.resolve();
/**
 * How long one is waited for, in ms. Chromium waits 90 seconds for an icon, and ends a worker with
 * a push that takes as long, and so all others that wait in it.
 */
const patience = 10_000;

self.addEventListener('push', (event) => {
  const before = [earlier.catch(() => {}), new Promise((go) => setTimeout(go, patience))];
  earlier = Promise.race(before).then(() => pushed(event.data));
  event.waitUntil(earlier);
});

/**
 * What is pushed is shown under its id: what takes it back replaces it. A reader who looks
 * at the page sees it there.
 */
async function pushed(data) {
  let told;
  try {
    told = data.json();
  } catch {
    told = { id: 'tidings', title: 'Something happened', path: '/notifications' };
  }
  const windows = await self.clients.matchAll({ type: 'window' });
  if (windows.some(({ focused }) => focused) && !told.test) {
    const shown = await self.registration.getNotifications({ tag: told.id });
    for (const one of told.taken ? shown : []) one.close();
    return;
  }
  await self.registration.showNotification(told.title, {
    tag: told.id,
    body: told.body ?? '',
    icon: '/icon-192.png',
    timestamp: told.at,
    silent: told.taken === true,
    data: { path: told.path },
  });
}

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(show(event.notification.data?.path ?? '/notifications'));
});

/** Shows something in the page that is open, or opens it. */
async function show(path) {
  const windows = await self.clients.matchAll({ type: 'window' });
  const open = windows.find(({ url }) => !new URL(url).pathname.startsWith('/embed'));
  if (!open) return self.clients.openWindow(path);
  open.postMessage({ path });
  return open.focus();
}

/** Forgets once the server has answered: until then, other tabs may still read for the session before. */
async function changed(request) {
  try {
    return await fetch(request);
  } finally {
    await forget();
  }
}

function forget() {
  session++;
  return caches.delete(data);
}

async function newest(event, name) {
  const { request } = event;
  const asked = session;
  try {
    const answer = await fetch(request);
    if (answer.status === 401) await forget();
    else if (answer.ok) event.waitUntil(keep(name, request, answer.clone(), asked));
    return answer;
  } catch (error) {
    const known = await (await caches.open(name)).match(request);
    if (known) return known;
    throw error;
  }
}

async function keep(name, request, answer, asked) {
  const cache = await caches.open(name);
  if (name === data && asked !== session) return;
  await cache.delete(request);
  await cache.put(request, answer);
  if (name !== data) return;
  const all = await cache.keys();
  for (const old of all.slice(0, Math.max(0, all.length - most))) await cache.delete(old);
}
