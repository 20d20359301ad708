import { SvelteMap } from 'svelte/reactivity';
import type { Stats } from '../api/types';

export type Rates = NonNullable<Stats['rates']>;

/** Users whose rates are asked for together: one person, or a team. */
export interface Group {
  id: string;
  name: string;
  users: readonly string[];
}

/** How many questions are under way at once. */
const atOnce = 2;

/** RatesByUsers asks for the rates of each group, a few at a time. */
export class RatesByUsers {
  readonly of = new SvelteMap<string, Rates>();
  #abort = new AbortController();

  close(): void {
    this.#abort.abort();
  }

  /** ask forgets what was asked before. */
  async ask(
    groups: readonly Group[],
    rates: (users: readonly string[], signal: AbortSignal) => Promise<Rates | undefined>,
  ): Promise<void> {
    this.#abort.abort();
    const { signal } = (this.#abort = new AbortController());
    this.of.clear();
    const left = [...groups];
    const next = async () => {
      for (let group = left.shift(); group; group = left.shift()) {
        const found = await rates(group.users, signal).catch((error: unknown) => {
          if (!signal.aborted) throw error;
          return undefined;
        });
        if (signal.aborted) return;
        if (found) this.of.set(group.id, found);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, next));
  }
}
