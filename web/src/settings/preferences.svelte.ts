import { Failure, type Client } from '../api/client';
import type { Settings } from '../api/types';
import { Clock, type Hours } from '../feed/clock';

const here = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** How much room a row has. */
export type Density = 'comfortable' | 'compact';

export type WeekStart = 'monday' | 'saturday' | 'sunday';

/**
 * Preferences are how the reader likes times. The zone is the one they have set,
 * else the browser's. What was set is remembered here too, so that the first page
 * need not wait for the settings.
 */
export class Preferences {
  zone = $state(here);
  weekStart = $state<WeekStart>('monday');
  /** How hours are counted, in this browser. */
  hours = $state<Hours>('auto');
  /** Whether single keys do something: those who speak to their computer switch them off. */
  singleKeys = $state(true);
  /** How much room rows have, in this browser. */
  density = $state<Density>('comfortable');
  readonly clock = $derived.by(() =>
    this.hours === 'auto' ? new Clock(this.zone) : new Clock(this.zone, undefined, this.hours),
  );
  settings = $state.raw<Settings | null>(null);

  #client: Client;
  #key: string;

  constructor(client: Client, owner: string) {
    this.#client = client;
    this.#key = `tidings.zone ${owner}`;
    try {
      this.zone = usable(localStorage.getItem(this.#key));
      const hours = localStorage.getItem(`${this.#key} hours`);
      if (hours === '12' || hours === '24') this.hours = hours;
      if (localStorage.getItem(`${this.#key} rows`) === 'compact') this.density = 'compact';
      this.singleKeys = localStorage.getItem(`${this.#key} keys`) !== 'off';
    } catch {
      // Storage is refused: the browser's zone will do until the settings are read.
    }
  }

  /** load reads the settings; without them the browser's zone counts. */
  async load(): Promise<void> {
    try {
      this.take(await this.#client.settings());
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
    }
  }

  /** keep remembers in this browser how hours are counted, what keys do, and how dense rows are. */
  keep(change: { hours?: Hours; singleKeys?: boolean; density?: Density }): void {
    this.density = change.density ?? this.density;
    this.hours = change.hours ?? this.hours;
    this.singleKeys = change.singleKeys ?? this.singleKeys;
    try {
      localStorage.setItem(`${this.#key} hours`, this.hours);
      localStorage.setItem(`${this.#key} rows`, this.density);
      localStorage.setItem(`${this.#key} keys`, this.singleKeys ? 'on' : 'off');
    } catch {
      // Storage is refused: it holds until the page is closed.
    }
  }

  take(settings: Settings): void {
    this.settings = settings;
    const zone = usable(settings.reader?.time_zone ?? null);
    if (zone !== this.zone) this.zone = zone;
    this.weekStart = settings.effective.week_start ?? 'monday';
    try {
      localStorage.setItem(this.#key, zone);
    } catch {
      // As above.
    }
  }
}

/** A zone that this browser knows, else its own. */
function usable(zone: string | null): string {
  try {
    return zone ? Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone : here;
  } catch {
    return here;
  }
}
