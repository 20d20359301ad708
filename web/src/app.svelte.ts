import { SvelteMap } from 'svelte/reactivity';
import { Failure, type Client } from './api/client';
import type { Item, Session } from './api/types';
import { everything, readView, writeView, type View } from './feed/address';
import { RememberedScope } from './shell/scope';
import { History } from './search/history';
import { Bell } from './notify/bell.svelte';
import { Preferences } from './settings/preferences.svelte';
import { SavedSearches } from './search/saved.svelte';
import { t } from './i18n/first';

export const paths = [
  '/',
  '/now',
  '/nudge',
  '/stats',
  '/notifications',
  '/settings',
  '/dead-letters',
  '/people',
  '/companies',
  '/embed/feed',
] as const;
export type Path = (typeof paths)[number];
/** What an address names that is no page: it says so, and where to go. */
export type Shown = Path | 'missing';

/** What is said of something that takes a newer sign-in: see ui/Problem.svelte. */
export const oldSignIn = t.app.thisTakesASignIn;

/** What was just done, and how it is taken back. */
export interface Said {
  text: string;
  undo?: (() => Promise<unknown>) | undefined;
}

/** How the page of a session is left. */
interface End {
  signedOut: () => void;
  signOut: () => Promise<void>;
  /** Asks who reads again; the session stays until they have said so. */
  signInAgain: () => void;
}

/** App is what all pages share: who reads, where they are, and how they like it. */
export class App {
  readonly client: Client;
  readonly session: Session;
  readonly signedOut: () => void;
  readonly signOut: () => Promise<void>;
  readonly signInAgain: () => void;
  readonly history: History;
  readonly saved: SavedSearches;
  readonly preferences: Preferences;
  readonly bell: Bell;

  path = $state<Shown>(pathOf(location));
  view = $state.raw<View>(readView(location.search));
  /** How many new events wait, for the navigation. */
  waiting = $state(0);
  /** What a page has to say to those who listen. */
  announcement = $state('');
  /** What those of ours are called whom the page has met, by id. */
  readonly names = new SvelteMap<string, string>();
  help = $state(false);
  palette = $state(false);
  /** What is said at the foot of the page until it was read. */
  said = $state.raw<Said | null>(null);
  /** The event that is asked about: why the reader was told of it, or was not. */
  why = $state.raw<Item | null>(null);

  constructor(client: Client, session: Session, end: End) {
    this.client = client;
    this.session = session;
    this.signedOut = end.signedOut;
    this.signOut = end.signOut;
    this.signInAgain = end.signInAgain;
    const owner = `${session.workspace}/${session.user?.id ?? ''}`;
    this.history = new History(owner);
    this.preferences = new Preferences(client, owner);
    this.saved = new SavedSearches(client, session);
    if (session.user?.name) this.names.set(session.user.id, session.user.name);
    this.bell = new Bell(this);
    this.#scope = new RememberedScope(owner);
    if (!this.embedded) this.#restoreScope();
  }

  #scope: RememberedScope;

  get me(): string | undefined {
    return this.session.user?.id;
  }

  /** Whether this is a part of another site's page. */
  get embedded(): boolean {
    return this.client.token !== null;
  }

  get admin(): boolean {
    return this.session.role === 'admin';
  }

  readonly clock = $derived.by(() => this.preferences.clock);

  /** start follows the browser's back and forward; the result stops. */
  start(): () => void {
    const back = () => {
      this.path = pathOf(location);
      this.view = readView(location.search);
    };
    addEventListener('popstate', back);
    void this.preferences.load();
    if (!this.embedded) void this.saved.load();
    const silence = this.embedded ? () => {} : this.bell.start();
    return () => {
      removeEventListener('popstate', back);
      silence();
    };
  }

  /** go changes what is shown, in the address too. */
  go(change: Partial<View>, how: { path?: Path; replace?: boolean } = {}): void {
    const to = this.embedded ? this.path : (how.path ?? this.path);
    const path = to === 'missing' ? '/' : to;
    const view = { ...this.view, ...change };
    if (change.scope !== undefined && !this.embedded) this.#scope.set(change.scope);
    const url = writeView(view, path);
    if (this.path !== 'missing' && url === writeView(this.view, this.path)) return;
    if (how.replace) history.replaceState(null, '', url);
    else history.pushState(null, '', url);
    this.path = path;
    this.view = view;
  }

  /** say tells what was done, to all who read, and offers to take it back. */
  say(text: string, undo?: () => Promise<unknown>): void {
    this.said = { text, undo };
    this.announcement = text;
  }

  /** learn remembers what people of ours are called. */
  learn(items: readonly Item[]): void {
    for (const { user } of items)
      if (user?.name && this.names.get(user.id) !== user.name) this.names.set(user.id, user.name);
  }

  /** A new tab begins with whose mail was read last; an address that asks something is kept. */
  #restoreScope(): void {
    const scope = this.#scope.get();
    if (
      this.path === 'missing' ||
      location.search !== '' ||
      scope === null ||
      this.session.user === null
    )
      return;
    if (scope === 'team' && this.session.user.team.length === 0) return;
    this.go({ scope }, { replace: true });
  }

  /**
   * attempt does something that the server may refuse, and answers why it did, or
   * nothing when all went well.
   */
  async attempt(what: () => Promise<unknown>): Promise<string> {
    try {
      await what();
      return '';
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (error.signedOut) this.signedOut();
      if (error.signInAgain) return oldSignIn;
      return error.detail || error.title || t.app.thatDidntWorkTryAgain;
    }
  }

  /**
   * open shows a page with the search it has, and nothing of the page before;
   * anchor is the part of it that is meant.
   */
  open(path: Path, anchor = ''): void {
    this.go({ open: null, period: '', interval: '' }, { path });
    if (anchor) history.replaceState(null, '', `${location.pathname}${location.search}#${anchor}`);
  }

  /** person shows what is known of somebody, by address; company of all at a domain. */
  person(email: string): void {
    this.go({ open: null, who: email }, { path: '/people' });
  }

  company(domain: string): void {
    this.go({ open: null, who: domain }, { path: '/companies' });
  }

  /** search shows the feed of a query alone. */
  search(change: Partial<View>): void {
    this.go({ ...everything, scope: this.view.scope, ...change }, { path: '/' });
  }
}

function pathOf({ pathname }: { pathname: string }): Shown {
  if (pathname === '/signin') return '/';
  return paths.find((path) => path === pathname) ?? 'missing';
}
