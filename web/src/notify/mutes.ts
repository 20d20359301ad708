import type { Decision, Item, Mute, NoteChange } from '../api/types';
import type { App } from '../app.svelte';
import type { Clock } from '../feed/clock';
import { nameOf } from '../feed/words';
import type { Action } from '../feed/menu';
import { t } from '../i18n/first';

/** How long a mute may last. */
export const spans = ['hour', 'monday', 'ever'] as const;
export type Span = (typeof spans)[number];

export const spanLabels: Record<Span, string> = {
  hour: t.notify.forAnHour,
  monday: t.notify.untilMonday,
  ever: t.notify.forEver,
};

const hour = 3_600;
const quarter = 900;
const mondayMorning = 8;

/**
 * untilOf is when a mute ends, in Unix seconds: of Monday at eight in the reader's own
 * zone, whichever hours are skipped until then; undefined never.
 */
export function untilOf(span: Span, now: number, zone: string): number | undefined {
  const seconds = Math.floor(now / 1000);
  if (span === 'ever') return undefined;
  if (span === 'hour') return seconds + hour;
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  const wanted = `Mon ${String(mondayMorning).padStart(2, '0')}:00`;
  // Zones differ by whole quarters of an hour.
  const first = (Math.floor(seconds / quarter) + 1) * quarter;
  for (let at = first; at < first + 8 * 24 * hour; at += quarter)
    if (parts.format(at * 1000).replace(',', '') === wanted) return at;
  return seconds + 7 * 24 * hour;
}

/** What may be muted of an event, the narrowest first. */
export function mutable(item: Item): { mute: Mute; name: string }[] {
  const { person, message } = item;
  const domain = person?.email.split('@')[1];
  return [
    ...(person
      ? [{ mute: { what: 'person', id: person.email } as Mute, name: nameOf(person) }]
      : []),
    { mute: { what: 'message', id: message }, name: t.common.thisMessage },
    ...(domain ? [{ mute: { what: 'domain', id: domain } as Mute, name: domain }] : []),
  ];
}

/** muteActions are the entries of a menu that mute what an event is about. */
export function muteActions(app: App, item: Item): Action[] {
  return mutable(item).map(({ mute, name }) => ({
    label: t.common.mute2(name),
    more: spans.map((span) => ({
      label: spanLabels[span],
      run: () => muteFor(app, mute, span, mute.what === 'message' ? item.subject || name : name),
    })),
  }));
}

/** muteFor mutes something for a while, and offers to take it back. */
export function muteFor(app: App, { what, id }: Mute, span: Span, name: string): Promise<void> {
  const until = untilOf(span, Date.now(), app.preferences.zone);
  const mute = { what, ...(id && { id }), ...(until && { until }) };
  return change(app, { mute }, t.common.muted(name, lasts(mute, app.clock)));
}

/** unmute has the reader told of something again. */
export function unmute(app: App, { what, id }: Mute, name: string): Promise<void> {
  return change(app, { unmute: { what, ...(id && { id }) } }, t.common.isntMutedAnyMore(name));
}

/** lasts is how long a mute lasts, behind what it mutes. */
export function lasts({ until }: Mute, clock: Clock): string {
  return until
    ? t.notify.until(clock.moment(new Date(until * 1000).toISOString()))
    : t.notify.forEver2;
}

/** change changes the settings, says so, and offers to have them as they were. */
export async function change(app: App, body: NoteChange, said: string): Promise<void> {
  const { notes } = app.bell;
  const problem = await app.attempt(async () => {
    const before = (await notes.settings()).settings;
    // Ends of mutes are said in the reader's own time.
    const zone = before.zone ? {} : { zone: app.preferences.zone };
    const { rev } = (await notes.change({ ...zone, ...body })).settings;
    app.bell.heard++;
    app.say(said, async () => {
      await notes.replace({ ...before, rev });
      app.bell.heard++;
    });
  });
  if (problem) app.say(problem);
}

/** channelWords are where one was told. */
export function channelWords({ channels }: Decision): string {
  return channels.map((channel) => channelNames[channel] ?? channel).join(', ');
}

export const channelNames: Record<string, string> = {
  inpage: t.common.inApp,
  desktop: t.common.desktop,
  mail: t.common.eMail,
  chat: t.notify.chat,
  push: t.notify.device,
};
