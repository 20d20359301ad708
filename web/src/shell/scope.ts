import { readView, type Scope } from '../feed/address';

/** RememberedScope is whose mail the reader looked at last, for the tabs they open next. */
export class RememberedScope {
  #key: string;

  constructor(owner: string) {
    this.#key = `tidings.scope ${owner}`;
  }

  /** get is null where nothing is remembered. */
  get(): Scope | null {
    try {
      const stored = localStorage.getItem(this.#key);
      return stored === null ? null : readView(`?scope=${encodeURIComponent(stored)}`).scope;
    } catch {
      return null;
    }
  }

  set(scope: Scope): void {
    try {
      localStorage.setItem(this.#key, scope);
    } catch {
      // Storage is refused: each tab begins with everyone's.
    }
  }
}
