import { SvelteMap } from 'svelte/reactivity';
import type { Stats } from '../api/types';

export type Rates = NonNullable<Stats['rates']>;
export type AnswerTimes = NonNullable<Stats['answer_times']>;

/** Users whose rates are asked for together: one person, or a team. */
export interface Group {
  id: string;
  name: string;
  users: readonly string[];
}

/** What is known of what a group has sent. */
export interface Measured {
  rates: Rates;
  answers: AnswerTimes;
}

/** How many questions are under way at once. */
const atOnce = 2;

/** RatesByUsers asks for the rates and answer times of each group, a few at a time. */
export class RatesByUsers {
  groups: readonly Group[] = [];
  readonly of = new SvelteMap<string, Measured>();
  #abort = new AbortController();

  /** close forgets what was asked. */
  close(): void {
    this.#abort.abort();
    this.groups = [];
    this.of.clear();
  }

  /** What was asked last, until it is answered. */
  asking: Promise<void> = Promise.resolve();

  /** ask forgets what was asked before. */
  ask(
    groups: readonly Group[],
    measure: (users: readonly string[], signal: AbortSignal) => Promise<Measured | undefined>,
  ): Promise<void> {
    return (this.asking = this.#ask(groups, measure));
  }

  async #ask(
    groups: readonly Group[],
    measure: (users: readonly string[], signal: AbortSignal) => Promise<Measured | undefined>,
  ): Promise<void> {
    this.close();
    const { signal } = (this.#abort = new AbortController());
    this.groups = groups;
    const left = [...groups];
    const next = async () => {
      for (let group = left.shift(); group; group = left.shift()) {
        const found = await measure(group.users, signal).catch((error: unknown) => {
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
