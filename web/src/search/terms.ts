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
import { t } from '../i18n/first';

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
  from: {
    label: t.search.from,
    icon: Users,
    hint: t.search.whoseMessageItIs,
    any: t.search.ofAnyonesMail,
  },
  to: {
    label: t.search.with,
    icon: AtSign,
    hint: t.search.aRecipientsNameOrAddress,
    any: t.search.withAnyone,
  },
  domain: {
    label: t.common.company,
    icon: Building2,
    hint: t.search.aRecipientsDomain,
    any: t.search.atAnyCompany,
  },
  type: {
    label: t.search.type,
    icon: Shapes,
    hint: t.search.whatHappened,
    values: eventTypes,
    any: t.search.ofAnyType,
  },
  is: {
    label: t.search.is,
    icon: EyeOff,
    hint: t.search.messagesByWhatTheirPeople,
    values: ['unopened', 'opened', 'clicked', 'replied', 'unreplied', 'downloaded', 'bounced'],
    any: t.search.whateverTheirPeopleDid,
  },
  subject: {
    label: t.search.subject,
    icon: TextSearch,
    hint: t.search.wordsOfTheSubject,
    any: t.search.withAnySubject,
  },
  time: {
    label: t.search.time,
    icon: Calendar,
    hint: t.search.beforeAfterOrBetween,
    any: t.common.outsideThisPeriod,
  },
  link: {
    label: t.search.link,
    icon: Link,
    hint: t.search.aLinkThatWasClicked,
    any: t.search.withAnyLink,
  },
  file: {
    label: t.search.file,
    icon: FileText,
    hint: t.search.aFileThatWasDownloaded,
    any: t.search.withAnyFile,
  },
  body: {
    label: t.search.body,
    icon: TextSearch,
    hint: t.search.wordsOfTheText,
    any: t.search.whateverTheTextSays,
  },
  answer: {
    label: t.search.answer,
    icon: CircleCheck,
    hint: t.search.toAMeeting,
    values: ['yes', 'no', 'maybe'],
    any: t.search.whateverTheAnswer,
  },
  bounce: {
    label: t.search.bounce,
    icon: CircleCheck,
    hint: t.search.whyItCameBack,
    values: ['hard', 'soft', 'rejected'],
    any: t.search.whateverTheBounce,
  },
  verdict: {
    label: t.search.by,
    icon: UserCheck,
    hint: t.search.peopleOrMachines,
    values: ['human', 'machine', 'unknown'],
    any: t.search.byPeopleAndMachines,
  },
  unopened: {
    label: t.search.unopened,
    icon: EyeOff,
    hint: t.search.forLongerThan,
    any: t.search.openedOrNot,
  },
  message: {
    label: t.common.message,
    icon: Mail,
    hint: t.common.oneMessage,
    any: t.search.ofAnyMessage,
  },
  source: {
    label: t.search.source,
    icon: Shapes,
    hint: t.search.whereItCameFrom,
    any: t.search.fromAnySource,
  },
  words: {
    label: t.search.contains,
    icon: Search,
    hint: t.search.wordsAnywhere,
    any: t.search.thatDontSayIt,
  },
};

/** fieldOf is how a chip is shown; one of a later server is shown as it is. */
export function fieldOf(name: string): Field {
  return fields[name] ?? { label: name, icon: Search, hint: '', any: t.search.whateverThe(name) };
}

/** What a chip is put into words with: the reader's times, and who is who. */
export interface Words {
  clock: Clock;
  /** What one of ours is called, by id. */
  names: ReadonlyMap<string, string>;
}

/** valueText is how a value of the search language reads: those that a field lists have names. */
export function valueText(field: string, value: string): string {
  const names = t.search.values[field];
  if (!names) return value;
  return value
    .split(',')
    .map((one) => names[one] ?? one)
    .join(', ');
}

/** chipText is what a chip says behind its label. */
export function chipText(chip: Chip, { clock, names }: Words): string {
  if (chip.field === 'from') {
    const named = (id: string) => names.get(id) ?? id;
    return chip.value.split(',').map(named).join(', ');
  }
  if (chip.field !== 'time') return valueText(chip.field, chip.value);
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
    label = from === null ? t.search.before2 : to === null ? t.search.since : t.search.on;
    if (from !== null && to !== null && nextDay(from) !== to) label = t.search.between2;
  }
  return chip.not ? t.search.not(label) : label;
}

/** term writes a condition as the search language reads it. */
export function term(field: string, value: string, not = false): string {
  const text = field === 'words' ? quoted(value) : `${field}:${quoted(value)}`;
  return not ? `-${text}` : text;
}
