import type { FeedQuery, Understood } from '../api/types';
import type { App } from '../app.svelte';
import { searchOf, typesOf, usersOf } from './address';
import type { Subscription } from './connection';

/** The first page comes fast, the ones that are scrolled to hold more. */
const firstPage = 50;
const laterPages = 200;

/** nothingUnderstood is what a search without a text comes to. */
export const nothingUnderstood: Understood = {
  chips: [],
  words: '',
  interpretation: '',
  order: 'newest',
};

/** pageQuery asks for a page of what is shown: the first, or the one after a cursor. */
export function pageQuery(app: App, cursor: string | null): FeedQuery {
  return {
    ...searchOf(app.view, app.session.user),
    tz: app.preferences.zone,
    limit: cursor === null ? firstPage : laterPages,
    ...(cursor !== null && { cursor }),
  };
}

/** subscription asks for what comes from then on. */
export function subscription(app: App): Subscription {
  const { q, scope, automated } = app.view;
  const types = typesOf(app.view);
  const user = usersOf(scope, app.session.user);
  const filters = {
    ...(automated !== 'hide' && { automated }),
    ...(types.length > 0 && { type: [...types] }),
    ...(user.length > 0 && { user: [...user] }),
  };
  return { q: q.trim(), filters, tz: app.preferences.zone };
}
