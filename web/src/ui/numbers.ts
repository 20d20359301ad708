/** Numbers as the reader writes them, whatever language the page speaks. */
const languages = typeof navigator === 'undefined' ? [] : [...(navigator.languages ?? [])];
const written = languages.length > 0 ? languages : 'en';
const plain = new Intl.NumberFormat(written);
const share = new Intl.NumberFormat(written, { style: 'percent' });

/** number is 1,234 or 1.234. */
export const number = (value: number): string => plain.format(value);

/** percent is 58% or 58 %; one of nothing is unknown, and not 0%. */
export const percent = (rate: number | null | undefined): string =>
  rate === null || rate === undefined ? '–' : share.format(rate);
