// Follows the live feed of Tidings from a page of your own. See docs/embedding.md.
//
//   import { follow } from 'https://tidings.example.com/tidings.js';
//   const stop = follow({ token: () => fetch('/my/token').then((r) => r.text()), q: 'type:reply',
//                         event: (item) => console.log(item.person?.name, item.subject) });
export function follow({ token, q = '', tz, event, state, status }) {
  const server = new URL('/v1/live', import.meta.url);
  server.protocol = server.protocol === 'https:' ? 'wss:' : 'ws:';
  let socket,
    timer,
    since,
    tries = 0,
    stopped = false;

  async function connect() {
    try {
      socket = new WebSocket(server, ['tidings.v1', `tidings.token.${await token()}`]);
    } catch {
      return again();
    }
    socket.onopen = () =>
      socket.send(
        JSON.stringify({
          op: 'subscribe',
          id: 'feed',
          q,
          ...(tz && { tz }),
          ...(since && { since }),
        }),
      );
    socket.onmessage = ({ data }) => {
      const frame = JSON.parse(data);
      if (frame.at) since = frame.at;
      if (frame.op === 'subscribed') {
        tries = 0;
        status?.('live');
      }
      if (frame.op === 'event' || frame.op === 'changed') event?.(frame.item, frame.op);
      if (frame.op === 'state') state?.(frame);
      // The position is too old: what was missed is not told again.
      if (frame.op === 'reset') {
        since = undefined;
        socket.close();
      }
    };
    socket.onclose = again;
  }

  function again() {
    if (stopped) return;
    status?.('waiting');
    timer = setTimeout(connect, Math.min(30_000, 500 * 2 ** tries++) * (0.5 + Math.random() / 2));
  }

  connect();
  return () => {
    stopped = true;
    clearTimeout(timer);
    socket?.close();
  };
}
