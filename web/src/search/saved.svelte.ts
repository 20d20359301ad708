import { Failure, type Client } from '../api/client';

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

  constructor(client: Client) {
    this.#client = client;
  }

  async load(): Promise<void> {
    try {
      this.list = await this.#client.savedSearches();
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
