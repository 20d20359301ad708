import type { Decision, Item, Mute } from '../api/types';

/** place puts a notification where its time is, in place of the one of the same id. */
export function place(list: readonly Decision[], one: Decision): readonly Decision[] {
  const others = list.filter(({ id }) => id !== one.id);
  const at = others.findIndex(({ time }) => time <= one.time);
  return at < 0 ? [...others, one] : others.toSpliced(at, 0, one);
}

/** readIn marks some as read, or all. */
export function readIn(list: readonly Decision[], ids?: readonly string[]): readonly Decision[] {
  return list.map((one) => (!ids || ids.includes(one.id) ? { ...one, read: true } : one));
}

/** without says nothing any more about an event that is gone. */
export function without(list: readonly Decision[], event: string): readonly Decision[] {
  return list.map((one) => (one.event?.id === event ? { ...one, event: null } : one));
}

/** mutesOf are the mutes that keep an event from being told, as the server reads them. */
export function mutesOf(mutes: readonly Mute[], item: Item, kind: string, now: number): Mute[] {
  const email = item.person?.email.toLowerCase();
  const ids: Record<Mute['what'], string | undefined> = {
    all: '',
    message: item.message,
    person: email,
    domain: email?.split('@')[1],
    user: item.user?.id,
    kind,
  };
  return mutes.filter(
    ({ what, id = '', until = 0 }) =>
      (until === 0 || until > now / 1000) &&
      (what === 'all' || id.toLowerCase() === ids[what]?.toLowerCase()),
  );
}
