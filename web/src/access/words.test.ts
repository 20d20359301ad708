import { describe, expect, it } from 'vitest';
import type { Member, Team } from '../api/types';
import {
  boundsOf,
  browserOf,
  counted,
  endOf,
  endsIn,
  explained,
  findPeople,
  mayOf,
  split,
  teamID,
  teamsOf,
  withOne,
} from './words';

const now = Date.parse('2026-11-29T12:00:00Z');
const person = (id: string, name: string, more: Partial<Member> = {}): Member => ({
  id,
  name,
  emails: [`${id}@a.example`],
  rev: 1,
  ...more,
});

describe('a key', () => {
  it('says what it may do', () => {
    const read = ['feed:read', 'stats:read', 'export', 'rules:write', 'notifications:read'];
    expect(mayOf({ scopes: ['events:write'] })).toBe('send events');
    expect(mayOf({ scopes: read })).toBe('read');
    expect(mayOf({ scopes: [...read, 'audit:read'] })).toBe('read, read the audit log');
    expect(mayOf({ scopes: ['feed:read', 'new:one'] })).toBe('read the feed, new:one');
  });

  it('says where it is bounded', () => {
    expect(boundsOf({})).toBe('');
    expect(boundsOf({ sources: ['crm', 'esp'], networks: ['192.0.2.0/24'] })).toBe(
      'only crm and esp, only from 192.0.2.0/24',
    );
  });

  it('says when it ends', () => {
    const date = (iso: string) => iso.slice(0, 10);
    expect(endOf({ ends: null }, now, date)).toEqual({ text: 'no end', soon: false });
    expect(endOf({ ends: '2027-11-29T12:00:00Z' }, now, date).soon).toBe(false);
    expect(endOf({ ends: '2026-12-03T12:00:00Z' }, now, date)).toEqual({
      text: 'ends 2026-12-03',
      soon: true,
    });
    expect(endOf({ ends: '2026-11-01T12:00:00Z' }, now, date).text).toBe('ended 2026-11-01');
    expect(endsIn(30, now)).toBe('2026-12-29T12:00:00Z');
    expect(endsIn(0, now)).toBe('never');
  });
});

describe('a session', () => {
  const cases: [string | undefined, string][] = [
    [undefined, 'Unknown browser'],
    ['Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0', 'Firefox on Linux'],
    [
      'Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/130.0 Safari/537.36 Edg/130.0',
      'Edge on Windows',
    ],
    [
      'Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36',
      'Chrome on Android',
    ],
    [
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile/1 Safari/604.1',
      'Safari on iPhone',
    ],
    [
      'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.0 Safari/605.1.15',
      'Safari on Mac',
    ],
    ['curl/8.5.0', 'curl'],
    ['Go-http-client/1.1', 'Go-http-client/1.1'],
  ];
  it.each(cases)('%s', (agent, told) => expect(browserOf(agent)).toBe(told));
});

describe('teams', () => {
  it('get an id of their name that no other has', () => {
    expect(teamID('Sales EMEA', [])).toBe('t_sales_emea');
    expect(teamID('Vertrieb Süd', ['t_vertrieb_sud'])).toBe('t_vertrieb_sud_2');
    expect(teamID('営業', ['t_team', 't_team_2'])).toBe('t_team_3');
  });

  it('are said of somebody', () => {
    const teams: Team[] = [
      { id: 't_a', name: 'Sales', members: ['u_ana', 'u_ben'], leads: ['u_ana'] },
      { id: 't_b', name: 'Success', members: ['u_ana'] },
    ];
    expect(teamsOf('u_ana', teams)).toBe('Sales (lead), Success');
    expect(teamsOf('u_cleo', teams)).toBe('');
    expect(withOne(['u_ana'], 'u_ana')).toEqual(['u_ana']);
  });
});

describe('people', () => {
  const ana = person('u_ana', 'Ana Moreira');
  const ben = person('u_ben', 'Ben Adeyemi', { state: 'suspended' });
  const zoe = person('u_zoe', 'Zoe Lind', { emails: ['zl@harbour.example'] });

  it('are found by what was typed, those who may not come in last', () => {
    expect(findPeople([ben, zoe, ana], '')).toEqual([ana, zoe, ben]);
    expect(findPeople([ben, zoe, ana], 'harbour zo')).toEqual([zoe]);
    expect(findPeople([ben, zoe, ana], 'nobody')).toEqual([]);
  });

  it('are counted', () => {
    expect(counted([ana], [])).toBe('1 person');
    expect(counted([ana, ben], [])).toBe('2 people, 1 suspended');
  });

  it('are told why something was refused', () => {
    expect(explained('this is the last admin of the workspace')).toMatch(/make somebody else/);
    expect(explained('the name is too long')).toBe('the name is too long');
    expect(split('a@b.example, c@d.example;e')).toHaveLength(3);
  });
});
