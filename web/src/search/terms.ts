import AtSign from '@lucide/svelte/icons/at-sign';
import Building2 from '@lucide/svelte/icons/building-2';
import Calendar from '@lucide/svelte/icons/calendar';
import CircleCheck from '@lucide/svelte/icons/circle-check';
import EyeOff from '@lucide/svelte/icons/eye-off';
import FileText from '@lucide/svelte/icons/file-text';
import Link from '@lucide/svelte/icons/link';
import Mail from '@lucide/svelte/icons/mail';
import Search from '@lucide/svelte/icons/search';
import Shapes from '@lucide/svelte/icons/shapes';
import TextSearch from '@lucide/svelte/icons/text-search';
import UserCheck from '@lucide/svelte/icons/user-check';
import Users from '@lucide/svelte/icons/users';
import type { Chip } from '../api/types';
import { eventTypes } from '../api/types';
import { quoted } from '../feed/address';
import type { Clock } from '../feed/clock';
import { nextDay, rangeOf } from './days';

/** What a field of the search language is called, looks like, and may hold. */
export interface Field {
  label: string;
  icon: typeof Search;
  /** What the filter menu says of it. */
  hint: string;
  /** The values there are; none means any text. */
  values?: readonly string[];
  /** What a search without it finds: 12 events with anyone. */
  any: string;
}

/** The fields of chips, by the names of the search language. */
export const fields: Record<string, Field> = {
  from: { label: 'from', icon: Users, hint: 'whose message it is', any: 'of anyone’s mail' },
  to: { label: 'with', icon: AtSign, hint: 'a recipient’s name or address', any: 'with anyone' },
  domain: {
    label: 'company',
    icon: Building2,
    hint: 'a recipient’s domain',
    any: 'at any company',
  },
  type: {
    label: 'type',
    icon: Shapes,
    hint: 'what happened',
    values: eventTypes,
    any: 'of any type',
  },
  is: {
    label: 'is',
    icon: EyeOff,
    hint: 'messages by what their people did',
    values: ['unopened', 'opened', 'clicked', 'replied', 'unreplied', 'downloaded', 'bounced'],
    any: 'whatever their people did',
  },
  subject: {
    label: 'subject',
    icon: TextSearch,
    hint: 'words of the subject',
    any: 'with any subject',
  },
  time: {
    label: 'time',
    icon: Calendar,
    hint: 'before, after or between',
    any: 'outside this period',
  },
  link: { label: 'link', icon: Link, hint: 'a link that was clicked', any: 'with any link' },
  file: { label: 'file', icon: FileText, hint: 'a file that was downloaded', any: 'with any file' },
  body: {
    label: 'body',
    icon: TextSearch,
    hint: 'words of the text',
    any: 'whatever the text says',
  },
  answer: {
    label: 'answer',
    icon: CircleCheck,
    hint: 'to a meeting',
    values: ['yes', 'no', 'maybe'],
    any: 'whatever the answer',
  },
  bounce: {
    label: 'bounce',
    icon: CircleCheck,
    hint: 'why it came back',
    values: ['hard', 'soft', 'rejected'],
    any: 'whatever the bounce',
  },
  verdict: {
    label: 'by',
    icon: UserCheck,
    hint: 'people or machines',
    values: ['human', 'machine', 'unknown'],
    any: 'by people and machines',
  },
  unopened: { label: 'unopened', icon: EyeOff, hint: 'for longer than', any: 'opened or not' },
  message: { label: 'message', icon: Mail, hint: 'one message', any: 'of any message' },
  source: { label: 'source', icon: Shapes, hint: 'where it came from', any: 'from any source' },
  words: { label: 'contains', icon: Search, hint: 'words anywhere', any: 'that don’t say it' },
};

/** fieldOf is how a chip is shown; one of a later server is shown as it is. */
export function fieldOf(name: string): Field {
  return fields[name] ?? { label: name, icon: Search, hint: '', any: `whatever the ${name}` };
}

/** What a chip is put into words with: the reader's times, and who is who. */
export interface Words {
  clock: Clock;
  /** What one of ours is called, by id. */
  names: ReadonlyMap<string, string>;
}

/** chipText is what a chip says behind its label. */
export function chipText(chip: Chip, { clock, names }: Words): string {
  if (chip.field === 'from') {
    const named = (id: string) => names.get(id) ?? id;
    return chip.value.split(',').map(named).join(', ');
  }
  if (chip.field !== 'time') return chip.value;
  const { from, to } = rangeOf(chip.value);
  const day = (value: string) =>
    value.length > 10
      ? `${clock.date(`${value.slice(0, 10)}T12:00:00Z`)}, ${value.slice(11, 16)}`
      : clock.dayDate(value);
  if (from !== null && to !== null) {
    if (from.length === 10 && nextDay(from) === to) return day(from);
    return `${day(from)} – ${to.length === 10 ? day(nextDay(to, -1)) : day(to)}`;
  }
  return day(from ?? to ?? '');
}

/** chipLabel is the word in front. */
export function chipLabel(chip: Chip): string {
  let label = fieldOf(chip.field).label;
  if (chip.field === 'time') {
    const { from, to } = rangeOf(chip.value);
    label = from === null ? 'before' : to === null ? 'since' : 'on';
    if (from !== null && to !== null && nextDay(from) !== to) label = 'between';
  }
  return chip.not ? `not ${label}` : label;
}

/** term writes a condition as the search language reads it. */
export function term(field: string, value: string, not = false): string {
  const text = field === 'words' ? quoted(value) : `${field}:${quoted(value)}`;
  return not ? `-${text}` : text;
}
