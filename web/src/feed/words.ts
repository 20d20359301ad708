import type { EventType, Item, Person, Recipient, User } from '../api/types';

import { t } from '../i18n/first';
import type { Verb } from '../i18n/tools';

/** What a row says: who, verb, what, and something beside it. */
export interface Sentence {
  who: string;
  /** The company, as far as the address tells it. */
  from: string;
  verb: string;
  what: string;
  /** What of the verb stands behind, in languages that part it: lud … herunter. */
  end: string;
  extra: string;
}

/** nameOf is what a person is called: their name, else their address. */
export function nameOf(person: Person): string {
  return person.name?.trim() || person.email;
}

/** firstName is short for nameOf. */
export function firstName(person: Person): string {
  const name = person.name?.trim();
  return name ? (name.split(/\s+/)[0] ?? name) : (person.email.split('@')[0] ?? person.email);
}

/** userName is what one of ours is called by the reader. */
export function userName(user: User | undefined, me: string | undefined): string {
  if (!user) return t.words.someone;
  return user.id === me ? t.words.you : user.name || user.id;
}

/** initials are for an avatar: two letters at most. */
export function initials(name: string): string {
  const parts = name.split(/[\s._@-]+/).filter((part) => /^\p{L}/u.test(part));
  const first = parts[0]?.[0] ?? '?';
  const last = parts.length > 1 && !name.includes('@') ? (parts.at(-1)?.[0] ?? '') : '';
  return (first + last).toUpperCase();
}

/** What only those outside do: where nobody is named, it was not the user whose mail it is. */
const byOthers: ReadonlySet<EventType> = new Set([
  'delivery',
  'open',
  'click',
  'download',
  'reply',
  'bounce',
  'complaint',
  'unsubscribe',
]);

/** isOwn: something that the reader did themselves, so that it is no news to them. */
export function isOwn(item: Item, me: string | undefined): boolean {
  return (
    me !== undefined &&
    item.person === undefined &&
    item.user?.id === me &&
    !byOthers.has(item.type)
  );
}

/** isAutomated: an open or a click that a machine made. */
export function isAutomated(item: Item): boolean {
  return (item.type === 'open' || item.type === 'click') && item.verdict?.is === 'machine';
}

/**
 * sentence puts an event into words. me is the reader's own user; repeats are the
 * events that are told together with it, itself among them.
 */
export function sentence(
  item: Item,
  me: string | undefined,
  repeats: readonly Item[] = [item],
): Sentence {
  const subject = item.subject || t.common.noSubject;
  const several = isSeveral(item, me, repeats);
  const base = {
    who: whoOf(item, me, repeats.length),
    from: item.person?.name ? (item.person.email.split('@')[1] ?? '') : '',
    ...verbOf(t.words.verbs[item.type] ?? { one: item.type, several: item.type, end: '' }, several),
    what: subject,
    extra: item.person ? '' : oneOf(item.candidates ?? []),
  };
  switch (item.type) {
    case 'delivery':
      return repeats.length === 1 ? base : { ...base, who: others(repeats), from: '' };
    case 'click':
      return item.link
        ? { ...base, what: shortLink(item.link), extra: t.words.inMail(subject) }
        : base;
    case 'download':
      return item.file ? { ...base, what: item.file, extra: t.words.fromMail(subject) } : base;
    case 'reply':
      return item.snippet ? { ...base, extra: `“${item.snippet}”` } : base;
    case 'meeting':
      return {
        ...base,
        ...(item.meeting?.answer && verbOf(t.words.answers[item.meeting.answer], several)),
        what: item.meeting?.title || subject,
      };
    case 'bounce':
      return { ...base, extra: item.bounce?.detail ?? '' };
    case 'custom':
      return {
        ...base,
        ...(item.kind && { verb: item.kind, end: '' }),
        what: item.title || subject,
        extra: item.title && item.subject ? t.words.inMail(item.subject) : '',
      };
    default:
      return base;
  }
}

/** whoOf is who did it. Mail whose sender was not named was sent all the same. */
function whoOf(item: Item, me: string | undefined, times: number): string {
  if (item.person) return nameOf(item.person);
  const among = (item.candidates?.length ?? 0) + (item.rest?.count ?? 0);
  // Of several times, nobody knows whether it was one and the same person.
  if (among > 0) return times > 1 ? t.words.oneOrMoreOf(among) : t.words.oneOf(among);
  if (byOthers.has(item.type)) return t.words.someone;
  if (item.user) return userName(item.user, me);
  return item.type === 'send' ? t.words.mail : item.source;
}

/** oneOf names a few of those of whom one did it: Tom, Inês or Raj. */
function oneOf(people: readonly Person[]): string {
  if (people.length === 0) return '';
  const names = people.slice(0, namesShown).map(firstName);
  const more = people.length - names.length;
  if (more > 0) return t.words.orOthers(names.join(', '), more);
  const last = names.pop() ?? '';
  return names.length > 0 ? t.words.or(names.join(', '), last) : last;
}

/**
 * unattributed says what happened to a message of which nobody knows who did it,
 * each once: Opened by one of 3 recipients.
 */
export function unattributed(items: readonly Item[]): string[] {
  const said = items.flatMap((item) => {
    if (item.person || isAutomated(item)) return [];
    if (item.type !== 'open' && item.type !== 'click') return [];
    const among = (item.candidates?.length ?? 0) + (item.rest?.count ?? 0);
    if (item.type === 'open')
      return [among > 0 ? t.words.openedByOneOf(among) : t.words.openedBySomeone];
    return [among > 0 ? t.words.clickedByOneOf(among) : t.words.clickedBySomeone];
  });
  return [...new Set(said)];
}

/** others names the first of several people and counts the rest: Jo and 5 others. */
function others(items: readonly Item[]): string {
  const people = new Map(items.map(({ person }) => [person?.email ?? '', person]));
  const first = items[0]?.person;
  const name = first ? nameOf(first) : '';
  return people.size === 1 ? name : t.words.andOthers(name, people.size - 1);
}

/** told is who did what, without what stands beside it. */
export function told({ who, verb, what, end }: Sentence): string {
  return [who, verb, what, end].filter(Boolean).join(' ');
}

/** verbOf is a verb in the form that goes with whoever did it. */
function verbOf({ one, several, end }: Verb, isSeveral: boolean): Pick<Sentence, 'verb' | 'end'> {
  return { verb: isSeveral ? several : one, end };
}

/** isSeveral: whoever did it takes the form of a verb for several, as "you" does. */
function isSeveral(item: Item, me: string | undefined, repeats: readonly Item[]): boolean {
  if (item.type === 'delivery') return new Set(repeats.map(({ person }) => person?.email)).size > 1;
  if (item.person) return false;
  const among = (item.candidates?.length ?? 0) + (item.rest?.count ?? 0);
  if (among > 0) return repeats.length > 1;
  return !byOthers.has(item.type) && item.user !== undefined && item.user.id === me;
}

/** spoken is the whole row as one sentence, for those who hear it. */
export function spoken(
  item: Item,
  me: string | undefined,
  time: string,
  repeats: readonly Item[] = [item],
): string {
  const words = sentence(item, me, repeats);
  const parts = [[told(words), words.extra].filter(Boolean).join(' ')];
  if (repeats.length > 1 && item.type !== 'delivery') parts.push(t.count.times(repeats.length));
  if (item.recipients) parts.push(progressOf(item, item.recipients).spoken);
  if (item.type === 'meeting' && item.meeting?.start) parts.push(t.words.meeting);
  if (isAutomated(item)) parts.push(t.words.automated);
  return `${parts.filter(Boolean).join(', ')}, ${time}`;
}

/** How far a send got with its recipients. */
export interface Progress {
  /** 3 of 5 haven’t opened */
  count: string;
  /** Tom, Inês, Raj; dropped first when there is little room. */
  names: string;
  /** 1 bounced, 1 unsubscribed: those who are not waited for. */
  beside: string;
  spoken: string;
}

const namesShown = 3;

/** The states of those who are not waited for, in the words that stand beside the count. */
const { out } = t.words;

export type Out = keyof typeof out;
export type RecipientState = Out | 'replied' | 'opened' | 'unopened';

/**
 * stateOf is how far a recipient is. Who reported a mail as spam or unsubscribed wants no
 * more of it, whatever they did before; one that came back waits for nobody to open it.
 */
export function stateOf(person: Recipient): RecipientState {
  if (person.complained) return 'complained';
  if (person.unsubscribed) return 'unsubscribed';
  if (person.replied) return 'replied';
  if (hasOpened(person)) return 'opened';
  return person.bounced ? 'bounced' : 'unopened';
}

/** isOut: nothing reaches them, or they want nothing more. */
export const isOut = (state: RecipientState): state is Out => state in out;

const hasOpened = (person: Recipient): boolean =>
  person.opened !== null ||
  [person.replied, person.clicked, person.downloaded].some((time) => time !== undefined);

/** unopenedOf are those who may still open: who to nudge. */
export function unopenedOf(recipients: readonly Recipient[]): Recipient[] {
  return recipients.filter((person) => stateOf(person) === 'unopened');
}

/** A list of recipients of whom only some may be listed. */
interface Listed {
  unopened?: number;
  rest?: { count: number };
}

/** progressOf is the progress of a send: of a mailing that lists some alone, in numbers. */
export function progressOf(send: Listed, listed: readonly Recipient[]): Progress {
  const { rest, unopened } = send;
  if (!rest || unopened === undefined) return progress(listed);
  const total = listed.length + rest.count;
  const count = unopened === 0 ? t.words.openedByAll(total) : t.words.notOpened(unopened, total);
  return { count, names: '', beside: '', spoken: count };
}

/** progress says who has not opened, by name where there is room. */
export function progress(recipients: readonly Recipient[]): Progress {
  const total = recipients.length;
  const unopened = unopenedOf(recipients);
  const states = recipients.map(stateOf);
  const beside = (Object.keys(out) as Out[])
    .map((state) => ({ state, count: states.filter((one) => one === state).length }))
    .filter(({ count }) => count > 0);
  const say = (count: string, names = '', beside = '') => ({
    count,
    names,
    beside,
    spoken: `${names ? `${count}: ${names}` : count}${beside ? `, ${beside}` : ''}`,
  });
  const only = recipients[0];
  if (!only) return say('');
  const all = beside.find(({ count }) => count === total);
  if (all) return say(allOut(recipients, all.state));
  const told = beside.map(({ state, count }) => `${count} ${out[state]}`).join(', ');
  if (unopened.length === 0) {
    const opened = recipients.filter(hasOpened).length;
    return say(told ? t.words.someOpened(opened, total) : allOpened(recipients), '', told);
  }
  if (total === 1) return say(t.words.hasNotOpened(firstName(only)));
  return say(t.words.notOpened(unopened.length, total), someNames(unopened), told);
}

function allOut(recipients: readonly Recipient[], state: Out): string {
  const only = recipients[0];
  const word = out[state];
  if (recipients.length === 1 && only)
    return `${word.charAt(0).toUpperCase()}${word.slice(1)}: ${firstName(only)}`;
  return recipients.length === 2 ? t.words.both(word) : t.words.all(recipients.length, word);
}

function allOpened(recipients: readonly Recipient[]): string {
  const replied = recipients.filter((person) => person.replied).length;
  const opened =
    recipients.length === 1
      ? t.words.opened
      : recipients.length === 2
        ? t.words.openedByBoth
        : t.words.openedByAll(recipients.length);
  if (replied === 0) return opened;
  return recipients.length === 1
    ? t.words.andReplied(opened)
    : t.words.andSomeReplied(opened, replied);
}

/**
 * someNames lists a few and counts the rest: Nadia, Piotr, Elin and 3 more. Those
 * who share a first name are named in full.
 */
function someNames(people: readonly Person[]): string {
  const shown = people.slice(0, namesShown + 1);
  const shared = (name: string) => shown.filter((p) => firstName(p) === name).length > 1;
  const names = people.map((p) => (shared(firstName(p)) ? nameOf(p) : firstName(p)));
  if (names.length <= namesShown + 1) return names.join(', ');
  return t.words.andMore(names.slice(0, namesShown).join(', '), names.length - namesShown);
}

/** shortLink is a link without what everybody knows: brightwater.example/pricing. */
export function shortLink(link: string): string {
  try {
    const url = new URL(link);
    const path = url.pathname === '/' ? '' : url.pathname.replace(/\/$/, '');
    return url.host.replace(/^www\./, '') + path;
  } catch {
    return link;
  }
}
