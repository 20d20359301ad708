import type { Delivery, DeliveryTry, Endpoint, EndpointKind } from '../api/types';

export const kindNames: Record<EndpointKind, string> = {
  webhook: 'Webhook',
  slack: 'Slack',
  teams: 'Teams',
  mail: 'E-mail',
};

/** Moments writes a time as the reader’s clock has it. */
interface Moments {
  moment(iso: string): string;
}

export interface HealthWords {
  text: string;
  why: string;
  look: 'plain' | 'danger' | 'quiet';
}

/** healthOf says in a word how an endpoint does, and why in a sentence. */
export function healthOf(endpoint: Endpoint, clock: Moments): HealthWords {
  const { mode, until, why = '' } = endpoint.health;
  if (endpoint.locked) return { text: 'locked', why: 'Enter its secrets again.', look: 'danger' };
  if (!endpoint.enabled) return { text: 'off', why: '', look: 'quiet' };
  if (mode === 'paused' && until) {
    return { text: `paused until ${clock.moment(until)}`, why, look: 'danger' };
  }
  return { text: mode, why, look: mode === 'ok' ? 'plain' : 'danger' };
}

/** tryOf says what came of one try. */
export function tryOf(one: DeliveryTry): string {
  const took = `after ${one.milliseconds} ms`;
  const answer = one.answer ? `: ${one.answer}` : '';
  if (one.error) return `${one.error}, ${took}`;
  return `answered ${one.status ?? 'nothing'} ${took}${answer}`;
}

/** outcomeOf says what came of a test. */
export function outcomeOf(name: string, test: DeliveryTry & { ok: boolean }): string {
  return `${name} ${test.ok ? 'took the test' : 'did not take the test'}: ${tryOf(test)}.`;
}

/** stateOf says how far a delivery has come. */
export function stateOf(delivery: Delivery, clock: Moments): string {
  const again = delivery.replay ? ', sent again' : '';
  if (delivery.state === 'waiting' && delivery.due && delivery.tries.length > 0) {
    return `tried next ${clock.moment(delivery.due)}${again}`;
  }
  return `${delivery.state}${delivery.why ? `, ${delivery.why}` : ''}${again}`;
}
