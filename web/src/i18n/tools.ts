import type { Language } from './language';

/** What the sentences of a catalogue are made with. */
export interface Tools {
  /** A number as the reader writes it: 1,234 or 1.234. */
  number: (value: number) => string;
  /**
   * many is the form that the language has for so many: 1 recipient, 12 recipients.
   * # in it stands for the number.
   */
  many: (count: number, one: string, other: string) => string;
}

/** What stands in a sentence for a name or a number that is written already. */
export type Word = string | number;

/** A verb with one who does it and with several, and what of it stands behind: lud … herunter. */
export interface Verb {
  one: string;
  several: string;
  end: string;
}

export function toolsOf(language: Language, number: (value: number) => string): Tools {
  const rules = new Intl.PluralRules(language);
  return {
    number,
    many: (count, one, other) =>
      (rules.select(count) === 'one' ? one : other).replace('#', number(count)),
  };
}
