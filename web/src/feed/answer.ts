import type { Answer, AnswerCount, AnsweredPerson, AnswerTable, TableRow } from '../api/types';
import { valueText } from '../search/terms';
import type { Clock } from './clock';

import { language } from '../i18n/language';
import { t } from '../i18n/first';

/** A piece of the sentence: plain words, or a number with the query that lists what it counts. */
export interface Piece {
  text: string;
  query: string | null;
}

const nouns: Record<string, AnswerCount['of']> = {
  event: 'events',
  events: 'events',
  message: 'messages',
  messages: 'messages',
  person: 'people',
  people: 'people',
  company: 'companies',
  companies: 'companies',
};
const figure = /([\d,]+) (events?|messages?|person|people|company|companies)\b/g;

/** pieces cuts the sentence at its numbers. A number that is none of the counts stays words. */
export function pieces({ sentence, counts }: Pick<Answer, 'sentence' | 'counts'>): Piece[] {
  // The server says it in English: other languages have its numbers.
  if (language !== 'en' && counts.length > 0)
    return counts.flatMap(({ of, count, query }, i) => [
      ...(i > 0 ? [{ text: ', ', query: null }] : []),
      { text: t.count[of](count), query },
    ]);
  const cut: Piece[] = [];
  let from = 0;
  for (const match of sentence.matchAll(figure)) {
    const [text, digits = '', noun = ''] = match;
    const count = Number(digits.replaceAll(',', ''));
    const known = counts.find((one) => one.of === nouns[noun] && one.count === count);
    if (!known) continue;
    if (match.index > from) cut.push({ text: sentence.slice(from, match.index), query: null });
    cut.push({ text, query: known.query });
    from = match.index + text.length;
  }
  if (from < sentence.length) cut.push({ text: sentence.slice(from), query: null });
  return cut;
}

const states: Record<string, string> = t.feed.states;

/** stateWords is how far somebody has come: Opened, replied. */
export function stateWords({ state }: Pick<AnsweredPerson, 'state'>): string {
  const words = state.map((one) => states[one] ?? one).join(', ');
  return words === '' ? t.feed.notOpened : capital(words);
}

/** peopleCounted is 1 person, 7 people. */
export const peopleCounted = t.count.people;

/** peopleOf is how many people an answer is about, listed or not. */
export const peopleOf = ({ counts }: Pick<Answer, 'counts'>): number =>
  counts.find(({ of }) => of === 'people')?.count ?? 0;

/**
 * addressesOf are the addresses of those listed: without those whom nothing reaches or who
 * want nothing more, unless the question is about them alone.
 */
export function addressesOf({ companies }: Pick<Answer, 'companies'>): string[] {
  const listed = companies.flatMap(({ people }) => people);
  const reached = listed.filter(({ state }) => !state.some((one) => out.has(one)));
  return (reached.length > 0 ? reached : listed).map(({ email }) => email);
}
const out: ReadonlySet<string> = new Set(['bounced', 'complained', 'unsubscribed']);

/** copyLabel says how many addresses the button copies, and whether those are all. */
export function copyLabel(listed: number, all: number): string {
  return listed < all ? t.feed.copyFirst(listed) : t.feed.copy(listed);
}

/** joined is an answer with the people after those that it lists. A company may go on. */
export function joined(before: Answer, after: Answer): Answer {
  const companies = [...before.companies];
  for (const more of after.companies) {
    const at = companies.findIndex(({ domain }) => domain === more.domain);
    const known = companies[at];
    if (!known) companies.push(more);
    else companies[at] = { ...known, people: [...known.people, ...more.people] };
  }
  return { ...before, companies, next: after.next };
}

const heads: Record<AnswerTable['by'], string> = {
  person: t.common.person,
  company: t.feed.company,
  message: t.common.message2,
  subject: t.common.subject,
  user: t.feed.user,
  type: t.feed.type,
  link: t.feed.link,
  file: t.feed.file,
  device: t.feed.device,
  client: t.feed.mailProgram,
  hour: t.common.hour,
  weekday: t.feed.weekday,
  day: t.common.day,
  week: t.feed.weekOf,
  month: t.feed.month,
};

/** tableHead names what a row of a table stands for. */
export const tableHead = ({ by }: Pick<AnswerTable, 'by'>): string => heads[by];

/** rowName is how a row of a table reads: Mon 14 Sep for a day, 09:00 for an hour. */
export function rowName(
  { by }: Pick<AnswerTable, 'by'>,
  { name, label }: Pick<TableRow, 'name' | 'label'>,
  clock: Pick<Clock, 'dayDate' | 'month'>,
): string {
  if (label !== undefined) return label;
  if (name === '') return t.feed.notKnown;
  switch (by) {
    case 'hour':
      return `${name}:00`;
    case 'day':
    case 'week':
      return clock.dayDate(name);
    case 'month':
      return clock.month(name);
    default:
      return by === 'type' || by === 'weekday' || by === 'device' || by === 'client'
        ? capital(t.feed.rowNames[name] ?? valueText(by, name)).replaceAll('-', ' ')
        : name;
  }
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
