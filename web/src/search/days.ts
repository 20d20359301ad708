/** An interval of days, half-open; null is an open end. */
export interface Range {
  from: string | null;
  to: string | null;
}

/** rangeOf reads the interval of a time chip: 2026-11-09/2026-11-16, .. for an open end. */
export function rangeOf(value: string): Range {
  const [from = '..', to = '..'] = value.split('/');
  return { from: from === '..' ? null : from, to: to === '..' ? null : to };
}

/** termOf is how the search language says an interval of days. */
export function termOf({ from, to }: Range): string {
  if (from !== null && to !== null && nextDay(from) === to) return `on:${from}`;
  return [from && `since:${from}`, to && `before:${to}`].filter(Boolean).join(' ');
}

/** nextDay is the day after a day. */
export function nextDay(day: string, by = 1): string {
  const at = new Date(`${day.slice(0, 10)}T12:00:00Z`);
  at.setUTCDate(at.getUTCDate() + by);
  return at.toISOString().slice(0, 10);
}

/** instantOf is when a day begins in a zone, in Unix seconds. */
export function instantOf(day: string, zone: string): number {
  const format = new Intl.DateTimeFormat('en-CA', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  });
  const wanted = Date.parse(`${day}T00:00:00Z`);
  let at = wanted;
  // The offset of the guess corrects the guess; once more for a change of the clocks.
  for (let i = 0; i < 2; i++) {
    const parts = Object.fromEntries(format.formatToParts(at).map((p) => [p.type, p.value]));
    const { year, month, day: of, hour, minute } = parts as Record<string, string>;
    at += wanted - Date.parse(`${year}-${month}-${of}T${hour}:${minute}:00Z`);
  }
  return at / 1000;
}

/** weekdayOf is the weekday of a day, 0 for Monday. */
export function weekdayOf(day: string): number {
  return (new Date(`${day.slice(0, 10)}T12:00:00Z`).getUTCDay() + 6) % 7;
}
