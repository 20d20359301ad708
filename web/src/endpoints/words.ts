import type { Delivery, DeliveryTry, Endpoint, EndpointKind, EndpointRequest } from '../api/types';

export const kindNames: Record<EndpointKind, string> = {
  webhook: 'Webhook',
  slack: 'Slack',
  teams: 'Teams',
  mail: 'E-mail',
  hubspot: 'HubSpot',
  salesforce: 'Salesforce',
};

/** What of a CRM’s account is asked for. */
export interface CrmForm {
  address: string;
  token: string;
  clientId: string;
  clientSecret: string;
  /** The id of a list or a campaign, or none. */
  group: string;
  /** The name of HubSpot’s event, or whether Salesforce gets a task. */
  event: string;
}

export const emptyCrm: CrmForm = {
  address: '',
  token: '',
  clientId: '',
  clientSecret: '',
  group: '',
  event: '',
};

export const isCrm = (kind: EndpointKind) => kind === 'hubspot' || kind === 'salesforce';

/** crmRequest is what a form asks for: a person, and what else was filled in. */
export function crmRequest(kind: EndpointKind, form: CrmForm): Partial<EndpointRequest> {
  const steps: EndpointRequest['steps'] = [{ ensure: 'person' }];
  const group = form.group.trim();
  const event = form.event.trim();
  if (group) steps.push({ ensure: 'member', of: group });
  if (kind === 'salesforce') {
    if (event) steps.push({ ensure: 'event' });
    const { clientId, clientSecret } = form;
    const secrets = { client_id: clientId.trim(), client_secret: clientSecret.trim() };
    return { url: form.address.trim(), ...secrets, steps };
  }
  if (event) steps.push({ ensure: 'event', of: event });
  return { token: form.token.trim(), steps };
}

const stepNames = { person: 'person', member: 'member of', event: 'event' };

/** stepsOf says what is made sure of, in a line. */
export function stepsOf(endpoint: Endpoint): string {
  return (endpoint.steps ?? [])
    .map((one) => `${stepNames[one.ensure]} ${one.of ?? ''}`.trim())
    .join(', ');
}

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
