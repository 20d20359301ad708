/**
 * The first answers a page needs are asked for by public/early.js, while the application
 * is still on its way: who is signed in, and the first page of the feed as it was asked
 * for the last time at the same address.
 */
interface Early {
  /** The query of the address that the document was loaded with. */
  search: string;
  answers: Record<string, Promise<Response> | undefined>;
}

declare global {
  interface Window {
    tidingsEarly?: Early | undefined;
  }
}

const stored = 'tidings.first';
const feed = '/v1/feed';
/** Longer questions are not remembered. */
const longest = 2_000;

/** earlyFetch is fetch, with the answer that was asked for already, once. */
export function earlyFetch(request: Request): Promise<Response> {
  const early = window.tidingsEarly;
  if (!early) return fetch(request);
  const { pathname, search } = new URL(request.url);
  const path = pathname + search;
  const answer = request.method === 'GET' ? early.answers[path] : undefined;
  // Answers grow old, and are of the session before where one begins.
  if (request.method !== 'GET' || pathname === feed) window.tidingsEarly = undefined;
  if (pathname === feed) remember(early.search, path);
  if (!answer) return fetch(request);
  early.answers[path] = undefined;
  return new Promise((resolve, reject) => {
    request.signal.addEventListener('abort', () => reject(request.signal.reason as Error));
    answer.then(resolve, reject);
  });
}

function remember(search: string, path: string): void {
  if (location.pathname !== '/' || path.length > longest) return;
  try {
    localStorage.setItem(stored, JSON.stringify({ search, path }));
  } catch {
    // Storage is refused: the application asks itself the next time, too.
  }
}

/** forgetFirst is for who signs out: the next reader has questions of their own. */
export function forgetFirst(): void {
  try {
    localStorage.removeItem(stored);
  } catch {
    // As above.
  }
}
