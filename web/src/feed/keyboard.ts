/** What single keys do. They are off while typing. */
export interface Keys {
  search(): void;
  step(by: 1 | -1): void;
  newest(): void;
  showNew(): void;
  pause(): void;
  automated(): void;
  help(): void;
  escape(): void;
}

/** What the help dialog lists. */
export const shortcuts: { group: string; keys: { what: string; keys: string[] }[] }[] = [
  {
    group: 'Move',
    keys: [
      { what: 'Next, previous row', keys: ['J', 'K'] },
      { what: 'The same, in the list', keys: ['↓', '↑'] },
      { what: 'Open the message', keys: ['Enter'] },
      { what: 'Close panel or clear', keys: ['Esc'] },
      { what: 'Newest', keys: ['Home'] },
    ],
  },
  {
    group: 'Search',
    keys: [
      { what: 'Search', keys: ['/'] },
      { what: 'Show automated', keys: ['A'] },
    ],
  },
  {
    group: 'Live',
    keys: [
      { what: 'Pause or resume', keys: ['Space'] },
      { what: 'Show what’s new', keys: ['N'] },
    ],
  },
];

/** press does what a key means, and reports whether it meant anything. */
export function press(event: KeyboardEvent, keys: Keys): boolean {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return false;
  const target = event.target instanceof Element ? event.target : null;
  if (target?.closest('input, textarea, select, [contenteditable], dialog')) return false;
  // Arrows, Home and Space also scroll the panel.
  const free = target === null || target === document.body || target.closest('ol') !== null;
  const button = target?.closest('button, a') != null;
  const actions: Record<string, (() => void) | undefined> = {
    '/': keys.search,
    j: () => keys.step(1),
    k: () => keys.step(-1),
    ArrowDown: free ? () => keys.step(1) : undefined,
    ArrowUp: free ? () => keys.step(-1) : undefined,
    Home: free ? keys.newest : undefined,
    n: keys.showNew,
    a: keys.automated,
    ' ': free && !button ? keys.pause : undefined,
    '?': keys.help,
    Escape: keys.escape,
  };
  const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!action) return false;
  event.preventDefault();
  action();
  return true;
}
