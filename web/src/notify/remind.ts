import type { FollowUp, FollowUpRequest, Item } from '../api/types';
import type { App } from '../app.svelte';
import type { Action } from '../feed/menu';
import { nameOf } from '../feed/words';

const day = 24 * 60 * 60_000;
const friday = 5;
const morning = 8;

/** When somebody is looked at again who has not replied. */
export const reminders = ['tomorrow', 'friday', 'week'] as const;
export type Reminder = (typeof reminders)[number];

export const reminderLabels: Record<Reminder, string> = {
  tomorrow: 'By tomorrow',
  friday: 'By Friday',
  week: 'In a week',
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

/** remindActions are the entries of a menu that put somebody back on Nudge, unless they reply. */
export function remindActions(app: App, item: Item): Action[] {
  return reminders.map((reminder) => ({
    label: reminderLabels[reminder],
    run: () => remind(app, item, dueAt(reminder, Date.now())),
  }));
}

async function remind(app: App, { person, user }: Item, due: string): Promise<void> {
  if (!person) return;
  const owner = user?.id ?? '';
  const put = (body: FollowUpRequest) => app.client.putFollowUp(person.email, owner, body);
  const problem = await app.attempt(async () => {
    const all = await app.client.followUps(person.email, AbortSignal.timeout(10_000));
    const before = all.find((one) => (one.user ?? '') === owner);
    const kept = partsOf(before);
    const after = await put({ ...kept, snoozed_until: due, revision: before?.revision ?? 0 });
    app.say(`${nameOf(person)} is on Nudge again ${app.clock.moment(due)}, unless they reply`, () =>
      put({ ...partsOf(before, true), revision: after.revision }),
    );
  });
  if (problem) app.say(problem);
}

/** partsOf are what is kept of a follow-up that is written anew; whole with its snooze and done. */
function partsOf(one: FollowUp | undefined, whole = false): FollowUpRequest {
  return {
    ...(one?.assignee && { assignee: one.assignee }),
    ...(one?.note && { note: one.note }),
    ...(whole && one?.done && { done: true }),
    ...(whole && one?.snoozed_until && { snoozed_until: one.snoozed_until }),
  };
}
