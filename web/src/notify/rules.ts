import type { Item, RuleRequest } from '../api/types';
import type { App } from '../app.svelte';
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

/** tellOfAll has the reader told when any of those who have not opened some messages does. */
export async function tellOfAll(app: App, messages: readonly { id: string; subject: string }[]) {
  const made: string[] = [];
  const problem = await app.attempt(async () => {
    for (const { id, subject } of messages) {
      const name = cutTo(`When they open: ${subject || id}`);
      await app.bell.notes.putRule(name, {
        message: id,
        kinds: ['open', 'reply'],
        enabled: true,
        do: { ...doing(), often: 'first-per-recipient' },
      });
      made.push(name);
    }
  });
  const back = () => Promise.all(made.map((name) => app.bell.notes.dropRule(name)));
  if (problem) app.say(problem, made.length > 0 ? back : undefined);
  else
    app.say(
      made.length === 1
        ? 'You’ll be told when they open it'
        : `You’ll be told of ${made.length} mails`,
      back,
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

/** messageOf is what a rule is about, of an event. */
export const messageOf = ({ message, subject }: Item) => ({ id: message, subject });
