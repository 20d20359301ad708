/** The languages of the page, by what each calls itself. One of these is one file beside this. */
export const languages = { en: 'English', de: 'Deutsch' } as const;
export type Language = keyof typeof languages;

const key = 'tidings.language';

export const isLanguage = (tag: string | null | undefined): tag is Language =>
  tag !== null && tag !== undefined && Object.hasOwn(languages, tag);

/** What public/early.js has chosen: what was set here, else the first that the browser asks for. */
export const language: Language =
  typeof document !== 'undefined' && isLanguage(document.documentElement.lang)
    ? document.documentElement.lang
    : 'en';

/** How the reader writes dates in that language: de-AT where the browser says so, else de. */
export const locale: string =
  (typeof navigator === 'undefined' ? [] : (navigator.languages ?? [])).find(
    (tag) => tag.split('-')[0] === language,
  ) ?? language;

/** What was set, or null where the browser chooses. */
export function setLanguage(): Language | null {
  try {
    const set = localStorage.getItem(key);
    return isLanguage(set) ? set : null;
  } catch {
    return null;
  }
}

/** keepLanguage remembers a choice in this browser; the page speaks it when it is loaded again. */
export function keepLanguage(to: Language | null): void {
  try {
    if (to) localStorage.setItem(key, to);
    else localStorage.removeItem(key);
  } catch {
    // Storage is refused: the browser goes on choosing.
  }
}
