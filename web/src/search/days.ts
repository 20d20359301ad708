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
