/** The shapes of docs/api.md that the page reads. */

export const eventTypes = [
  'send',
  'delivery',
  'open',
  'click',
  'download',
  'reply',
  'meeting',
  'bounce',
  'complaint',
  'unsubscribe',
  'custom',
] as const;

export type EventType = (typeof eventTypes)[number];

export type Automated = 'hide' | 'show' | 'only';

export interface User {
  id: string;
  name?: string;
}

export interface Person {
  email: string;
  name?: string;
}

export interface Recipient extends Person {
  /** null: not opened. Absent: opened, at a time that is no longer kept. */
  opened?: string | null;
  clicked?: string;
  downloaded?: string;
  replied?: string;
  bounced?: string;
  delivered?: string;
}

export interface Verdict {
  is: 'human' | 'machine' | 'unknown';
  rule?: string;
  by?: 'rule' | 'provider' | 'person';
}

export interface Item {
  /** 26 characters; text order is time order. */
  id: string;
  type: EventType;
  time: string;
  message: string;
  user?: User;
  subject?: string;
  /** Absent on sends. */
  person?: Person;
  /** On sends alone, as is unopened. */
  recipients?: Recipient[];
  unopened?: number;
  verdict?: Verdict;
  kind?: string;
  title?: string;
  link?: string;
  file?: string;
  snippet?: string;
  meeting?: { title?: string; start?: string; answer?: 'yes' | 'no' | 'maybe' };
  bounce?: { kind?: string; detail?: string };
  source?: string;
  /** What the query matched: by field, spans in Unicode code points. */
  highlights?: Record<string, [number, number][]>;
}

export interface Chip {
  field: string;
  value: string;
  not?: boolean;
  text?: string;
  /** Where in the text it was read, in Unicode code points. */
  span?: [number, number];
  group?: number;
}

export interface Understood {
  chips: Chip[];
  words?: string;
  meant?: string;
  did_you_mean?: string;
  notes?: string[];
}

export interface Page {
  items: Item[];
  next: string | null;
  /** How far back this page has looked. */
  reached: string;
  query: Understood;
  /** Subscribe from here to miss nothing. */
  live?: string;
}

export interface Timeline {
  items: Item[];
  next: string | null;
}

export interface Message {
  message: string;
  user?: User;
  subject?: string;
  /** Absent while the send itself is not known. */
  sent?: string;
  recipients: Recipient[];
  unopened: number;
  v: number;
}

export interface Session {
  workspace: string;
  role: string;
  user?: User;
  csrf: string;
}

/** RFC 9457. */
export interface Problem {
  title?: string;
  status?: number;
  detail?: string;
  errors?: { location?: string; message?: string }[];
}
