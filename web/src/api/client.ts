import createClient, { type Client as Api, type Middleware } from 'openapi-fetch';
import { earlyFetch, forgetFirst } from './early';
import { done, exact, failureOf, read, unanswered } from './failure';
import type { paths } from './schema';
import type {
  Answer,
  AuditQuery,
  DeadChoice,
  EventDetail,
  FeedQuery,
  FollowUpRequest,
  Page,
  Session,
  SettingsRequest,
  EndpointRequest,
  SourceRequest,
  TryRequest,
  Stats,
  StatsQuery,
  Suggestions,
} from './types';

export { Failure } from './failure';

/** How the reader proves who they are: a key, or the token of a one-time link or of an invitation. */
export type Credential = { key: string } | { token: string } | { invitation: string };

/**
 * Client speaks to the server that served the page, with its session cookie. Paths,
 * parameters and answers are those of /openapi.json; every method throws a Failure.
 */
export class Client {
  /** A token for embedding, where there is no cookie to go with. */
  readonly token: string | null;
  /** For what few pages ask: see Access. */
  readonly api: Api<paths>;

  #csrf = '';

  constructor(token: string | null = null) {
    this.token = token;
    this.api = createClient<paths>({
      baseUrl: location.origin,
      headers: { Accept: 'application/json', ...(token && { Authorization: `Bearer ${token}` }) },
      credentials: token === null ? 'same-origin' : 'omit',
      ...(token === null && { fetch: earlyFetch }),
    });
    const failures: Middleware = {
      onRequest: ({ request }) => {
        if (request.method !== 'GET' && this.#csrf) request.headers.set('X-CSRF-Token', this.#csrf);
      },
      onResponse: async ({ response }) => {
        if (response.status === 401) forgetFirst();
        if (!response.ok) throw await failureOf(response);
      },
      onError: ({ error, request }) => {
        if (request.signal.aborted) return;
        if (error instanceof TypeError) return unanswered();
      },
    };
    this.api.use(failures);
  }

  async signIn(body: Credential): Promise<Session> {
    return this.#begin(await read(this.api.POST('/v1/session', { body })));
  }

  /** ways are those in which somebody with an address may sign in; without one, anybody. */
  ways(email: string) {
    return read(this.api.GET('/v1/sign-in', { params: { query: email ? { email } : {} } }));
  }

  /** askForLink has a link sent by mail to whoever has the address. */
  askForLink(email: string): Promise<void> {
    return done(this.api.POST('/v1/sign-in/mail', { body: { email } }));
  }

  /** signInByMail takes the link of a mail; code are its digits, where another browser asked. */
  async signInByMail(token: string, code: string): Promise<Session> {
    const body = { token, ...(code && { code }) };
    return this.#begin(await read(this.api.POST('/v1/sign-in/mail/link', { body })));
  }

  /** session says who is signed in; a Failure with signedOut when nobody is. */
  async session(): Promise<Session> {
    return this.#begin(await read(this.api.GET('/v1/session')));
  }

  async signOut(): Promise<void> {
    await this.api.DELETE('/v1/session');
    forgetFirst();
    this.#csrf = '';
  }

  feed(query: FeedQuery, signal: AbortSignal) {
    return exact<Page>(this.api.GET('/v1/feed', { params: { query }, signal }));
  }

  /** answer is what a question comes to; cursor is next of the answer before. */
  answer(query: FeedQuery, signal: AbortSignal) {
    return exact<Answer>(this.api.GET('/v1/answer', { params: { query }, signal }));
  }

  /** message is what is known of one; recipients is rest.next of the answer before. */
  message(id: string, signal: AbortSignal, recipients?: string) {
    const params = { path: { id }, query: recipients === undefined ? {} : { recipients } };
    return read(this.api.GET('/v1/messages/{id}', { params, signal }));
  }

  timeline(id: string, cursor: string | null, signal: AbortSignal) {
    const params = { path: { id }, query: cursor === null ? {} : { cursor } };
    return exact<Page>(this.api.GET('/v1/messages/{id}/events', { params, signal }));
  }

  event(id: string, signal: AbortSignal) {
    return exact<EventDetail>(
      this.api.GET('/v1/events/{id}', { params: { path: { id } }, signal }),
    );
  }

  /** person is what is known of somebody outside, by address. */
  person(email: string, tz: string, signal: AbortSignal) {
    const params = { path: { email }, query: { tz } };
    return read(this.api.GET('/v1/people/{email}', { params, signal }));
  }

  /** company is what is known of the people of a domain. */
  company(domain: string, tz: string, signal: AbortSignal) {
    const params = { path: { domain }, query: { tz } };
    return read(this.api.GET('/v1/companies/{domain}', { params, signal }));
  }

  /** nudges are those who let mail wait. */
  nudges(
    query: { user: string[]; show: 'open' | 'snoozed' | 'done'; days: number },
    signal: AbortSignal,
  ) {
    return read(this.api.GET('/v1/nudges', { params: { query }, signal }));
  }

  /** calls are those who are worth a call now. */
  calls(query: { user: string[]; show: 'open' | 'snoozed' | 'done' }, signal: AbortSignal) {
    return read(this.api.GET('/v1/calls', { params: { query }, signal }));
  }

  async followUps(email: string, signal: AbortSignal) {
    const params = { path: { email } };
    return (await read(this.api.GET('/v1/follow-ups/{email}', { params, signal }))).items;
  }

  /** putFollowUp notes something of a person for a user's mail. */
  putFollowUp(email: string, user: string, body: FollowUpRequest) {
    const params = { path: { email }, query: { ...(user && { user }) } };
    return read(this.api.PUT('/v1/follow-ups/{email}', { params, body }));
  }

  settings() {
    return read(this.api.GET('/v1/settings'));
  }

  saveSettings(body: SettingsRequest) {
    return read(this.api.PUT('/v1/settings', { body }));
  }

  audit(query: AuditQuery) {
    return read(this.api.GET('/v1/audit', { params: { query } }));
  }

  /** Who looked at the reader's own mail. */
  auditMine(query: { cursor?: string }) {
    return read(this.api.GET('/v1/audit/mine', { params: { query } }));
  }

  deadReasons() {
    return read(this.api.GET('/v1/dead-letters/reasons'));
  }

  /** deadLetters are those that failed for a reason, oldest first. */
  deadLetters(reason: string, cursor: string | null) {
    const query = { reason, limit: 20, ...(cursor !== null && { cursor }) };
    return read(this.api.GET('/v1/dead-letters', { params: { query } }));
  }

  /** replayOrDrop replays or drops many; the receipt says whether there are more. */
  replayOrDrop(what: 'replay' | 'drop', body: DeadChoice) {
    return read(this.api.POST(`/v1/dead-letters/${what}`, { body }));
  }

  stats(query: StatsQuery, signal: AbortSignal) {
    return exact<Stats>(this.api.GET('/v1/stats', { params: { query }, signal }));
  }

  /** suggest proposes what a search may go on with; at is the caret. */
  suggest(q: string, at: number, signal: AbortSignal) {
    const query = { q, at: [...q.slice(0, at)].length };
    return exact<Suggestions>(this.api.GET('/v1/suggest', { params: { query }, signal }));
  }

  async savedSearches() {
    return (await read(this.api.GET('/v1/searches'))).items;
  }

  saveSearch(name: string, q: string, shared: boolean) {
    return done(
      this.api.PUT('/v1/searches/{name}', { params: { path: { name } }, body: { q, shared } }),
    );
  }

  dropSearch(name: string) {
    return done(this.api.DELETE('/v1/searches/{name}', { params: { path: { name } } }));
  }

  /** override says who made an event; null takes back what was said. */
  override(id: string, is: 'human' | 'machine' | null, reason: string) {
    const body = is === null ? { is } : { is, reason };
    return done(this.api.PUT('/v1/events/{id}/verdict', { params: { path: { id } }, body }));
  }

  sources() {
    return read(this.api.GET('/v1/sources'));
  }

  putSource(name: string, body: SourceRequest) {
    return read(this.api.PUT('/v1/sources/{name}', { params: { path: { name } }, body }));
  }

  dropSource(name: string) {
    return done(this.api.DELETE('/v1/sources/{name}', { params: { path: { name } } }));
  }

  /** trySource says what a mapping makes of the last payloads; nothing is kept. */
  trySource(name: string, body: TryRequest) {
    return read(this.api.POST('/v1/sources/{name}/try', { params: { path: { name } }, body }));
  }

  /** testSource says what a sample of the provider would become. */
  testSource(name: string) {
    return read(this.api.POST('/v1/sources/{name}/test', { params: { path: { name } } }));
  }

  payloads(name: string) {
    return read(this.api.GET('/v1/sources/{name}/payloads', { params: { path: { name } } }));
  }

  endpoints() {
    return read(this.api.GET('/v1/endpoints'));
  }

  putEndpoint(name: string, body: EndpointRequest) {
    return read(this.api.PUT('/v1/endpoints/{name}', { params: { path: { name } }, body }));
  }

  dropEndpoint(name: string) {
    return done(this.api.DELETE('/v1/endpoints/{name}', { params: { path: { name } } }));
  }

  /** testEndpoint sends a test now. */
  testEndpoint(name: string) {
    return read(this.api.POST('/v1/endpoints/{name}/test', { params: { path: { name } } }));
  }

  enableEndpoint(name: string) {
    return read(this.api.POST('/v1/endpoints/{name}/enable', { params: { path: { name } } }));
  }

  deliveries(name: string, cursor: string) {
    const params = { path: { name }, query: cursor ? { cursor } : {} };
    return read(this.api.GET('/v1/endpoints/{name}/deliveries', { params }));
  }

  /** replayDeliveries sends some again, or all that failed. */
  replayDeliveries(name: string, ids?: readonly string[]) {
    const body = ids ? { ids: [...ids] } : {};
    return read(this.api.POST('/v1/endpoints/{name}/replay', { params: { path: { name } }, body }));
  }

  /** rejected are the requests that were believed and not understood. */
  rejected(name: string) {
    return read(this.api.GET('/v1/sources/{name}/rejected', { params: { path: { name } } }));
  }

  replayAllRejected(name: string) {
    const params = { path: { name } };
    return read(this.api.POST('/v1/sources/{name}/rejected/replay', { params }));
  }

  dropRejected(name: string, id: string) {
    const params = { path: { name, id } };
    return done(this.api.DELETE('/v1/sources/{name}/rejected/{id}', { params }));
  }

  /** scanners are those adopted and those suggested: it takes seconds where there is much mail. */
  scanners() {
    return read(this.api.GET('/v1/scanners'));
  }

  putScanner(domain: string, networks: readonly string[], reason: string) {
    const body = { networks: [...networks], ...(reason && { reason }) };
    return done(this.api.PUT('/v1/scanners/{domain}', { params: { path: { domain } }, body }));
  }

  dropScanner(domain: string) {
    return done(this.api.DELETE('/v1/scanners/{domain}', { params: { path: { domain } } }));
  }

  #begin(session: Session): Session {
    this.#csrf = session.csrf;
    return session;
  }
}
