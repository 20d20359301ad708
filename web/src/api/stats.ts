import type { EventType, Understood, User } from './types';

export interface Totals {
  events: number;
  types: Partial<Record<EventType, number>>;
}
export interface Unique {
  recipients: number;
  opens: number;
  clicks: number;
  replies: number;
  bounces: number;
}
export interface Rate {
  rate: number | null;
  count: number;
  of: number;
}
export interface Rates {
  open: Rate;
  click: Rate;
  reply: Rate;
  bounce: Rate;
}
export interface Point {
  start: string;
  events: number;
  types: Partial<Record<EventType, number>>;
}
export interface Ranked {
  name: string;
  events: number;
}
export interface Stats {
  since: string;
  until: string;
  partial: boolean;
  reached: string;
  approximate: string[];
  query: Understood;
  totals?: Totals;
  unique?: Unique;
  rates?: Rates;
  automated?: { opens: number; clicks: number; of: number; share: number | null };
  series?: { interval: 'hour' | 'day' | 'week'; points: Point[] };
  heatmap?: number[][];
  recipients?: Ranked[];
  domains?: Ranked[];
  links?: Ranked[];
  messages?: { message: string; subject?: string; sent?: string; events: number }[];
  users?: { user?: User; events: number; types: Partial<Record<EventType, number>> }[];
  previous?: {
    since: string;
    until: string;
    partial: boolean;
    totals: Totals;
    unique?: Unique;
    rates?: Rates;
  };
}
