/** Times as the reader reads them, in their own zone. */

const minute = 60_000;
const hour = 60 * minute;
const recent = 6 * hour;

export const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** A day of the reader's calendar. */
export interface Day {
  /** Sorts and compares: 2026-11-19. */
  key: string;
  /** Today, Yesterday or the weekday. */
  name: string;
  /** Thursday 19 November, with the year when it is another one. */
  date: string;
}

/** Clock formats times for one zone. */
export class Clock {
  #key: Intl.DateTimeFormat;
  #time: Intl.DateTimeFormat;
  #seconds: Intl.DateTimeFormat;
  #weekday: Intl.DateTimeFormat;
  #day: Intl.DateTimeFormat;
  #short: Intl.DateTimeFormat;
  #full: Intl.DateTimeFormat;

  constructor(timeZone: string = zone) {
    const format = (options: Intl.DateTimeFormatOptions, locale = 'en-GB') =>
      new Intl.DateTimeFormat(locale, { timeZone, ...options });
    this.#key = format({ year: 'numeric', month: '2-digit', day: '2-digit' }, 'en-CA');
    this.#time = format({ hour: '2-digit', minute: '2-digit' });
    this.#seconds = format({ hour: '2-digit', minute: '2-digit', second: '2-digit' });
    this.#weekday = format({ weekday: 'long' });
    this.#day = format({ day: 'numeric', month: 'long' });
    this.#short = format({ weekday: 'short', day: 'numeric', month: 'short' });
    this.#full = format({ weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' });
  }

  /** key names the day that an instant falls on. */
  key(time: string | number): string {
    return this.#key.format(new Date(time));
  }

  /** day describes the day that an instant falls on. */
  day(time: string | number, now: number): Day {
    const at = new Date(time);
    const key = this.key(time);
    const weekday = this.#weekday.format(at);
    const year = key.slice(0, 4) === this.key(now).slice(0, 4) ? '' : ` ${key.slice(0, 4)}`;
    const date = `${this.#day.format(at)}${year}`;
    if (key === this.key(now)) return { key, name: 'Today', date: `${weekday} ${date}` };
    if (this.#isDayBefore(key, this.key(now))) {
      return { key, name: 'Yesterday', date: `${weekday} ${date}` };
    }
    return { key, name: weekday, date };
  }

  /** short is how a row says it: now, 4m, 2h, then 17:48. */
  short(time: string, now: number): string {
    const age = now - Date.parse(time);
    // A sender's clock may be a little ahead of ours.
    if (age < -minute || age >= recent || this.key(time) !== this.key(now)) {
      return this.time(time);
    }
    if (age < minute) return 'now';
    return age < hour ? `${Math.floor(age / minute)}m` : `${Math.floor(age / hour)}h`;
  }

  /** time is 17:48. */
  time(time: string | number): string {
    return this.#time.format(new Date(time));
  }

  /** full is Thu 19 Nov 2026, 14:40:22. */
  full(time: string): string {
    const at = new Date(time);
    return `${noComma(this.#full.format(at))}, ${this.#seconds.format(at)}`;
  }

  /** moment is Thu 19 Nov, 14:40. */
  moment(time: string): string {
    return `${noComma(this.#short.format(new Date(time)))}, ${this.time(time)}`;
  }

  /** date is Thu 19 Nov 2026. */
  date(time: string): string {
    return noComma(this.#full.format(new Date(time)));
  }

  #isDayBefore(key: string, today: string): boolean {
    return Date.parse(today) - Date.parse(key) === 24 * hour;
  }
}

/** English dates of some runtimes have a comma behind the weekday. */
function noComma(text: string): string {
  return text.replace(',', '');
}
