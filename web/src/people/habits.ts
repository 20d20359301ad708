import type { Contact, ContactMessage } from '../api/types';
import { stateOf } from '../feed/words';
import { t } from '../i18n/rest';

/** usualHours says when somebody is usually seen: the three hours in a row with the most acts. */
export function usualHours(hours: readonly number[]): { from: number; to: number } | null {
  const least = 3;
  const width = 3;
  if (hours.reduce((sum, n) => sum + n, 0) < least) return null;
  let best = 0;
  let most = -1;
  for (let hour = 0; hour < hours.length; hour++) {
    let sum = 0;
    for (let i = 0; i < width; i++) sum += hours[(hour + i) % hours.length] ?? 0;
    if (sum > most) [best, most] = [hour, sum];
  }
  return { from: best, to: (best + width) % hours.length };
}

/** duration is 40 seconds, 12 minutes, 5 hours, 3 days. */
export function duration(seconds: number): string {
  const units = [
    [86_400, t.people.days],
    [3_600, t.people.hours],
    [60, t.people.minutes],
    [1, t.people.seconds],
  ] as const;
  const [size, name] = units.find(([size]) => seconds >= 2 * size) ?? units[3];
  return name(Math.round(seconds / size));
}

/** openThreads are messages that somebody has opened and not answered, newest first. */
export function openThreads(contact: Contact): ContactMessage[] {
  return contact.messages.filter(
    ({ recipients }) => recipients.length > 0 && recipients.some((r) => stateOf(r) === 'opened'),
  );
}

/** stateWord is how far a message has come with those it was asked about. */
export function stateWord(message: ContactMessage): string {
  const states = message.recipients.map(stateOf);
  const words = {
    replied: t.shared.replied,
    opened: t.shared.opened,
    unopened: t.people.notOpened,
    bounced: t.shared.bounced,
    complained: t.shared.reportedAsSpam,
    unsubscribed: t.shared.unsubscribed,
  };
  if (states.length === 0) return '';
  if (states.length === 1 && states[0]) return words[states[0]];
  const count = (state: keyof typeof words) => states.filter((s) => s === state).length;
  return (Object.keys(words) as (keyof typeof words)[])
    .filter((state) => count(state) > 0)
    .map((state) => `${count(state)} ${t.people.states[state]}`)
    .join(', ');
}
