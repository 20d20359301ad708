import { eventTypes, type Automated, type EventType } from '../api/types';

/** What the page shows, as its address says it. */
export interface View {
  q: string;
  types: readonly EventType[];
  automated: Automated;
  /** The message whose panel is open. */
  open: string | null;
}

export const everything: View = { q: '', types: [], automated: 'hide', open: null };

/** readView reads an address. What it does not understand is left out. */
export function readView(search: string): View {
  const params = new URLSearchParams(search);
  const types = params.getAll('type');
  return {
    q: params.get('q') ?? '',
    types: eventTypes.filter((type) => types.includes(type)),
    automated: params.get('automated') === 'show' ? 'show' : 'hide',
    open: params.get('open'),
  };
}

/** writeView is the address of a view, without what goes without saying. */
export function writeView(view: View): string {
  const params = searchOf(view);
  if (view.open !== null) params.set('open', view.open);
  const text = params.toString();
  return text === '' ? '/' : `/?${text}`;
}

/** searchOf is what the feed is asked for. */
export function searchOf(view: View): URLSearchParams {
  const params = new URLSearchParams();
  if (view.q.trim() !== '') params.set('q', view.q.trim());
  for (const type of view.types) params.append('type', type);
  if (view.automated !== 'hide') params.set('automated', view.automated);
  return params;
}

/** sameSearch reports whether two views show the same events. */
export function sameSearch(a: View, b: View): boolean {
  return searchOf(a).toString() === searchOf(b).toString();
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

/** takeToken reads the token of a sign-in link: /#token=… or /signin?token=… */
export function takeToken(location: { hash: string; search: string }): {
  token: string | null;
  rest: string;
} {
  const hash = new URLSearchParams(location.hash.replace(/^#/, ''));
  const params = new URLSearchParams(location.search);
  const token = hash.get('token') ?? params.get('token');
  params.delete('token');
  const text = params.toString();
  return { token: token || null, rest: text === '' ? '/' : `/?${text}` };
}
