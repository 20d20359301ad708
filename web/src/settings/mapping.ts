import type { Source, SourceRequest, Tries } from '../api/types';
import { t } from '../i18n/rest';

/** What an administrator edits of a source: how it is believed, and how it is read. */
export type Edited = Pick<SourceRequest, 'verify' | 'mapping'>;

/** A source of one's own begins with this: everything is left out until it has a word. */
const begun: { mapping: NonNullable<Edited['mapping']> } = {
  mapping: {
    name: 'e.type',
    time: 'e.time',
    message: 'e.message',
    recipient: 'e.email',
    events: { '*': 'ignore' },
  },
};

/** startOf is a new source of one's own: signed where there is a key. */
export function startOf(key: string): SourceRequest {
  const signed = { by: 'hmac', header: 'X-Signature', hash: 'sha256', encoding: 'hex' } as const;
  const verify: NonNullable<Edited['verify']> = key ? { ...signed } : { by: 'path' };
  return { provider: 'json', ...begun, verify, ...(key ? { keys: [key] } : {}) };
}

/** textOf is what is shown to be edited. */
export function textOf(source: Source): string {
  const { verify, mapping } = source;
  return JSON.stringify({ ...(verify ? { verify } : {}), mapping: mapping ?? {} }, null, 2);
}

/** editedOf reads it, or says what is wrong with it. */
export function editedOf(text: string): Edited {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(t.settings.thisIsNotJson((error as Error).message), { cause: error });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(t.settings.itMustBeAnObject);
  }
  const other = Object.keys(value).find((key) => key !== 'verify' && key !== 'mapping');
  if (other !== undefined) throw new Error(t.settings.isNeitherVerifyNorMapping(other));
  return value as Edited;
}

/** requestOf is the source with what was edited; its secrets stay as they are. */
export function requestOf(source: Source, edited: Edited): SourceRequest {
  const { provider, addresses, user, message_field, fields } = source;
  const kept = {
    ...(addresses.length > 0 ? { addresses: [...addresses] } : {}),
    ...(message_field ? { message_field } : {}),
    ...(fields ? { fields } : {}),
  };
  return { provider, user, ...kept, ...edited } as SourceRequest;
}

/** notesOf says of each event that came out what did not, and why. */
export function notesOf(tries: Tries): string[] {
  return tries.items.flatMap((one) => [
    ...(one.error ? [one.error] : []),
    ...one.unknown.map((word) => t.settings.isNotInEventsIt(word)),
    ...one.events.flatMap((tried) => [
      ...(tried.refused ? [t.settings.refused2(tried.refused)] : []),
      ...tried.missing.map((field) => {
        const why = tried.notes[field];
        return why ? t.settings.cameOutNothingAs(field, why) : t.settings.cameOutNothing(field);
      }),
    ]),
  ]);
}
