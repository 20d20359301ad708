import type { Cell } from '../api/types';
import type { EventType } from '../api/types';
import { t } from '../i18n/rest';

/** The kinds that people are told of, in the order of the server. */
export const noteKinds: readonly { kind: string; label: string; type: EventType }[] = [
  { kind: 'reply', label: t.notices.reply, type: 'reply' },
  { kind: 'meeting', label: t.notices.meeting, type: 'meeting' },
  { kind: 'open', label: t.notices.open, type: 'open' },
  { kind: 'click', label: t.notices.click, type: 'click' },
  { kind: 'download', label: t.notices.download, type: 'download' },
  { kind: 'bounce', label: t.notices.bounce, type: 'bounce' },
  { kind: 'complaint', label: t.notices.complaint, type: 'complaint' },
  { kind: 'unsubscribe', label: t.notices.unsubscribe, type: 'unsubscribe' },
  { kind: 'custom', label: t.common.other, type: 'custom' },
  { kind: 'automated', label: t.common.automated, type: 'open' },
];

/** What mails of a kind are called where somebody unsubscribed from them. */
export const stoppedNames: Record<string, string> = {
  ...Object.fromEntries(noteKinds.map(({ kind, label }) => [kind, label])),
  digest: t.notices.digests,
  unopened: t.notices.nobodyOpened,
  unreplied: t.notices.nobodyReplied,
  schedule: t.notices.atATime,
  count: t.notices.soManyAtOnce,
  rate: t.notices.rateOfBounces,
  silence: t.notices.aSilentSource,
  report: t.notices.weeklyFigures,
};

export const oftenLabels: Record<Cell['often'], string> = {
  off: t.shared.never,
  every: t.notices.everyOne,
  'first-per-recipient': t.notices.firstPerRecipient,
  'first-per-message': t.notices.firstPerMessage,
  'first-per-link': t.notices.firstPerLink,
  'first-per-domain': t.notices.firstPerCompany,
};

/** Where the page can tell somebody. */
export const channels = [
  { channel: 'inpage', label: t.common.inApp },
  { channel: 'desktop', label: t.common.desktop },
  { channel: 'push', label: t.devices.devices },
  { channel: 'mail', label: t.common.eMail },
  { channel: 'chat', label: t.notify.chat },
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
  return { often, channels: told.length > 0 ? told : ['inpage', 'desktop', 'push'] };
}
