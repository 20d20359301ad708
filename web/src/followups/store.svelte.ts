import { Failure } from '../api/client';
import type { Call, FollowUp, FollowUpRequest, Nudge, User } from '../api/types';
import type { App } from '../app.svelte';
import { usersOf } from '../feed/address';
import { t } from '../i18n/rest';

/** What a list shows: those to be done, those that wait, those that are done. */
export type Show = 'open' | 'snoozed' | 'done';

export type Entry = Nudge | Call;

/** A part of a follow-up; what it does not name stays. */
export type Change = Omit<FollowUpRequest, 'revision'>;

interface Answer<T> {
  items: T[];
  bounced?: T[];
  counts: { open: number; snoozed: number; done: number };
  colleagues: User[];
  partial: boolean;
}

/** How a list is asked for. */
export type Read<T> = (
  query: { user: string[]; show: Show; days: number },
  signal: AbortSignal,
) => Promise<Answer<T>>;

const patience = 150;
const every = 60_000;

/** keyOf names an entry: a person is listed once for each of ours who writes to them. */
export const keyOf = (entry: Entry): string => `${entry.user?.id ?? ''} ${entry.email}`;

/** FollowUps is the state of a list of people with what the team has noted of them. */
export class FollowUps<T extends Entry> {
  readonly app: App;
  items = $state.raw<readonly T[]>([]);
  bounced = $state.raw<readonly T[]>([]);
  counts = $state.raw({ open: 0, snoozed: 0, done: 0 });
  colleagues = $state.raw<readonly User[]>([]);
  partial = $state(false);
  loaded = $state(false);
  slow = $state(false);
  failure = $state.raw<Failure | null>(null);
  /** What was noted last and can be taken back, with what it was before. */
  undo = $state.raw<{ entry: T; before: FollowUp | undefined; said: string } | null>(null);
  /** Why something could not be noted. */
  refused = $state('');
  show = $state<Show>('open');
  days = $state(3);

  #read: Read<T>;
  #asked = '';
  #abort = new AbortController();

  constructor(app: App, read: Read<T>) {
    this.app = app;
    this.#read = read;
  }

  /** start reads now and then anew while somebody looks; the result stops. */
  start(): () => void {
    const again = setInterval(() => document.hidden || void this.load(), every);
    return () => {
      clearInterval(again);
      this.#abort.abort();
    };
  }

  async load(): Promise<void> {
    this.#abort.abort();
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    const { app, show, days } = this;
    const user = [...usersOf(app.view.scope, app.session.user)];
    // Who was listed for another question is no answer to this one.
    const question = JSON.stringify({ user, show, days });
    if (question !== this.#asked) this.loaded = false;
    this.#asked = question;
    const late = setTimeout(() => (this.slow = !this.loaded), patience);
    try {
      const answer = await this.#read({ user, show, days }, signal);
      if (signal.aborted) return;
      this.items = answer.items;
      this.bounced = answer.bounced ?? [];
      this.counts = answer.counts;
      this.colleagues = answer.colleagues;
      this.partial = answer.partial;
      this.loaded = true;
      this.failure = null;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Failure)) throw error;
      if (error.signedOut) app.signedOut();
      else this.failure = error;
    } finally {
      clearTimeout(late);
      if (!signal.aborted) this.slow = false;
    }
  }

  /** note changes what is noted of somebody; said is what is told of it. */
  async note(entry: T, change: Change, said: string): Promise<void> {
    const before = entry.follow_up;
    await this.#put(entry, { ...partsOf(before), ...change }, before?.revision ?? 0, said);
    if (this.refused === '') this.undo = { entry, before, said };
  }

  /** reopen puts somebody back on the list; what was written of them stays. */
  async reopen(entry: T, said: string): Promise<void> {
    const before = entry.follow_up;
    const { note, assignee } = partsOf(before);
    const kept = { ...(note && { note }), ...(assignee && { assignee }) };
    await this.#put(entry, kept, before?.revision ?? 0, said);
    if (this.refused === '') this.undo = { entry, before, said };
  }

  /** takeBack undoes what was noted last. */
  async takeBack(): Promise<void> {
    const { undo } = this;
    if (!undo) return;
    this.undo = null;
    await this.#put(
      undo.entry,
      partsOf(undo.before),
      (undo.before?.revision ?? 0) + 1,
      t.common.takenBack,
    );
  }

  async #put(entry: T, change: Change, revision: number, said: string): Promise<void> {
    this.refused = await this.app.attempt(async () => {
      try {
        await this.app.client.putFollowUp(entry.email, entry.user?.id ?? '', {
          ...change,
          revision,
        });
        this.app.announcement = said;
      } catch (error) {
        if (!(error instanceof Failure) || error.status !== 409) throw error;
        throw new Failure(409, {
          detail: t.followups.somebodyElseChangedItAt,
        });
      }
    });
    await this.load();
  }
}

/** partsOf are the parts of a follow-up that are written anew with every change. */
function partsOf(one: FollowUp | undefined): Change {
  return {
    ...(one?.done && { done: true }),
    ...(one?.snoozed_until && { snoozed_until: one.snoozed_until }),
    ...(one?.assignee && { assignee: one.assignee }),
    ...(one?.note && { note: one.note }),
  };
}
