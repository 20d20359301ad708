import type { Connection, Socket, World } from './connection';

/**
 * browserWith is the browser as a Connection needs it. A page without a cookie
 * brings its token as a subprotocol: a websocket takes no headers.
 */
export const browserWith = (token: string | null): World => ({
  open: () => {
    const url = new URL('/v1/live', location.href);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    const protocols = token === null ? ['tidings.v1'] : ['tidings.v1', `tidings.token.${token}`];
    return new WebSocket(url, protocols) as Socket;
  },
  now: () => Date.now(),
  random: () => Math.random(),
  after: (ms, then) => {
    const timer = setTimeout(then, ms);
    return () => clearTimeout(timer);
  },
  online: () => navigator.onLine,
});

const tick = 30_000;
const asleep = 120_000;

/**
 * watch wakes a connection when the network or the page comes back, and calls
 * each every half minute. A tick that comes minutes late means that the machine
 * slept, and a socket that slept may be dead without knowing it.
 */
export function watch(connection: Connection, each: () => void): () => void {
  const online = () => connection.wake();
  const offline = () => connection.offline();
  const visible = () => {
    if (document.visibilityState !== 'visible') return;
    connection.wake();
    each();
  };
  let last = Date.now();
  const timer = setInterval(() => {
    if (Date.now() - last > asleep) connection.retryNow();
    last = Date.now();
    each();
  }, tick);
  addEventListener('online', online);
  addEventListener('offline', offline);
  document.addEventListener('visibilitychange', visible);
  return () => {
    clearInterval(timer);
    removeEventListener('online', online);
    removeEventListener('offline', offline);
    document.removeEventListener('visibilitychange', visible);
  };
}
