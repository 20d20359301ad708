import type {
  Automated,
  Decision,
  EventType,
  Item,
  Problem,
  Recipient,
  Understood,
} from '../api/types';

/** The structured filters of a query, as the socket takes them. */
export interface Filters {
  type?: EventType[];
  automated?: Automated;
  user?: string[];
}

/** What the page says on the socket. */
export type ClientFrame =
  | {
      op: 'subscribe';
      id: string;
      q: string;
      since?: string;
      tz: string;
      filters: Filters;
      shows?: string[];
    }
  | { op: 'subscribe'; id: string; since?: string; to: 'notifications' }
  /** Messages of a page that was read after a position: their state comes from there on. */
  | { op: 'shows'; id: string; since: string; shows: string[] }
  | { op: 'unsubscribe'; id: string };

/** What the server says on the socket. Later versions may say more. */
export type ServerFrame =
  | { op: 'subscribed'; id: string; query?: Understood; unread?: number; at?: string }
  /** Nothing to tell, but the position moved on. */
  | { op: 'at'; at: string }
  | { op: 'event'; id: string; item: Item; at: string }
  | { op: 'changed'; id: string; item: Item; at: string }
  | {
      op: 'state';
      message: string;
      recipients: Recipient[];
      rest?: { count: number };
      unopened: number;
      v: number;
      at: string;
    }
  | {
      op: 'notification' | 'withdrawn';
      id: string;
      notification: Decision;
      unread: number;
      at: string;
    }
  /** ids were read, all where they are absent. */
  | { op: 'read'; id: string; ids?: string[]; unread: number; at: string }
  /** With an id it has left that subscription alone. */
  | { op: 'gone'; item: string; id?: string; at: string }
  | { op: 'reset'; id: string; reason?: string }
  | { op: 'error'; id?: string; problem?: Problem };

const ops = [
  'subscribed',
  'at',
  'event',
  'changed',
  'state',
  'notification',
  'withdrawn',
  'read',
  'gone',
  'reset',
  'error',
];

/** parseFrame reads a frame; null is one that this page does not understand. */
export function parseFrame(text: unknown): ServerFrame | null {
  if (typeof text !== 'string') return null;
  try {
    const frame: unknown = JSON.parse(text);
    if (typeof frame !== 'object' || frame === null || !('op' in frame)) return null;
    return ops.includes(String(frame.op)) ? (frame as ServerFrame) : null;
  } catch {
    return null;
  }
}

/** Close codes of the socket, from docs/api.md. */
export const closed = {
  restarting: 1012,
  signedOut: 4401,
  tooSlow: 4408,
  tooMany: 4429,
} as const;
