import { describe, expect, it } from 'vitest';
import type { Delivery, Endpoint } from '../api/types';
import { crmRequest, emptyCrm, healthOf, outcomeOf, stateOf, stepsOf } from './words';

const clock = { moment: (iso: string) => iso.slice(11, 16) };
const endpoint: Endpoint = {
  name: 'crm',
  kind: 'webhook',
  enabled: true,
  health: { mode: 'ok' },
  waiting: 0,
  secrets: 1,
  created: '2026-11-16T12:00:00Z',
  changed: '2026-11-16T12:00:00Z',
};

describe('an endpoint', () => {
  it('says how it does', () => {
    expect(healthOf(endpoint, clock).text).toBe('ok');
    expect(healthOf({ ...endpoint, enabled: false }, clock).text).toBe('off');
    expect(healthOf({ ...endpoint, locked: true }, clock).look).toBe('danger');
    const health = {
      mode: 'paused',
      until: '2026-11-16T12:30:00Z',
      why: 'it answered 500',
    } as const;
    expect(healthOf({ ...endpoint, health }, clock)).toEqual({
      text: 'paused until 12:30',
      why: 'it answered 500',
      look: 'danger',
    });
  });

  it('says what came of a test', () => {
    const at = '2026-11-16T12:00:00Z';
    expect(outcomeOf('crm', { ok: true, at, milliseconds: 12, status: 204 })).toBe(
      'crm took the test: answered 204 after 12 ms.',
    );
    expect(outcomeOf('crm', { ok: false, at, milliseconds: 3, error: 'call: refused' })).toBe(
      'crm did not take the test: call: refused, after 3 ms.',
    );
  });

  it('says how far a delivery has come', () => {
    const at = '2026-11-16T12:00:00Z';
    const one: Delivery = { id: 'd', state: 'sent', type: 'open', reason: 'search', at, tries: [] };
    expect(stateOf(one, clock)).toBe('sent');
    expect(stateOf({ ...one, state: 'failed', why: 'the last try failed' }, clock)).toBe(
      'failed, the last try failed',
    );
    const tries = [{ at, milliseconds: 1, status: 500 }];
    expect(stateOf({ ...one, state: 'waiting', due: '2026-11-16T12:05:00Z', tries }, clock)).toBe(
      'tried next 12:05',
    );
  });
});

describe('a CRM', () => {
  const form = { ...emptyCrm, token: ' pat-1 ', group: '17', event: 'pe1_opened' };
  it('is asked for by its steps, the person first', () => {
    expect(crmRequest('hubspot', form)).toEqual({
      token: 'pat-1',
      steps: [
        { ensure: 'person' },
        { ensure: 'member', of: '17' },
        { ensure: 'event', of: 'pe1_opened' },
      ],
    });
    expect(
      crmRequest('salesforce', { ...form, address: 'https://a.example', event: 'yes', group: '' }),
    ).toEqual({
      url: 'https://a.example',
      client_id: '',
      client_secret: '',
      steps: [{ ensure: 'person' }, { ensure: 'event' }],
    });
  });
  it('says what it makes sure of', () => {
    const steps = crmRequest('hubspot', form).steps ?? [];
    expect(stepsOf({ ...endpoint, kind: 'hubspot', steps })).toBe(
      'person, member of 17, event pe1_opened',
    );
    expect(stepsOf(endpoint)).toBe('');
  });
});
