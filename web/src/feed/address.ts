import { createQuerySerializer } from 'openapi-fetch';
import {
  eventTypes,
  type Automated,
  type EventType,
  type FeedQuery,
  type SearchQuery,
  type StatsQuery,
} from '../api/types';

/** Whose mail is shown. */
export type Scope = 'everyone' | 'team' | 'me';

/** What a page shows, as its address says it. */
export interface View {
  q: string;
  scope: Scope;
  types: readonly EventType[];
  automated: Automated;
  /** The message whose panel is open. */
  open: string | null;
  /** Statistics: days back from today, 30d, or two dates, 2026-10-01..2026-10-31. */
  period: string;
  interval: 'hour' | 'day' | 'week' | '';
  /** The address or the domain that a person's or a company's page is about. */
  who: string;
  /** The feed: a row an event, or a row a mail with its state. */
  rows: 'events' | 'messages';
  /** Statistics: what a report that is handed on is called. */
  name: string;
}

export const everything: View = {
  q: '',
  scope: 'everyone',
  types: [],
  automated: 'hide',
  open: null,
  period: '',
  interval: '',
  who: '',
  rows: 'events',
  name: '',
};

/** How long the name of a report may be. */
export const longestName = 80;

/** readView reads an address. What it does not understand is left out. */
export function readView(search: string): View {
  const params = new URLSearchParams(search);
  const types = params.getAll('type');
  const one = <T extends string>(name: string, known: readonly T[], otherwise: T): T =>
    known.find((value) => value === params.get(name)) ?? otherwise;
  return {
    q: params.get('q') ?? '',
    scope: one('scope', ['me', 'team'], 'everyone'),
    types: eventTypes.filter((type) => types.includes(type)),
    automated: one('automated', ['show', 'only'], 'hide'),
    open: params.get('open'),
    period: params.get('period') ?? '',
    interval: one('interval', ['hour', 'day', 'week'], ''),
    who: params.get('who') ?? '',
    rows: one('rows', ['messages'], 'events'),
    name: (params.get('name') ?? '').slice(0, longestName),
  };
}

/** writeView is the address of a view on a page, without what goes without saying. */
export function writeView(view: View, path = '/'): string {
  const params = new URLSearchParams();
  if (path === '/people' || path === '/companies') params.set('who', view.who);
  if (view.q.trim() !== '') params.set('q', view.q.trim());
  if (view.scope !== 'everyone') params.set('scope', view.scope);
  const feed = path === '/' || path === '/embed/feed';
  if (feed || path === '/stats') {
    for (const type of view.types) params.append('type', type);
    if (view.automated !== 'hide') params.set('automated', view.automated);
  }
  if (feed && view.rows !== 'events') params.set('rows', view.rows);
  if (feed && view.open !== null) params.set('open', view.open);
  if (path === '/stats') {
    if (view.period) params.set('period', view.period);
    if (view.interval) params.set('interval', view.interval);
    if (view.name) params.set('name', view.name);
  }
  const text = params.toString();
  return text === '' ? path : `${path}?${text}`;
}

/** Who the reader is, as far as a scope depends on it. */
export interface Reader {
  id: string;
  team: readonly string[];
}

/** usersOf are the users whose mail a scope holds; none means all that may be seen. */
export function usersOf(scope: Scope, reader: Reader | null): readonly string[] {
  if (reader === null || scope === 'everyone') return [];
  return scope === 'me' || reader.team.length === 0 ? [reader.id] : reader.team;
}

/** typesOf are the types that are shown: a row a mail is a row a send, with its state. */
export const typesOf = ({ rows, types }: View): readonly EventType[] =>
  rows === 'messages' ? ['send'] : types;

/** searchOf is what the feed and the statistics are asked for. */
export function searchOf(view: View, reader: Reader | null): SearchQuery {
  const q = view.q.trim();
  const user = usersOf(view.scope, reader);
  return {
    ...(q !== '' && { q }),
    ...(typesOf(view).length > 0 && { type: [...typesOf(view)] }),
    ...(user.length > 0 && { user: [...user] }),
    ...(view.automated !== 'hide' && { automated: view.automated }),
  };
}

/** queryText is a query as an address has it, the same text for the same query. */
export const queryText = createQuerySerializer<FeedQuery & StatsQuery>();

/** sameSearch reports whether two views show the same events. */
export function sameSearch(a: View, b: View): boolean {
  return a.scope === b.scope && queryText(searchOf(a, null)) === queryText(searchOf(b, null));
}

/** toggleType is a click on a type: it alone, or, held with Ctrl, it as well. */
export function toggleType(
  types: readonly EventType[],
  type: EventType,
  more: boolean,
): readonly EventType[] {
  if (!more) return types.length === 1 && types[0] === type ? [] : [type];
  const next = types.includes(type) ? types.filter((t) => t !== type) : [...types, type];
  return eventTypes.filter((t) => next.includes(t));
}

/** cutSpan removes a chip's words from the text. Spans count Unicode code points. */
export function cutSpan(text: string, [from, to]: readonly [number, number]): string {
  const points = [...text];
  return [...points.slice(0, from), ' ', ...points.slice(to)].join('').replace(/\s+/g, ' ').trim();
}

/** putSpan writes other words where a chip's stood. */
export function putSpan(text: string, [from, to]: readonly [number, number], put: string): string {
  const points = [...text];
  return [...points.slice(0, from), put, ...points.slice(to)].join('').trim();
}

/** addTerm adds an operator to a search, unless it is there. */
export function addTerm(text: string, term: string): string {
  const words = text.trim();
  return words.split(/\s+/).includes(term) ? words : `${words} ${term}`.trim();
}

/** quoted is a value as an operator takes it. */
export function quoted(value: string): string {
  return /[\s"()]/.test(value) ? `"${value.replaceAll('"', '')}"` : value;
}

/** invitationOf reads the token of an invitation's link: /#invitation=… */
export function invitationOf(location: { hash: string }): string | null {
  return new URLSearchParams(location.hash.replace(/^#/, '')).get('invitation') || null;
}

/** mailOf reads the token of a link that came by mail: /#mail=… */
export function mailOf(location: { hash: string }): string | null {
  return new URLSearchParams(location.hash.replace(/^#/, '')).get('mail') || null;
}

/** takeToken reads the token of a sign-in link: /#token=… or /signin?token=… */
export function takeToken(location: { hash: string; search: string; pathname?: string }): {
  token: string | null;
  rest: string;
} {
  const hash = new URLSearchParams(location.hash.replace(/^#/, ''));
  const params = new URLSearchParams(location.search);
  const token = hash.get('token') ?? params.get('token');
  params.delete('token');
  const text = params.toString();
  const path = location.pathname && location.pathname !== '/signin' ? location.pathname : '/';
  return { token: token || null, rest: text === '' ? path : `${path}?${text}` };
}
