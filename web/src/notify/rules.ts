import type { Item, RuleRequest } from '../api/types';
import type { App } from '../app.svelte';
import type { Action } from '../feed/menu';
import { nameOf } from '../feed/words';
import { t } from '../i18n/first';

const longestName = 200;
const told = { often: 'every', channels: ['inpage', 'desktop', 'push'] } as const;

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
export const waits = { open: { kinds: ['open', 'reply'] }, reply: { kinds: ['reply'] } } as const;
export type Wait = keyof typeof waits;

/** waitLabel is what a menu says of it. */
export function waitLabel(person: { email: string; name?: string } | null, wait: Wait): string {
  const who = person ? nameOf(person) : t.notify.anybody;
  return wait === 'open' ? t.notify.opens(who) : t.notify.replies(who);
}

/** tellMe has the reader told, once, when somebody opens a message or answers it. */
export async function tellMe(
  app: App,
  message: { id: string; subject?: string | undefined },
  person: { email: string; name?: string } | null,
  wait: Wait = 'open',
): Promise<void> {
  const who = person ? nameOf(person) : t.notify.somebody;
  const what = message.subject || message.id;
  const name = cutTo(
    wait === 'open' ? t.notify.whenOpens(who, what) : t.notify.whenReplies(who, what),
  );
  const rule: RuleRequest = {
    message: message.id,
    ...(person && { person: person.email }),
    kinds: [...waits[wait].kinds],
    once: true,
    enabled: true,
    do: doing(),
  };
  await make(
    app,
    name,
    rule,
    wait === 'open' ? t.notify.tellsWhenOpens(who) : t.notify.tellsWhenReplies(who),
  );
}

/** How many people of an answer are waited for at once: each takes one of the reader's rules. */
export const mostWaited = 10;

/** tellOfAll has the reader told, once each, when people open a mail or answer. */
export async function tellOfAll(app: App, people: readonly { email: string; name?: string }[]) {
  const made: string[] = [];
  const waited = people.slice(0, mostWaited);
  const problem = await app.attempt(async () => {
    for (const person of waited) {
      const name = cutTo(t.notify.whenEither(nameOf(person)));
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
  const only = waited.length === 1 ? waited[0] : undefined;
  app.say(
    problem ||
      (only ? t.notify.tellsWhenEither(nameOf(only)) : t.notify.tellsWhenAll(waited.length)),
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
    label: waitLabel(who ?? null, wait),
    run: () => tellMe(app, message, who ?? null, wait),
  });
  return [
    ...(person ? [one(person, 'open'), one(person, 'reply')] : []),
    one(null, 'open'),
    one(null, 'reply'),
  ];
}
