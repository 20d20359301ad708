import { Failure } from '../api/client';
import type { Answer, FeedQuery } from '../api/types';
import type { App } from '../app.svelte';
import { joined } from './answer';

/** How many more people are listed at once: as many as the server gives. */
const morePeople = 500;

/** AnswerStore is the answer to the question that the feed was asked. */
export class AnswerStore {
  /** Null when the search is no question. */
  answer = $state.raw<Answer | null>(null);
  /** When it was counted: what happens later is in the rows alone. */
  counted = $state('');
  more = $state<'idle' | 'loading' | 'failed'>('idle');

  #app: App;
  #search: FeedQuery = {};
  #abort = new AbortController();

  constructor(app: App) {
    this.#app = app;
  }

  /** show takes the answer of a first page, and what the page was asked. */
  show(answer: Answer | undefined, search: FeedQuery): void {
    this.close();
    this.#abort = new AbortController();
    this.#search = search;
    this.answer = answer ?? null;
    this.counted = new Date().toISOString();
    this.more = 'idle';
  }

  /** loadMore lists the people after those that are listed. */
  async loadMore(): Promise<void> {
    const { answer } = this;
    if (!answer?.next || this.more === 'loading') return;
    const { signal } = this.#abort;
    this.more = 'loading';
    try {
      const query = { ...this.#search, limit: morePeople, cursor: answer.next };
      const after = await this.#app.client.answer(query, signal);
      if (signal.aborted) return;
      this.answer = joined(answer, after);
      this.more = 'idle';
    } catch (error) {
      if (signal.aborted) return;
      this.more = 'failed';
      if (error instanceof Failure && error.signedOut) this.#app.signedOut();
    }
  }

  close(): void {
    this.#abort.abort();
  }
}
