import type { Invitation, Key, KeyRequest, Member, PersonRole, Team } from '../api/types';
import { t } from '../i18n/rest';

/** What the roles of people are called, and what they may do. */
export const roles: Record<PersonRole, { name: string; may: string }> = {
  viewer: { name: t.access.viewer, may: t.access.seesTheirOwnAndTheir },
  member: { name: t.access.member, may: t.access.alsoOverridesVerdictsKeepsNotes },
  lead: { name: t.access.lead2, may: t.access.aMemberWhoMayLead },
  support: { name: t.access.support, may: t.access.looksAfterDeliveriesWithoutWhat },
  auditor: { name: t.access.auditor, may: t.access.readsTheAuditLogAnd },
  integrator: {
    name: t.access.integrator,
    may: t.access.setsUpSourcesAndEndpoints,
  },
  admin: { name: t.access.admin, may: t.access.seesTheWholeWorkspaceAnd },
};

export const roleNames = Object.keys(roles) as readonly PersonRole[];

export type Scope = NonNullable<KeyRequest['scopes']>[number];

/** What the scopes of keys let them do. */
export const scopes: Record<Scope, string> = {
  'events:write': t.access.sendEvents,
  'feed:read': t.access.readTheFeed,
  'stats:read': t.access.readStatistics,
  export: t.access.export,
  'rules:write': t.access.keepSearchesAndNotes,
  'notifications:read': t.access.readNotifications,
  scim: t.access.keepPeopleScim,
  'audit:read': t.access.readTheAuditLog,
  admin: t.access.doEverything,
};

export const scopeNames = Object.keys(scopes) as readonly Scope[];

const reading = ['feed:read', 'stats:read', 'export', 'rules:write', 'notifications:read'];

/** mayOf is what a key may do, in words. */
export function mayOf(key: Pick<Key, 'scopes'>): string {
  const all = reading.every((scope) => key.scopes.includes(scope));
  const words = key.scopes
    .filter((scope) => !all || !reading.includes(scope))
    .map((scope) => scopes[scope as Scope] ?? scope);
  if (all) words.unshift(t.access.read);
  return words.join(', ');
}

/** Where a key may come from and what it may send, where that is bounded. */
export function boundsOf(key: Pick<Key, 'sources' | 'networks'>): string {
  const parts: string[] = [];
  if (key.sources?.length) parts.push(t.access.only(listed(key.sources)));
  if (key.networks?.length) parts.push(t.access.onlyFrom(listed(key.networks)));
  return parts.join(', ');
}

const day = 24 * 60 * 60 * 1000;

/** How near the end of a key is when it is pointed out. */
const near = 30 * day;

/** endOf says when a key ends, and whether that is soon. */
export function endOf(
  key: Pick<Key, 'ends' | 'overlap'>,
  now: number,
  date: (iso: string) => string,
): { text: string; soon: boolean } {
  if (key.ends === null) return { text: t.access.noEnd, soon: false };
  const left = Date.parse(key.ends) - now;
  if (left <= 0) return { text: t.access.ended(date(key.ends)), soon: true };
  return { text: t.access.ends(date(key.ends)), soon: left < near };
}

/** What may be chosen as the end of a key. */
export const lives = [
  { value: 365, label: t.access.inAYear },
  { value: 90, label: t.access.in90Days },
  { value: 30, label: t.access.in30Days },
  { value: 7, label: t.access.in7Days },
  { value: 0, label: t.shared.never },
] as const;

/** endsIn is the end of a key that is to live so many days; 0 is for ever. */
export function endsIn(days: number, now: number): string {
  return days === 0 ? 'never' : new Date(now + days * day).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** split reads names that are separated by commas or spaces. */
export const split = (text: string) => text.split(/[\s,;]+/).filter(Boolean);

/** browserOf says what is signed in, from how a browser calls itself. */
export function browserOf(agent: string | undefined): string {
  if (!agent) return t.access.unknownBrowser;
  const browsers: [RegExp, string][] = [
    [/Edg(e|A|iOS)?\//, 'Edge'],
    [/OPR\//, 'Opera'],
    [/SamsungBrowser\//, 'Samsung Internet'],
    [/(Firefox|FxiOS)\//, 'Firefox'],
    [/(Chrome|Chromium|CriOS)\//, 'Chrome'],
    [/Version\/.*Safari\//, 'Safari'],
    [/^curl\//, 'curl'],
  ];
  const systems: [RegExp, string][] = [
    [/iPhone|iPod/, 'iPhone'],
    [/iPad/, 'iPad'],
    [/Android/, 'Android'],
    [/CrOS/, 'ChromeOS'],
    [/Windows/, 'Windows'],
    [/Mac OS X|Macintosh/, 'Mac'],
    [/Linux|X11/, 'Linux'],
  ];
  const browser = browsers.find(([pattern]) => pattern.test(agent))?.[1];
  const system = systems.find(([pattern]) => pattern.test(agent))?.[1];
  if (!browser) return system ?? agent.slice(0, 40);
  return system ? t.access.on(browser, system) : browser;
}

/** teamID is an id for a new team that no other one has: t_ and its name in plain letters. */
export function teamID(name: string, taken: readonly string[]): string {
  const plain = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .slice(0, 40);
  const id = `t_${plain || 'team'}`;
  if (!taken.includes(id)) return id;
  for (let n = 2; ; n++) if (!taken.includes(`${id}_${n}`)) return `${id}_${n}`;
}

/** teamsOf are the names of the teams that somebody is in; a lead is said to be one. */
export function teamsOf(id: string, teams: readonly Team[]): string {
  return teams
    .filter((team) => team.members.includes(id))
    .map((team) => (team.leads?.includes(id) ? t.access.lead(team.name) : team.name))
    .join(', ');
}

/** without takes somebody out of a list, and withOne puts them in. */
export const without = (list: readonly string[], id: string) => list.filter((one) => one !== id);
export const withOne = (list: readonly string[], id: string) => [...without(list, id), id];

/** findPeople are those whose name, address or id has what was typed; who may not come in is last. */
export function findPeople(users: readonly Member[], typed: string): Member[] {
  const words = typed.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const has = (user: Member) => {
    const text = [user.name, user.id, ...user.emails].join(' ').toLowerCase();
    return words.every((word) => text.includes(word));
  };
  const out = (user: Member) => Number(user.state === 'suspended');
  return users.filter(has).sort((a, b) => out(a) - out(b) || a.name.localeCompare(b.name));
}

/** counted says how many people there are, and what is odd about some. */
export function counted(users: readonly Member[], invited: readonly Invitation[]): string {
  const suspended = users.filter(({ state }) => state === 'suspended').length;
  const parts = [users.length === 1 ? t.access.n1Person : t.access.people(users.length)];
  if (suspended > 0) parts.push(t.access.suspended2(suspended));
  if (invited.length > 0) parts.push(t.access.invited(invited.length));
  return parts.join(', ');
}

/** explained is what the server refused, with what can be done about it. */
export function explained(problem: string): string {
  if (/last admin/.test(problem)) return t.access.thisIsTheLastAdmin;
  if (/has changed/.test(problem)) return t.access.somebodyElseChangedThisMeanwhile;
  return problem;
}

function listed(all: readonly string[]): string {
  return all.length < 2
    ? all.join('')
    : t.access.and(all.slice(0, -1).join(', '), all.at(-1) ?? '');
}
