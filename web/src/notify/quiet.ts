import type { Quiet } from '../api/types';

/** Quiet hours as the page offers them: at night on some days, and whole weekends. */
export interface Hours {
  from: string;
  until: string;
  days: 'all' | 'weekdays';
  weekends: boolean;
}

const weekdays = ['1', '2', '3', '4', '5'];
const weekend = ['6', '0'];
const midnight = '00:00';

/** A range that ends when it begins lasts to the same time of the next day. */
const wholeDay = { from: midnight, until: midnight };

export const usual: Hours = { from: '18:30', until: '08:00', days: 'weekdays', weekends: true };

/** daysOf is what the server keeps of quiet hours. */
export function daysOf({ from, until, days, weekends }: Hours): Quiet {
  const night = { from, until };
  const out: Quiet['days'] = {};
  for (const day of weekdays) out[day] = [night];
  for (const day of weekend)
    if (weekends) out[day] = [wholeDay];
    else if (days === 'all') out[day] = [night];
  return { days: out };
}

/** hoursOf reads them; null where there are none, or none that the page could have written. */
export function hoursOf(quiet: Quiet | undefined): Hours | null {
  const night = quiet?.days['1']?.[0];
  if (!quiet || !night) return null;
  for (const weekends of [true, false])
    for (const days of ['all', 'weekdays'] as const) {
      const hours = { ...night, days, weekends };
      if (canonical(daysOf(hours)) === canonical(quiet)) return hours;
    }
  return null;
}

const canonical = ({ days }: Quiet) =>
  Object.entries(days)
    .filter(([, ranges]) => ranges.length > 0)
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([day, ranges]) => `${day} ${ranges.map(({ from, until }) => `${from}-${until}`).join()}`)
    .join(';');
