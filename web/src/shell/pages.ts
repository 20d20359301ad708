import Activity from '@lucide/svelte/icons/activity';
import Bell from '@lucide/svelte/icons/bell';
import ChartColumn from '@lucide/svelte/icons/chart-column';
import MailWarning from '@lucide/svelte/icons/mail-warning';
import PhoneCall from '@lucide/svelte/icons/phone-call';
import Settings2 from '@lucide/svelte/icons/settings-2';
import Hourglass from '@lucide/svelte/icons/hourglass';
import type { App, Path } from '../app.svelte';
import { t } from '../i18n/first';

/** What the navigation offers. */
export interface Destination {
  path: Path;
  label: string;
  /** What there is room for on a phone. */
  short?: string;
  icon: typeof Activity;
}

/** destinations are the pages that this reader may see. */
export function destinations(app: App): Destination[] {
  const pages: Destination[] = [
    { path: '/', label: t.common.feed, icon: Activity },
    { path: '/now', label: t.common.now, icon: PhoneCall },
    { path: '/nudge', label: t.common.nudge, icon: Hourglass },
    { path: '/stats', label: t.common.stats, icon: ChartColumn },
    ...(app.bell.offered
      ? [
          {
            path: '/notifications',
            label: t.common.notifications,
            short: t.shell.alerts,
            icon: Bell,
          } as const,
        ]
      : []),
    { path: '/settings', label: t.common.settings, icon: Settings2 },
  ];
  if (app.admin)
    pages.push({ path: '/dead-letters', label: t.common.deadLetters, icon: MailWarning });
  return pages;
}

/** follow lets the page go where a link leads, unless the reader wants another tab. */
export function follow(event: MouseEvent, go: () => void): void {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  go();
}

/** freshOf is how much is new on a page: events that wait, and notifications that are unread. */
export function freshOf(app: App, path: Path): number {
  if (path === '/') return app.waiting;
  return path === '/notifications' ? app.bell.unread : 0;
}
