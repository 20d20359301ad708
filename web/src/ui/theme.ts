const stored = 'tidings.theme';

/** toggleTheme switches between light and dark, and remembers it (see public/early.js). */
export function toggleTheme(): void {
  const root = document.documentElement;
  const dark =
    root.dataset['theme'] === undefined
      ? matchMedia('(prefers-color-scheme: dark)').matches
      : root.dataset['theme'] === 'dark';
  const next = dark ? 'light' : 'dark';
  root.dataset['theme'] = next;
  try {
    localStorage.setItem(stored, next);
  } catch {
    // Storage is refused: the choice lasts as long as the page.
  }
}
