import { Failure, type Client } from '../api/client';
import type { Session } from '../api/types';

/** A saved search: the text of a query under a name. */
export interface Saved {
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
      this.list = all.map(({ owner, ...saved }) => ({ ...saved, own: mine(owner) }));
      this.offered = true;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
    }
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
