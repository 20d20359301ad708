import type { Item, RuleRequest } from '../api/types';
import type { App } from '../app.svelte';
import type { Action } from '../feed/menu';
import { nameOf } from '../feed/words';

const longestName = 200;
const told = { often: 'every', channels: ['inpage', 'desktop'] } as const;

const doing = () => ({ often: told.often, channels: [...told.channels] });

/** cutTo is a name that a rule may have: its bytes are bounded. */
export function cutTo(name: string, most = longestName): string {
  const encoder = new TextEncoder();
  let out = name.trim();
  while (encoder.encode(out).length > most) out = [...out].slice(0, -1).join('');
  return out;
}

/** ruleOf tells of each event that a search finds. */
export const ruleOf = (q: string): RuleRequest => ({ q, enabled: true, do: doing() });

/** What somebody may wait for, once. */
export const waits = {
  open: { label: 'opens it', kinds: ['open', 'reply'] },
  reply: { label: 'replies', kinds: ['reply'] },
} as const;
export type Wait = keyof typeof waits;

/** tellMe has the reader told, once, when somebody opens a message or answers it. */
export async function tellMe(
  app: App,
  message: { id: string; subject?: string | undefined },
  person: { email: string; name?: string } | null,
  wait: Wait = 'open',
): Promise<void> {
  const who = person ? nameOf(person) : 'somebody';
  const name = cutTo(`When ${who} ${waits[wait].label}: ${message.subject || message.id}`);
  const rule: RuleRequest = {
    message: message.id,
    ...(person && { person: person.email }),
    kinds: [...waits[wait].kinds],
    once: true,
    enabled: true,
    do: doing(),
  };
  await make(app, name, rule, `You’ll be told when ${who} ${waits[wait].label}`);
}

/** How many people of an answer are waited for at once: each takes one of the reader's rules. */
export const mostWaited = 10;

/** tellOfAll has the reader told, once each, when people open a mail or answer. */
export async function tellOfAll(app: App, people: readonly { email: string; name?: string }[]) {
  const made: string[] = [];
  const waited = people.slice(0, mostWaited);
  const problem = await app.attempt(async () => {
    for (const person of waited) {
      const name = cutTo(`When ${nameOf(person)} opens or replies`);
      await app.bell.notes.putRule(name, {
        person: person.email,
        kinds: ['open', 'reply'],
        once: true,
        enabled: true,
        do: doing(),
      });
      made.push(name);
    }
  });
  const back = async () => {
    for (const name of made) await app.bell.notes.dropRule(name);
    app.bell.heard++;
  };
  const who = waited.length === 1 && waited[0] ? nameOf(waited[0]) : `${waited.length} people`;
  app.say(
    problem ||
      `You’ll be told when ${who} ${waited.length === 1 ? 'opens' : 'open'} or ${
        waited.length === 1 ? 'replies' : 'reply'
      }`,
    made.length > 0 ? back : undefined,
  );
  app.bell.heard++;
}

/** make makes a rule, and offers to take it back. */
export async function make(app: App, name: string, rule: RuleRequest, said: string): Promise<void> {
  const { notes } = app.bell;
  const problem = await app.attempt(() => notes.putRule(name, rule));
  app.bell.heard++;
  if (problem) app.say(problem);
  else
    app.say(said, async () => {
      await notes.dropRule(name);
      app.bell.heard++;
    });
}

/** tellActions are the entries of a menu that wait for something once. */
export function tellActions(app: App, item: Item): Action[] {
  const message = { id: item.message, subject: item.subject };
  const { person } = item;
  const one = (who: typeof person | null, wait: Wait): Action => ({
    label: `${who ? nameOf(who) : 'Anybody'} ${waits[wait].label}`,
    run: () => tellMe(app, message, who ?? null, wait),
  });
  return [
    ...(person ? [one(person, 'open'), one(person, 'reply')] : []),
    one(null, 'open'),
    one(null, 'reply'),
  ];
}
