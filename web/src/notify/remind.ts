import type { Item, RuleRequest } from '../api/types';
import type { App } from '../app.svelte';
import type { Action } from '../feed/menu';
import { nameOf } from '../feed/words';
import { cutTo, make } from './rules';
import { t } from '../i18n/first';

const day = 24 * 60 * 60_000;
const friday = 5;
const morning = 8;

/** When somebody is looked at again who has not replied. */
export const reminders = ['tomorrow', 'friday', 'week'] as const;
export type Reminder = (typeof reminders)[number];

export const reminderLabels: Record<Reminder, string> = {
  tomorrow: t.notify.byTomorrow,
  friday: t.notify.byFriday,
  week: t.common.inAWeek,
};

/** dueAt is eight in the morning of the day that is meant; on a Friday the next one. */
export function dueAt(reminder: Reminder, now: number): string {
  const at = new Date(now);
  const ahead = ((friday - at.getDay() + 6) % 7) + 1;
  const days = { tomorrow: 1, friday: ahead, week: 7 }[reminder];
  const due = new Date(now + days * day);
  due.setHours(morning, 0, 0, 0);
  return due.toISOString();
}

/** remindActions are the entries of a menu that remind of a mail, unless it is answered. */
export function remindActions(app: App, item: Item): Action[] {
  return reminders.map((reminder) => ({
    label: reminderLabels[reminder],
    run: () => remind(app, item, dueAt(reminder, Date.now())),
  }));
}

function remind(app: App, { message, person, subject }: Item, due: string): Promise<void> {
  const who = person ? nameOf(person) : t.notify.somebody;
  const when = app.clock.moment(due);
  const rule: RuleRequest = {
    on: 'by',
    message,
    ...(person && { person: person.email }),
    no: 'reply',
    at: Date.parse(due) / 1000,
    enabled: true,
    do: { often: 'every', channels: ['inpage', 'desktop', 'push'] },
  };
  const name = cutTo(t.notify.unless(who, when, subject || message));
  return make(app, name, rule, t.notify.reminded(when, who));
}
