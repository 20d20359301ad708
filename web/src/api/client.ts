import type { Message, Page, Problem, Session } from './types';

/** Failure is a request that did not succeed; status 0 means that no answer came. */
export class Failure extends Error {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  /** Seconds to wait before the next try, where the server named them. */
  readonly retryAfter: number | undefined;

  constructor(status: number, problem: Problem, retryAfter?: number) {
    super(problem.title ?? `Status ${status}`);
    this.name = 'Failure';
    this.status = status;
    this.title = problem.title ?? '';
    this.detail = problem.detail ?? problem.errors?.[0]?.message ?? '';
    this.retryAfter = retryAfter;
  }

  get signedOut(): boolean {
    return this.status === 401;
  }
}

/** How the reader proves who they are: a key, or the token of a one-time link. */
export type Credential = { key: string } | { token: string };

/** Client speaks to the server that served the page, with its session cookie. */
export class Client {
  #csrf = '';

  async signIn(credential: Credential): Promise<Session> {
    return this.#begin(await this.#request('POST', '/v1/session', { body: credential }));
  }

  /** session says who is signed in; a Failure with signedOut when nobody is. */
  async session(): Promise<Session> {
    return this.#begin(await this.#request('GET', '/v1/session'));
  }

  async signOut(): Promise<void> {
    await this.#request('DELETE', '/v1/session');
    this.#csrf = '';
  }

  async feed(search: URLSearchParams, signal: AbortSignal): Promise<Page> {
    return (await this.#request('GET', `/v1/feed?${search}`, { signal })) as Page;
  }

  async message(id: string, signal: AbortSignal): Promise<Message> {
    const path = `/v1/messages/${encodeURIComponent(id)}`;
    return (await this.#request('GET', path, { signal })) as Message;
  }

  async timeline(id: string, cursor: string | null, signal: AbortSignal): Promise<Page> {
    const query = cursor === null ? '' : `?cursor=${encodeURIComponent(cursor)}`;
    const path = `/v1/messages/${encodeURIComponent(id)}/events${query}`;
    return (await this.#request('GET', path, { signal })) as Page;
  }

  #begin(answer: unknown): Session {
    const session = answer as Session;
    this.#csrf = session.csrf;
    return session;
  }

  async #request(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    options: { body?: unknown; signal?: AbortSignal } = {},
  ): Promise<unknown> {
    const headers = new Headers({ Accept: 'application/json' });
    if (options.body !== undefined) headers.set('Content-Type', 'application/json');
    if (method !== 'GET' && this.#csrf) headers.set('X-CSRF-Token', this.#csrf);
    let response: Response;
    try {
      response = await fetch(path, {
        method,
        headers,
        body: options.body === undefined ? null : JSON.stringify(options.body),
        signal: options.signal ?? null,
        credentials: 'same-origin',
      });
    } catch (error) {
      if (options.signal?.aborted) throw error;
      throw new Failure(0, { title: 'The server didn’t answer' });
    }
    if (!response.ok) throw await failureOf(response);
    return response.status === 204 ? undefined : response.json();
  }
}

async function failureOf(response: Response): Promise<Failure> {
  let problem: Problem = {};
  try {
    problem = (await response.json()) as Problem;
  } catch {
    // A proxy in between may answer with something that is no JSON.
  }
  const after = Number(response.headers.get('Retry-After'));
  return new Failure(response.status, problem, after > 0 ? after : undefined);
}
