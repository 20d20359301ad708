import { Failure } from '../api/client';
import type { App } from '../app.svelte';
import { number } from '../ui/numbers';

/** One thing that the text may go on with. */
export interface Proposal {
  kind: string;
  text: string;
  hint: string;
  /** What it replaces, in Unicode code points; null replaces all. */
  span: readonly [number, number] | null;
}

const debounce = 60;
const mostRecent = 6;

/** Completion is what the search box proposes: the server's, and what was searched before. */
export class Completion {
  open = $state(false);
  list = $state.raw<readonly Proposal[]>([]);
  /** The proposal that the arrow keys have reached, -1 for none. */
  active = $state(-1);

  /** contacts are the people and companies among what is proposed: addresses and domains. */
  get contacts(): string[] {
    return this.list.flatMap(({ kind, text }) => {
      const value = text.replace(/^[-\w]+:/, '').replaceAll('"', '');
      const person = kind === 'person' && value.includes('@');
      return person || (kind === 'domain' && value.includes('.')) ? [value] : [];
    });
  }

  #app: App;
  #abort = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(app: App) {
    this.#app = app;
  }

  /** ask looks for what the text up to the caret may go on with. */
  ask(text: string, caret: number): void {
    clearTimeout(this.#timer);
    this.#abort.abort();
    this.#show(this.#remembered(text));
    if (text.trim() === '') return;
    this.#timer = setTimeout(() => void this.#fetch(text, caret), debounce);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#abort.abort();
    this.open = false;
    this.active = -1;
  }

  move(by: 1 | -1): void {
    const { length } = this.list;
    if (length === 0) return;
    this.active = this.active < 0 && by < 0 ? length - 1 : (this.active + by + length) % length;
  }

  /** apply writes a proposal into the text; whole means that it is a search by itself. */
  apply(text: string, at: number): { text: string; caret: number; whole: boolean } | null {
    const proposal = this.list[at];
    if (!proposal) return null;
    if (proposal.span === null) {
      return { text: proposal.text, caret: proposal.text.length, whole: true };
    }
    const points = [...text];
    const head = points.slice(0, proposal.span[0]).join('') + proposal.text;
    const rest = points.slice(proposal.span[1]).join('');
    const gap = rest.startsWith(' ') || proposal.text.endsWith(':') ? '' : ' ';
    return { text: head + gap + rest, caret: head.length + gap.length, whole: false };
  }

  async #fetch(text: string, caret: number): Promise<void> {
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    try {
      const found = await this.#app.client.suggest(text, caret, signal);
      if (signal.aborted) return;
      // Saved searches are among what is remembered.
      const others = found.items.filter(({ kind }) => kind !== 'search');
      const proposals = others.map(({ kind, text, label, count }) => ({
        kind,
        text,
        // What the text says already is not said twice.
        hint: [label && text.includes(label) ? '' : label, count === undefined ? '' : number(count)]
          .filter(Boolean)
          .join(' · '),
        span: found.span,
      }));
      this.#show([...proposals, ...this.#remembered(text)]);
    } catch (error) {
      if (!signal.aborted && !(error instanceof Failure)) throw error;
      // Completion is a help, no more: the search works without it.
    }
  }

  #remembered(text: string): Proposal[] {
    const wanted = text.trim().toLowerCase();
    const recent = this.#app.history.all
      .filter((one) => one.toLowerCase().includes(wanted) && one !== text.trim())
      .slice(0, mostRecent)
      .map((one): Proposal => ({ kind: 'recent', text: one, hint: '', span: null }));
    const saved = this.#app.saved.list
      .filter(({ name, q }) => wanted !== '' && `${name} ${q}`.toLowerCase().includes(wanted))
      .map(({ name, q }): Proposal => ({ kind: 'saved', text: q, hint: name, span: null }));
    return [...saved, ...recent];
  }

  #show(list: readonly Proposal[]): void {
    this.list = list;
    this.open = list.length > 0;
    if (this.active >= list.length) this.active = -1;
  }
}
