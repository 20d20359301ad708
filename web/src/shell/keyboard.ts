import type { Path } from '../app.svelte';
import { t } from '../i18n/first';

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
    group: t.shell.move,
    keys: [
      { what: t.shell.nextPreviousRow, keys: ['J', 'K'] },
      { what: t.shell.openTheMessage, keys: ['Enter'] },
      { what: t.shell.closePanelOrClear, keys: ['Esc'] },
      { what: t.shell.unfoldRepeats, keys: ['O'] },
      { what: t.shell.moreOfThisRow, keys: ['.'] },
      { what: t.shell.nextPreviousDay, keys: [']', '['] },
      { what: t.shell.newest, keys: ['Home'] },
    ],
  },
  {
    group: t.common.live,
    keys: [
      { what: t.shell.pauseOrResume, keys: [t.shell.space] },
      { what: t.shell.showWhatsNew, keys: ['N'] },
      { what: t.common.thisWasAPerson, keys: ['H'] },
      { what: t.common.mute, keys: ['U'] },
      { what: t.common.whyWasIToldOr, keys: ['W'] },
    ],
  },
  {
    group: t.shell.search,
    keys: [
      { what: t.common.searchOrAsk, keys: ['/'] },
      { what: t.shell.commandPalette, keys: [t.shell.ctrl, 'K'] },
      { what: t.shell.filterByThisPerson, keys: ['P'] },
      { what: t.shell.filterByThisMessage, keys: ['M'] },
      { what: t.common.showAutomated, keys: ['A'] },
      { what: t.common.saveSearch, keys: ['S'] },
    ],
  },
  {
    group: t.shell.goTo,
    keys: [
      { what: t.common.feed, keys: ['G', 'F'] },
      { what: t.shell.nowWhoToCall, keys: ['G', 'C'] },
      { what: t.common.nudge, keys: ['G', 'U'] },
      { what: t.common.stats, keys: ['G', 'S'] },
      { what: t.common.notifications, keys: ['G', 'N'] },
      { what: t.common.settings, keys: ['G', ','] },
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
