const longest = 20;

/** History is what the reader has searched for in this browser, newest first. */
export class History {
  #key: string;

  constructor(owner: string) {
    this.#key = `tidings.history ${owner}`;
  }

  get all(): readonly string[] {
    try {
      const stored: unknown = JSON.parse(localStorage.getItem(this.#key) ?? '[]');
      return Array.isArray(stored) ? stored.filter((one) => typeof one === 'string') : [];
    } catch {
      return [];
    }
  }

  /** add puts a search in front, once. */
  add(query: string): void {
    const text = query.trim();
    if (text === '') return;
    this.#keep([text, ...this.all.filter((one) => one !== text)].slice(0, longest));
  }

  remove(query: string): void {
    this.#keep(this.all.filter((one) => one !== query));
  }

  #keep(list: readonly string[]): void {
    try {
      localStorage.setItem(this.#key, JSON.stringify(list));
    } catch {
      // Storage is refused or full: searches are not remembered.
    }
  }
}
