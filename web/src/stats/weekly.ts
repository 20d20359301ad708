import type { RuleRequest, Session } from '../api/types';
import { quoted, typesOf, usersOf, type View } from '../feed/address';
import { t } from '../i18n/rest';

export const weekdays = [
  t.stats.sunday,
  t.stats.monday,
  t.stats.tuesday,
  t.stats.wednesday,
  t.stats.thursday,
  t.stats.friday,
  t.stats.saturday,
] as const;

const anyOf = (operator: string, values: readonly string[]) => {
  const terms = values.map((value) => `${operator}:${quoted(value)}`);
  return terms.length > 1 ? `(${terms.join(' OR ')})` : (terms[0] ?? '');
};

/** textOf is the search of a view in words alone: its types, its scope and its choice of machines too. */
export function textOf(view: View, reader: Session['user']): string {
  return [
    view.q.trim(),
    anyOf('type', typesOf(view)),
    anyOf('from', usersOf(view.scope, reader)),
    view.automated === 'hide' ? '' : `automated:${view.automated}`,
  ]
    .filter((term) => term !== '')
    .join(' ');
}

/** reportRule sends the figures of a view by mail, each week. */
export function reportRule(
  view: View,
  reader: Session['user'],
  weekly: { day: number; time: string },
): RuleRequest {
  const q = textOf(view, reader);
  return {
    on: 'report',
    ...(q !== '' && { q }),
    weekly,
    enabled: true,
    do: { often: 'every', channels: ['mail'] },
  };
}
