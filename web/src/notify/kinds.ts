import type { Cell } from '../api/types';
import type { EventType } from '../api/types';

/** The kinds that people are told of, in the order of the server. */
export const noteKinds: readonly { kind: string; label: string; type: EventType }[] = [
  { kind: 'reply', label: 'Reply', type: 'reply' },
  { kind: 'meeting', label: 'Meeting', type: 'meeting' },
  { kind: 'open', label: 'Open', type: 'open' },
  { kind: 'click', label: 'Click', type: 'click' },
  { kind: 'download', label: 'Download', type: 'download' },
  { kind: 'bounce', label: 'Bounce', type: 'bounce' },
  { kind: 'complaint', label: 'Complaint', type: 'complaint' },
  { kind: 'unsubscribe', label: 'Unsubscribe', type: 'unsubscribe' },
  { kind: 'custom', label: 'Other', type: 'custom' },
  { kind: 'automated', label: 'Automated', type: 'open' },
];

/** What mails of a kind are called where somebody unsubscribed from them. */
export const stoppedNames: Record<string, string> = {
  ...Object.fromEntries(noteKinds.map(({ kind, label }) => [kind, label])),
  digest: 'Digests',
  unopened: 'Nobody opened',
  unreplied: 'Nobody replied',
  schedule: 'At a time',
  count: 'So many at once',
  rate: 'Rate of bounces',
  silence: 'A silent source',
  report: 'Weekly figures',
};

export const oftenLabels: Record<Cell['often'], string> = {
  off: 'never',
  every: 'every one',
  'first-per-recipient': 'first per recipient',
  'first-per-message': 'first per message',
  'first-per-link': 'first per link',
  'first-per-domain': 'first per company',
};

/** Where the page can tell somebody. */
export const channels = [
  { channel: 'inpage', label: 'In app' },
  { channel: 'desktop', label: 'Desktop' },
  { channel: 'mail', label: 'E-mail' },
] as const;
export type Channel = NonNullable<Cell['channels']>[number];

/** toggled is a row with one of its channels switched; one that told nobody tells of every one. */
export function toggled(cell: Cell, channel: Channel): Cell {
  const now = cell.often === 'off' ? [] : (cell.channels ?? []);
  const next = now.includes(channel) ? now.filter((one) => one !== channel) : [...now, channel];
  if (next.length === 0) return { often: 'off' };
  return { often: cell.often === 'off' ? 'every' : cell.often, channels: next };
}

/** withOften is a row with another choice of how often; in app where it was told nowhere. */
export function withOften(cell: Cell, often: Cell['often']): Cell {
  if (often === 'off') return { often };
  const told = cell.often === 'off' ? [] : (cell.channels ?? []);
  return { often, channels: told.length > 0 ? told : ['inpage', 'desktop'] };
}
