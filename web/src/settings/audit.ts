import type { AuditRow } from '../api/types';
import { t } from '../i18n/rest';

/** Gives the name of a user of ours by id, or the id where it is not known. */
type NameOf = (id: string) => string;
const byId: NameOf = (id) => id;

/** Who a row of the audit log names, for people. */
export function whoOf(row: Pick<AuditRow, 'actor' | 'actor_name'>, nameOf = byId): string {
  if (row.actor_name) return row.actor_name;
  const [kind, id] = row.actor.split(':', 2);
  switch (kind) {
    case 'user':
      return id ? nameOf(id) : row.actor;
    case 'key':
      return t.settings.aKey(id ?? '');
    case 'session':
      return t.settings.aSessionOfNobody(id ?? '');
    case 'operator':
      return t.settings.theOperatorOfTheMachine;
    case 'server':
      return t.settings.theServer;
    case 'nobody':
      return t.settings.somebodyUnknown;
  }
  return row.actor;
}

/** What a row is about: what was asked for, or else what was written or shown. */
export function objectOf(
  row: Pick<AuditRow, 'object' | 'changes' | 'about'>,
  nameOf = byId,
): string {
  if (row.object) return nameOf(row.object);
  const changes = (row.changes ?? []).map(({ kind, id }) => `${kind} ${nameOf(id)}`);
  if (changes.length > 0) return changes.join(', ');
  if ((row.about ?? []).includes('user:*')) return t.settings.everybodysMail;
  return (row.about ?? [])
    .map((subject) => (subject.startsWith('user:') ? nameOf(subject.slice(5)) : subject))
    .join(', ');
}
