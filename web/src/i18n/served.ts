import { language } from './language';

/** Sentences that a server says, and how another language says them. */
export type Served = readonly (readonly [said: string, here: string])[];

/**
 * A placeholder of such a sentence: {} is a name, a number or what was typed, and stays; {~} is
 * words of the server's own, and is said in the language too.
 */
const placeholder = /\{~?\}/g;

/** translator says in a language what a server said; what it does not know stays as it is. */
export function translator(table: Served): (text: string) => string {
  const known = table.map(([said, here]) => ({
    pattern: new RegExp(
      `^${said.split(placeholder).map(escaped).join('(.+?)')}$`,
      // What was typed may have lines.
      's',
    ),
    own: [...said.matchAll(placeholder)].map(([mark]) => mark === '{~}'),
    here,
  }));
  const translate = (text: string): string => {
    for (const { pattern, own, here } of known) {
      const match = pattern.exec(text);
      if (!match) continue;
      const parts = match.slice(1).map((part, i) => (own[i] ? translate(part) : part));
      let next = 0;
      return here.replaceAll(/\{(\d?)\}/g, (_, at: string) => parts[at ? +at : next++] ?? '');
    }
    return text;
  };
  return translate;
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

let say = (text: string) => text;

/** ready is there once the page can say what servers said: fetched beside the first answer. */
export const ready: Promise<void> =
  language === 'de'
    ? import('./served.de').then(
        ({ served }) => void (say = translator(served)),
        () => {},
      )
    : Promise.resolve();

/** inWords is a sentence of the server in the language of the page. */
export const inWords = (text: string): string => say(text);
