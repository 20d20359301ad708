import { locale } from '../i18n/language';
import { t } from '../i18n/first';

/** Times as the reader reads them, in their own zone. */

const minute = 60_000;
const hour = 60 * minute;
const recent = 6 * hour;
/** How many times are kept in words. */
const mostSaid = 200;

const here = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** The reader's own kind of the page's language, so that 3/4 and 17:48 are as they write them. */
const written = locale === 'en' ? 'en-GB' : locale;

/** How hours are counted: to 12, to 24, or as the reader's language does. */
export type Hours = 'auto' | '12' | '24';

/** What the browser's first language does: a German who reads English has 17:48. */
const usual = hoursOf(navigatorLanguages()[0]);

function hoursOf(language: string | undefined): Hours {
  if (language === undefined) return 'auto';
  const { hour12 } = new Intl.DateTimeFormat(language, { hour: 'numeric' }).resolvedOptions();
  return hour12 ? '12' : '24';
}

function navigatorLanguages(): readonly string[] {
  return typeof navigator === 'undefined' ? [] : (navigator.languages ?? []);
}

/** Days are cached by the quarter of an hour: zones differ by no less. */
const quarter = 15 * minute;

/** A day of the reader's calendar. */
export interface Day {
  /** Sorts and compares: 2026-11-19. */
  key: string;
  /** Today, Yesterday or the weekday. */
  name: string;
  /** Thursday 19 November, with the year when it is another one. */
  date: string;
  /** Whether it is today or yesterday. */
  recent: boolean;
}

/** Clock formats times for one zone. */
export class Clock {
  /** Whether a time says am or pm, and takes more room. */
  readonly hour12: boolean;
  #key: Intl.DateTimeFormat;
  #time: Intl.DateTimeFormat;
  #seconds: Intl.DateTimeFormat;
  #weekday: Intl.DateTimeFormat;
  #day: Intl.DateTimeFormat;
  #dayShort: Intl.DateTimeFormat;
  #month: Intl.DateTimeFormat;
  #short: Intl.DateTimeFormat;
  #full: Intl.DateTimeFormat;
  #keys = new Map<number, string>();
  #said = new Map<string, string>();

  constructor(timeZone: string = here, own: string = written, hourFormat: Hours = usual) {
    const cycle =
      hourFormat === 'auto' ? {} : ({ hourCycle: hourFormat === '12' ? 'h12' : 'h23' } as const);
    const format = (options: Intl.DateTimeFormatOptions, locale = own) =>
      new Intl.DateTimeFormat(locale, { timeZone, ...(options.hour && cycle), ...options });
    this.#key = format({ year: 'numeric', month: '2-digit', day: '2-digit' }, 'en-CA');
    // 07:05, but 7:05 AM.
    const { hour12 } = format({ hour: 'numeric' }).resolvedOptions();
    const hours = hour12 ? 'numeric' : '2-digit';
    this.hour12 = hour12 ?? false;
    this.#time = format({ hour: hours, minute: '2-digit' });
    this.#seconds = format({ hour: hours, minute: '2-digit', second: '2-digit' });
    // A day's key has no zone any more.
    const utc = (options: Intl.DateTimeFormatOptions) =>
      new Intl.DateTimeFormat(own, { timeZone: 'UTC', ...options });
    this.#weekday = utc({ weekday: 'long' });
    this.#day = utc({ day: 'numeric', month: 'long' });
    this.#dayShort = utc({ weekday: 'short', day: 'numeric', month: 'short' });
    this.#month = utc({ month: 'long', year: 'numeric' });
    this.#short = format({ weekday: 'short', day: 'numeric', month: 'short' });
    this.#full = format({ weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' });
  }

  /** key names the day that an instant falls on. */
  key(time: string | number): string {
    const at = typeof time === 'number' ? time : Date.parse(time);
    const slot = Math.floor(at / quarter);
    let key = this.#keys.get(slot);
    if (key === undefined) {
      key = this.#key.format(at);
      this.#keys.set(slot, key);
    }
    return key;
  }

  /** dayOf describes a day by its key. */
  dayOf(key: string, now: number): Day {
    const at = new Date(`${key}T12:00:00Z`);
    const weekday = this.#weekday.format(at);
    const today = this.key(now);
    const year = key.slice(0, 4) === today.slice(0, 4) ? '' : ` ${key.slice(0, 4)}`;
    const date = `${this.#day.format(at)}${year}`;
    if (key === today)
      return { key, name: t.common.today, date: `${weekday} ${date}`, recent: true };
    if (this.#isDayBefore(key, today))
      return { key, name: t.feed.yesterday, date: `${weekday} ${date}`, recent: true };
    return { key, name: weekday, date, recent: false };
  }

  /** day describes the day that an instant falls on. */
  day(time: string | number, now: number): Day {
    return this.dayOf(this.key(time), now);
  }

  /** short is how a row says it: now, 4m, 2h, then 17:48. */
  short(time: string, now: number): string {
    const age = now - Date.parse(time);
    // A sender's clock may be a little ahead of ours.
    if (age < -minute || age >= recent || this.key(time) !== this.key(now)) {
      return this.time(time);
    }
    if (age < minute) return t.feed.now;
    return age < hour
      ? t.feed.minutes(Math.floor(age / minute))
      : t.feed.hours(Math.floor(age / hour));
  }

  /** time is 17:48. */
  time(time: string | number): string {
    return this.#time.format(new Date(time));
  }

  /** seconds is 17:48:11. */
  seconds(time: string): string {
    return this.#seconds.format(new Date(time));
  }

  /** full is Thu 19 Nov 2026, 14:40:22. */
  full(time: string): string {
    const known = this.#said.get(time);
    if (known !== undefined) return known;
    const at = new Date(time);
    const full = `${noComma(this.#full.format(at))}, ${this.#seconds.format(at)}`;
    // A row says it twice, and the rows of a burst are of the same few seconds.
    if (this.#said.size >= mostSaid) this.#said.clear();
    this.#said.set(time, full);
    return full;
  }

  /** moment is Thu 19 Nov, 14:40. */
  moment(time: string): string {
    return `${noComma(this.#short.format(new Date(time)))}, ${this.time(time)}`;
  }

  /** date is Thu 19 Nov 2026. */
  date(time: string): string {
    return noComma(this.#full.format(new Date(time)));
  }

  /** dayDate is Thu 19 Nov, by a day's key, with the year when it is another one. */
  dayDate(key: string): string {
    const date = noComma(this.#dayShort.format(new Date(`${key.slice(0, 10)}T12:00:00Z`)));
    return key.slice(0, 4) === this.key(Date.now()).slice(0, 4)
      ? date
      : `${date} ${key.slice(0, 4)}`;
  }

  /** month is September 2026, by the key of a day in it. */
  month(key: string): string {
    return this.#month.format(new Date(`${key.slice(0, 10)}T12:00:00Z`));
  }

  #isDayBefore(key: string, today: string): boolean {
    return Date.parse(today) - Date.parse(key) === 24 * hour;
  }
}

/** English dates of some runtimes have a comma behind the weekday. */
function noComma(text: string): string {
  return text.replace(',', '');
}
