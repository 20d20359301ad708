/** Numbers as the reader writes them, whatever language the page speaks. */
const languages = typeof navigator === 'undefined' ? [] : [...(navigator.languages ?? [])];
const plain = new Intl.NumberFormat(languages.length > 0 ? languages : 'en');

/** number is 1,234 or 1.234. */
export const number = (value: number): string => plain.format(value);

/** percent is a rate in words; one of nothing is unknown, and not 0%. */
export const percent = (rate: number | null | undefined): string =>
  rate === null || rate === undefined ? '–' : `${Math.round(rate * 100)}%`;
