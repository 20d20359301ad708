import { t } from '../i18n/first';

const quiet = 10_000;

/** Announcer tells of new events politely: counted together, at most every 10 seconds. */
export class Announcer {
  #say: (text: string) => void;
  #pending = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lastAt = -quiet;

  constructor(say: (text: string) => void) {
    this.#say = say;
  }

  add(count: number): void {
    if (count === 0) return;
    this.#pending += count;
    this.#timer ??= setTimeout(
      () => this.#tell(),
      Math.max(0, this.#lastAt + quiet - performance.now()),
    );
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #tell(): void {
    this.#timer = undefined;
    this.#lastAt = performance.now();
    this.#say(t.count.newEvents(this.#pending));
    this.#pending = 0;
  }
}
