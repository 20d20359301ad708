const first = 2_000;
const longest = 30_000;

/** Retry does something again after a while, and at once when the network comes back. */
export class Retry {
  #again: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #attempt = 0;

  constructor(again: () => void) {
    this.#again = again;
  }

  /** failed waits, doubling each time, or as many seconds as the server said; it returns when it is tried next. */
  failed(seconds: number | undefined): number {
    clearTimeout(this.#timer);
    const wait = seconds === undefined ? first * 2 ** this.#attempt : seconds * 1_000;
    this.#attempt++;
    const delay = Math.min(longest, wait);
    this.#timer = setTimeout(this.#again, delay);
    return Date.now() + delay;
  }

  done(): void {
    clearTimeout(this.#timer);
    this.#attempt = 0;
  }

  /** listen tries again when the browser is back on the network; the result stops. */
  listen(): () => void {
    addEventListener('online', this.#again);
    return () => removeEventListener('online', this.#again);
  }
}
