import type {
  DeadChoice,
  DeadLetters,
  DeadReasons,
  DeadReceipt,
  EventDetail,
  Key,
  KeyRequest,
  Member,
  Message,
  Page,
  Payload,
  Problem,
  Rejected,
  Replayed,
  Scanners,
  SavedSearch,
  Session,
  Settings,
  SettingsRequest,
  Source,
  SourceRequest,
  SourceTest,
  Stats,
  Suggestions,
  Team,
} from './types';

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
  /** A token for embedding, where there is no cookie to go with. */
  readonly token: string | null;

  constructor(token: string | null = null) {
    this.token = token;
  }

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

  feed(search: URLSearchParams, signal: AbortSignal): Promise<Page> {
    return this.#get(`/v1/feed?${search}`, signal);
  }

  message(id: string, signal: AbortSignal): Promise<Message> {
    return this.#get(`/v1/messages/${encodeURIComponent(id)}`, signal);
  }

  timeline(id: string, cursor: string | null, signal: AbortSignal): Promise<Page> {
    const query = cursor === null ? '' : `?cursor=${encodeURIComponent(cursor)}`;
    return this.#get(`/v1/messages/${encodeURIComponent(id)}/events${query}`, signal);
  }

  event(id: string, signal: AbortSignal): Promise<EventDetail> {
    return this.#get(`/v1/events/${encodeURIComponent(id)}`, signal);
  }

  settings(): Promise<Settings> {
    return this.#get('/v1/settings');
  }

  saveSettings(settings: SettingsRequest): Promise<Settings> {
    return this.#request('PUT', '/v1/settings', { body: settings }) as Promise<Settings>;
  }

  keys(): Promise<{ items: Key[] }> {
    return this.#get('/v1/keys');
  }

  createKey(key: KeyRequest): Promise<Key & { key: string }> {
    return this.#request('POST', '/v1/keys', { body: key }) as Promise<Key & { key: string }>;
  }

  async revokeKey(id: string): Promise<void> {
    await this.#request('DELETE', `/v1/keys/${encodeURIComponent(id)}`);
  }

  users(): Promise<{ items: Member[] }> {
    return this.#get('/v1/users');
  }

  async putUser(id: string, user: { name: string; emails: string[] }): Promise<void> {
    await this.#request('PUT', `/v1/users/${encodeURIComponent(id)}`, { body: user });
  }

  async dropUser(id: string): Promise<void> {
    await this.#request('DELETE', `/v1/users/${encodeURIComponent(id)}`);
  }

  teams(): Promise<{ items: Team[] }> {
    return this.#get('/v1/teams');
  }

  async putTeam(id: string, team: { name: string; members: string[] }): Promise<void> {
    await this.#request('PUT', `/v1/teams/${encodeURIComponent(id)}`, { body: team });
  }

  async dropTeam(id: string): Promise<void> {
    await this.#request('DELETE', `/v1/teams/${encodeURIComponent(id)}`);
  }

  deadReasons(): Promise<DeadReasons> {
    return this.#get('/v1/dead-letters/reasons');
  }

  /** deadLetters are those that failed for a reason, oldest first. */
  deadLetters(reason: string, cursor: string | null): Promise<DeadLetters> {
    const search = new URLSearchParams({ reason, limit: '20' });
    if (cursor !== null) search.set('cursor', cursor);
    return this.#get(`/v1/dead-letters?${search}`);
  }

  /** settleDeadLetters replays or drops many; the receipt says whether there are more. */
  settleDeadLetters(what: 'replay' | 'drop', which: DeadChoice): Promise<DeadReceipt> {
    const path = `/v1/dead-letters/${what}`;
    return this.#request('POST', path, { body: which }) as Promise<DeadReceipt>;
  }

  stats(search: URLSearchParams, signal: AbortSignal): Promise<Stats> {
    return this.#get(`/v1/stats?${search}`, signal);
  }

  /** suggest proposes what a search may go on with; at is the caret. */
  suggest(q: string, at: number, signal: AbortSignal): Promise<Suggestions> {
    const search = new URLSearchParams({ q, at: String([...q.slice(0, at)].length) });
    return this.#get(`/v1/suggest?${search}`, signal);
  }

  async savedSearches(): Promise<SavedSearch[]> {
    return (await this.#get<{ items: SavedSearch[] }>('/v1/searches')).items;
  }

  async saveSearch(name: string, q: string, shared: boolean): Promise<void> {
    const path = `/v1/searches/${encodeURIComponent(name)}`;
    await this.#request('PUT', path, { body: { q, shared } });
  }

  async dropSearch(name: string): Promise<void> {
    await this.#request('DELETE', `/v1/searches/${encodeURIComponent(name)}`);
  }

  /** overrule says who made an event; null takes back what was said. */
  async overrule(id: string, is: 'human' | 'machine' | null, reason: string): Promise<void> {
    const path = `/v1/events/${encodeURIComponent(id)}/verdict`;
    await this.#request('PUT', path, { body: is === null ? { is } : { is, reason } });
  }

  sources(): Promise<{ items: Source[]; providers: string[] }> {
    return this.#get('/v1/sources');
  }

  putSource(name: string, source: SourceRequest): Promise<Source & { path?: string }> {
    const path = `/v1/sources/${encodeURIComponent(name)}`;
    return this.#request('PUT', path, { body: source }) as Promise<Source & { path?: string }>;
  }

  async dropSource(name: string): Promise<void> {
    await this.#request('DELETE', `/v1/sources/${encodeURIComponent(name)}`);
  }

  /** testSource says what a sample of the provider would become. */
  testSource(name: string): Promise<SourceTest> {
    const path = `/v1/sources/${encodeURIComponent(name)}/test`;
    return this.#request('POST', path) as Promise<SourceTest>;
  }

  payloads(name: string): Promise<{ items: Payload[] }> {
    return this.#get(`/v1/sources/${encodeURIComponent(name)}/payloads`);
  }

  /** rejected are the requests that were believed and not understood. */
  rejected(name: string): Promise<{ items: Rejected[] }> {
    return this.#get(`/v1/sources/${encodeURIComponent(name)}/rejected`);
  }

  replayAllRejected(name: string): Promise<Replayed> {
    const path = `/v1/sources/${encodeURIComponent(name)}/rejected/replay`;
    return this.#request('POST', path) as Promise<Replayed>;
  }

  async dropRejected(name: string, id: string): Promise<void> {
    const source = encodeURIComponent(name);
    await this.#request('DELETE', `/v1/sources/${source}/rejected/${encodeURIComponent(id)}`);
  }

  /** scanners are those adopted and those suggested: it takes seconds where there is much mail. */
  scanners(): Promise<Scanners> {
    return this.#get('/v1/scanners');
  }

  async putScanner(domain: string, networks: readonly string[], reason: string): Promise<void> {
    const path = `/v1/scanners/${encodeURIComponent(domain)}`;
    await this.#request('PUT', path, { body: { networks, ...(reason && { reason }) } });
  }

  async dropScanner(domain: string): Promise<void> {
    await this.#request('DELETE', `/v1/scanners/${encodeURIComponent(domain)}`);
  }

  #get<T>(path: string, signal?: AbortSignal): Promise<T> {
    return this.#request('GET', path, signal ? { signal } : {}) as Promise<T>;
  }

  #begin(answer: unknown): Session {
    const session = answer as Session;
    this.#csrf = session.csrf;
    return session;
  }

  async #request(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    options: { body?: unknown; signal?: AbortSignal } = {},
  ): Promise<unknown> {
    const headers = new Headers({ Accept: 'application/json' });
    if (options.body !== undefined) headers.set('Content-Type', 'application/json');
    if (this.token !== null) headers.set('Authorization', `Bearer ${this.token}`);
    if (method !== 'GET' && this.#csrf) headers.set('X-CSRF-Token', this.#csrf);
    let response: Response;
    try {
      response = await fetch(path, {
        method,
        headers,
        body: options.body === undefined ? null : JSON.stringify(options.body),
        signal: options.signal ?? null,
        credentials: this.token === null ? 'same-origin' : 'omit',
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
