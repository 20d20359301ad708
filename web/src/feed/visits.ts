/** How long a tab must be looked at to count as a visit. */
const long = 5_000;

/**
 * Visits remember until when the reader has seen the feed, for the mark "You were
 * here". A visit counts once the tab was looked at for five seconds.
 */
export class Visits {
  /** When the visit before this one ended, or null. */
  readonly last: string | null;

  #key: string;
  #timer: ReturnType<typeof setInterval>;
  #since: number | null = null;

  constructor(owner: string) {
    this.#key = `tidings.seen ${owner}`;
    this.last = this.#read();
    this.#timer = setInterval(() => this.#look(), 1_000);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    if (document.visibilityState !== 'visible' || !document.hasFocus()) {
      this.#since = null;
      return;
    }
    this.#since ??= Date.now();
    if (Date.now() - this.#since >= long) this.#write();
  }

  #read(): string | null {
    try {
      const stored = localStorage.getItem(this.#key);
      return stored !== null && !Number.isNaN(Date.parse(stored)) ? stored : null;
    } catch {
      return null;
    }
  }

  #write(): void {
    try {
      localStorage.setItem(this.#key, `${new Date().toISOString().slice(0, 19)}Z`);
    } catch {
      // Storage is refused: there is no mark.
    }
  }
}
