import type { Client as Api } from 'openapi-fetch';
import { done, read } from './failure';
import type { paths } from './schema';
import type {
  InvitationRequest,
  KeyRequest,
  MemberChange,
  ProviderRequest,
  TeamRequest,
} from './types';

/** Access is who comes in and what they may do: people, teams, invitations, sessions, keys, providers. */
export class Access {
  #api: Api<paths>;

  constructor(api: Api<paths>) {
    this.#api = api;
  }

  /** addSample fills an empty workspace with made-up events; removeSample takes them out. */
  addSample() {
    return read(this.#api.POST('/v1/sample'));
  }

  removeSample() {
    return done(this.#api.DELETE('/v1/sample'));
  }

  async users() {
    return (await read(this.#api.GET('/v1/users'))).items;
  }

  putUser(id: string, body: { name: string; emails: string[] }) {
    return done(this.#api.PUT('/v1/users/{id}', { params: { path: { id } }, body }));
  }

  changeUser(id: string, body: MemberChange) {
    return read(this.#api.PATCH('/v1/users/{id}', { params: { path: { id } }, body }));
  }

  dropUser(id: string) {
    return done(this.#api.DELETE('/v1/users/{id}', { params: { path: { id } } }));
  }

  async invitations() {
    return (await read(this.#api.GET('/v1/invitations'))).items;
  }

  /** invite answers the link, which is told this once. */
  invite(body: InvitationRequest) {
    return read(this.#api.POST('/v1/invitations', { body }));
  }

  uninvite(id: string) {
    return done(this.#api.DELETE('/v1/invitations/{id}', { params: { path: { id } } }));
  }

  async teams() {
    return (await read(this.#api.GET('/v1/teams'))).items;
  }

  putTeam(id: string, body: TeamRequest) {
    return done(this.#api.PUT('/v1/teams/{id}', { params: { path: { id } }, body }));
  }

  dropTeam(id: string) {
    return done(this.#api.DELETE('/v1/teams/{id}', { params: { path: { id } } }));
  }

  /** sessions are the reader's own, or with user those of somebody else. */
  async sessions(user?: string) {
    const params = { query: user === undefined ? {} : { user } };
    return (await read(this.#api.GET('/v1/sessions', { params }))).items;
  }

  endSession(id: string, user?: string) {
    const params = { path: { id }, query: user === undefined ? {} : { user } };
    return done(this.#api.DELETE('/v1/sessions/{id}', { params }));
  }

  /** endSessions ends all but the one that asks. */
  endSessions(user?: string) {
    const params = { query: user === undefined ? {} : { user } };
    return done(this.#api.DELETE('/v1/sessions', { params }));
  }

  async keys() {
    return (await read(this.#api.GET('/v1/keys'))).items;
  }

  createKey(body: KeyRequest) {
    return read(this.#api.POST('/v1/keys', { body }));
  }

  /** rotateKey answers the new text; the one before works for some hours still. */
  rotateKey(id: string, hours: number) {
    const params = { path: { id } };
    const body = { overlap_hours: hours };
    return read(this.#api.POST('/v1/keys/{id}/rotate', { params, body }));
  }

  revokeKey(id: string) {
    return done(this.#api.DELETE('/v1/keys/{id}', { params: { path: { id } } }));
  }

  /** providers are those at which people sign in, and the addresses to register at a new one. */
  providers() {
    return read(this.#api.GET('/v1/sign-in/providers'));
  }

  putProvider(name: string, body: ProviderRequest) {
    return read(
      this.#api.PUT('/v1/sign-in/providers/{name}', { params: { path: { name } }, body }),
    );
  }

  testProvider(name: string) {
    const params = { path: { name } };
    return read(this.#api.POST('/v1/sign-in/providers/{name}/test', { params }));
  }

  dropProvider(name: string) {
    const params = { path: { name } };
    return done(this.#api.DELETE('/v1/sign-in/providers/{name}', { params }));
  }
}
