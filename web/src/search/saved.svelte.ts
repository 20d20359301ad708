import { Failure, type Client } from '../api/client';
import type { SearchQuery, Session, StatsQuery } from '../api/types';

/** What a search without a time of its own is counted over. */
const countedDays = 7;

/** A saved search: the text of a query under a name. */
export interface Saved {
  /** Tells it from a colleague’s of the same name. */
  key: string;
  name: string;
  q: string;
  shared: boolean;
  /** Whether it is the reader's own, and so theirs to change. */
  own: boolean;
}

/** SavedSearches are the reader's own and those shared with them. */
export class SavedSearches {
  list = $state.raw<readonly Saved[]>([]);
  /** Whether this server keeps searches at all. */
  offered = $state(false);
  /** How many events of the last days each finds, by its text, as far as that was asked. */
  counts = $state.raw<ReadonlyMap<string, number>>(new Map());

  #client: Client;
  #session: Session;

  constructor(client: Client, session: Session) {
    this.#client = client;
    this.#session = session;
  }

  async load(): Promise<void> {
    try {
      const { user, role } = this.#session;
      // A search without an owner is the workspace's: its admins look after it.
      const mine = (owner: string | undefined) =>
        owner === undefined ? user === null || role === 'admin' : owner === user?.id;
      const all = await this.#client.savedSearches();
      this.list = all.map(({ owner, ...saved }) => ({
        ...saved,
        key: `${owner ?? ''}/${saved.name}`,
        own: mine(owner),
      }));
      this.offered = true;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
    }
  }

  /**
   * count asks how many events each finds, one after the other, so that it is in
   * nobody's way; filters are the conditions beside their texts.
   */
  async count(filters: SearchQuery, signal: AbortSignal): Promise<void> {
    const counts = new Map<string, number>();
    for (const q of new Set(this.list.map((saved) => saved.q))) {
      const search: StatsQuery = {
        ...filters,
        q,
        since: String(Math.floor(Date.now() / 1000) - countedDays * 86_400),
        unless_timed: true,
        fields: ['totals'],
      };
      try {
        const { totals, partial } = await this.#client.stats(search, signal);
        if (totals && !partial) counts.set(q, totals.events);
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof Failure)) throw error;
      }
    }
    this.counts = counts;
  }

  /** own is the reader's own search of a name. */
  own(name: string): Saved | undefined {
    return this.list.find((saved) => saved.own && saved.name === name);
  }

  /** check asks whether another search has the name, of whichever tab it came. */
  async check(name: string, q: string): Promise<{ taken: boolean }> {
    await this.load();
    const there = this.own(name);
    return { taken: there !== undefined && there.q !== q };
  }

  /** save keeps a search; a Failure says why it was not taken. */
  async save(name: string, q: string, shared: boolean): Promise<void> {
    await this.#client.saveSearch(name, q, shared);
    await this.load();
  }

  async remove(name: string): Promise<void> {
    await this.#client.dropSearch(name);
    await this.load();
  }
}
