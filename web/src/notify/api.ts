import type { Client as Api } from 'openapi-fetch';
import { done, exact, read } from '../api/failure';
import type { operations, paths } from '../api/schema';
import type {
  DecisionPage,
  NoteChange,
  NoteDefaultsChange,
  NoteSettings,
  PushDeviceRequest,
  RulePreview,
  RuleRequest,
  WhyTold,
} from '../api/types';

export type DecisionQuery = NonNullable<operations['list-decisions']['parameters']['query']>;

/** Notes is what the page asks of notifications. */
export class Notes {
  #api: Api<paths>;

  constructor(api: Api<paths>) {
    this.#api = api;
  }

  /** told are the reader's notifications; cursor is next of the page before. */
  told(cursor: string | null) {
    const query = { limit: 50, ...(cursor !== null && { cursor }) };
    return exact<DecisionPage>(this.#api.GET('/v1/notifications', { params: { query } }));
  }

  decisions(query: DecisionQuery) {
    return exact<DecisionPage>(this.#api.GET('/v1/decisions', { params: { query } }));
  }

  /** read marks notifications as read: all of them without ids. */
  read(ids?: readonly string[]) {
    return done(this.#api.POST('/v1/notifications/read', { body: ids ? { ids: [...ids] } : {} }));
  }

  why(event: string) {
    const params = { query: { event } };
    return exact<WhyTold>(this.#api.GET('/v1/notifications/why', { params }));
  }

  settings() {
    return read(this.#api.GET('/v1/notification-settings'));
  }

  change(body: NoteChange) {
    return read(this.#api.PATCH('/v1/notification-settings', { body }));
  }

  replace(body: NoteSettings) {
    return read(this.#api.PUT('/v1/notification-settings', { body }));
  }

  defaults() {
    return read(this.#api.GET('/v1/notification-defaults'));
  }

  changeDefaults(body: NoteDefaultsChange) {
    return read(this.#api.PATCH('/v1/notification-defaults', { body }));
  }

  rules() {
    return read(this.#api.GET('/v1/notification-rules'));
  }

  putRule(name: string, body: RuleRequest) {
    const params = { path: { name } };
    return read(this.#api.PUT('/v1/notification-rules/{name}', { params, body }));
  }

  dropRule(name: string) {
    const params = { path: { name } };
    return done(this.#api.DELETE('/v1/notification-rules/{name}', { params }));
  }

  devices() {
    return read(this.#api.GET('/v1/push-devices'));
  }

  putDevice(body: PushDeviceRequest) {
    return read(this.#api.POST('/v1/push-devices', { body }));
  }

  dropDevice(id: string) {
    return done(this.#api.DELETE('/v1/push-devices/{id}', { params: { path: { id } } }));
  }

  testDevice(id: string) {
    return read(this.#api.POST('/v1/push-devices/{id}/test', { params: { path: { id } } }));
  }

  /** preview says what a rule would have told last week. */
  preview(body: RuleRequest) {
    return exact<RulePreview>(this.#api.POST('/v1/notification-rules/preview', { body }));
  }
}
