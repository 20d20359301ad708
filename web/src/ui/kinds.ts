import Activity from '@lucide/svelte/icons/activity';
import CalendarCheck from '@lucide/svelte/icons/calendar-check';
import Download from '@lucide/svelte/icons/download';
import Eye from '@lucide/svelte/icons/eye';
import Flag from '@lucide/svelte/icons/flag';
import MailCheck from '@lucide/svelte/icons/mail-check';
import MailMinus from '@lucide/svelte/icons/mail-minus';
import MailX from '@lucide/svelte/icons/mail-x';
import MousePointerClick from '@lucide/svelte/icons/mouse-pointer-click';
import Reply from '@lucide/svelte/icons/reply';
import Send from '@lucide/svelte/icons/send';
import type { EventType } from '../api/types';
import { t } from '../i18n/first';

/** How a type of event looks and is called. */
export interface Kind {
  icon: typeof Activity;
  /** What several of them are called. */
  plural: string;
  ink: string;
  tint: string;
}

/** What is yours is grey, what people do has colour, trouble is red. */
export const kinds: Record<EventType, Kind> = {
  send: {
    icon: Send,
    plural: t.common.sends,
    ink: 'text-(--ev-send)',
    tint: 'bg-(--ev-send-tint)',
  },
  open: {
    icon: Eye,
    plural: t.ui.opens,
    ink: 'text-(--ev-open)',
    tint: 'bg-(--ev-open-tint)',
  },
  click: {
    icon: MousePointerClick,
    plural: t.ui.clicks,
    ink: 'text-(--ev-click)',
    tint: 'bg-(--ev-click-tint)',
  },
  reply: {
    icon: Reply,
    plural: t.ui.replies,
    ink: 'text-(--ev-reply)',
    tint: 'bg-(--ev-reply-tint)',
  },
  download: {
    icon: Download,
    plural: t.ui.downloads,
    ink: 'text-(--ev-download)',
    tint: 'bg-(--ev-download-tint)',
  },
  meeting: {
    icon: CalendarCheck,
    plural: t.ui.meetings,
    ink: 'text-(--ev-meeting)',
    tint: 'bg-(--ev-meeting-tint)',
  },
  bounce: {
    icon: MailX,
    plural: t.ui.bounces,
    ink: 'text-(--ev-bounce)',
    tint: 'bg-(--ev-bounce-tint)',
  },
  delivery: {
    icon: MailCheck,
    plural: t.ui.deliveries,
    ink: 'text-(--ev-delivery)',
    tint: 'bg-(--ev-delivery-tint)',
  },
  complaint: {
    icon: Flag,
    plural: t.ui.complaints,
    ink: 'text-(--ev-bounce)',
    tint: 'bg-(--ev-bounce-tint)',
  },
  unsubscribe: {
    icon: MailMinus,
    plural: t.ui.unsubscribes,
    ink: 'text-(--ev-bounce)',
    tint: 'bg-(--ev-bounce-tint)',
  },
  custom: {
    icon: Activity,
    plural: t.common.other,
    ink: 'text-(--ev-send)',
    tint: 'bg-(--ev-send-tint)',
  },
};

/** The order in which types are offered. */
export const offered = Object.keys(kinds) as EventType[];
