import type { Path } from '../app.svelte';

/** What single keys do on the feed. They are off while typing. */
export interface Keys {
  search(): void;
  step(by: 1 | -1): void;
  newest(): void;
  showNew(): void;
  pause(): void;
  automated(): void;
  help(): void;
  escape(): void;
  unfold(): void;
  day(by: 1 | -1): void;
  person(): void;
  message(): void;
  human(): void;
  save(): void;
  menu(): void;
  mute(): void;
  why(): void;
}

/** What the help dialog lists. */
export const shortcuts: { group: string; keys: { what: string; keys: string[] }[] }[] = [
  {
    group: 'Move',
    keys: [
      { what: 'Next, previous row', keys: ['J', 'K'] },
      { what: 'Open the message', keys: ['Enter'] },
      { what: 'Close panel or clear', keys: ['Esc'] },
      { what: 'Unfold repeats', keys: ['O'] },
      { what: 'More of this row', keys: ['.'] },
      { what: 'Next, previous day', keys: [']', '['] },
      { what: 'Newest', keys: ['Home'] },
    ],
  },
  {
    group: 'Live',
    keys: [
      { what: 'Pause or resume', keys: ['Space'] },
      { what: 'Show what’s new', keys: ['N'] },
      { what: 'This was a person', keys: ['H'] },
      { what: 'Mute', keys: ['U'] },
      { what: 'Why was I told, or not?', keys: ['W'] },
    ],
  },
  {
    group: 'Search',
    keys: [
      { what: 'Search or ask', keys: ['/'] },
      { what: 'Command palette', keys: ['Ctrl', 'K'] },
      { what: 'Filter by this person', keys: ['P'] },
      { what: 'Filter by this message', keys: ['M'] },
      { what: 'Show automated', keys: ['A'] },
      { what: 'Save search', keys: ['S'] },
    ],
  },
  {
    group: 'Go to',
    keys: [
      { what: 'Feed', keys: ['G', 'F'] },
      { what: 'Now: who to call', keys: ['G', 'C'] },
      { what: 'Nudge', keys: ['G', 'U'] },
      { what: 'Stats', keys: ['G', 'S'] },
      { what: 'Notifications', keys: ['G', 'N'] },
      { what: 'Settings', keys: ['G', ','] },
    ],
  },
];

const destinations: Record<string, Path> = {
  f: '/',
  c: '/now',
  u: '/nudge',
  s: '/stats',
  n: '/notifications',
  ',': '/settings',
};
const patience = 1_000;

/** GoTo is G and then a letter. */
export class GoTo {
  #go: (path: Path) => void;
  #until = 0;

  constructor(go: (path: Path) => void) {
    this.#go = go;
  }

  /** press reports whether it was the second of the two keys. */
  press(event: KeyboardEvent): boolean {
    if (this.typing(event) || event.ctrlKey || event.metaKey || event.altKey) return false;
    const path = destinations[event.key.toLowerCase()];
    if (event.timeStamp < this.#until && path !== undefined) {
      this.#until = 0;
      event.stopPropagation();
      this.#go(path);
      return true;
    }
    this.#until = event.key === 'g' ? event.timeStamp + patience : 0;
    return false;
  }

  /** typing reports whether a key is text that the reader writes. */
  typing(event: KeyboardEvent): boolean {
    return isTyping(event.target);
  }
}

function isTyping(target: EventTarget | null): boolean {
  const at = target instanceof Element ? target : null;
  return at?.closest('input, textarea, select, [contenteditable], dialog, [role=dialog]') != null;
}

/**
 * press does what a key means, and reports whether it meant anything. Without
 * single keys (WCAG 2.1.4) only those that are no character do: arrows, Home and Esc.
 */
export function press(event: KeyboardEvent, single: boolean, keys: Keys): boolean {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return false;
  if (!single && event.key.length === 1) return false;
  const target = event.target instanceof Element ? event.target : null;
  if (isTyping(target)) return false;
  // Arrows, Home and Space also scroll the panel.
  const free = target === null || target === document.body || target.closest('.scroller') !== null;
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
    o: keys.unfold,
    ']': () => keys.day(1),
    '[': () => keys.day(-1),
    p: keys.person,
    m: keys.message,
    h: keys.human,
    s: keys.save,
    '.': keys.menu,
    u: keys.mute,
    w: keys.why,
    '?': keys.help,
    Escape: keys.escape,
  };
  const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!action) return false;
  event.preventDefault();
  action();
  return true;
}
