import type { Delivery, DeliveryTry, Endpoint, EndpointKind, EndpointRequest } from '../api/types';
import { t } from '../i18n/rest';

export const kindNames: Record<EndpointKind, string> = {
  webhook: t.endpoints.webhook,
  slack: 'Slack',
  teams: t.shared.teams,
  mail: t.common.eMail,
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

/** stepsOf says what is made sure of, in a line. */
export function stepsOf(endpoint: Endpoint): string {
  return (endpoint.steps ?? [])
    .map((one) => t.endpoints.steps[one.ensure](one.of ?? ''))
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
  if (endpoint.locked)
    return { text: t.endpoints.locked, why: t.endpoints.enterItsSecretsAgain, look: 'danger' };
  if (!endpoint.enabled) return { text: t.endpoints.off, why: '', look: 'quiet' };
  if (mode === 'paused' && until) {
    return { text: t.endpoints.pausedUntil(clock.moment(until)), why, look: 'danger' };
  }
  return { text: t.endpoints.modes[mode], why, look: mode === 'ok' ? 'plain' : 'danger' };
}

/** tryOf says what came of one try. */
export function tryOf(one: DeliveryTry): string {
  const took = t.endpoints.afterMs(one.milliseconds);
  const answer = one.answer ? `: ${one.answer}` : '';
  if (one.error) return `${one.error}, ${took}`;
  const said = one.status
    ? t.endpoints.answered(one.status, took)
    : t.endpoints.answeredNothing(took);
  return `${said}${answer}`;
}

/** outcomeOf says what came of a test. */
export function outcomeOf(name: string, test: DeliveryTry & { ok: boolean }): string {
  return test.ok
    ? t.endpoints.tookTest(name, tryOf(test))
    : t.endpoints.refusedTest(name, tryOf(test));
}

/** stateOf says how far a delivery has come. */
export function stateOf(delivery: Delivery, clock: Moments): string {
  const again = delivery.replay ? t.endpoints.sentAgain : '';
  if (delivery.state === 'waiting' && delivery.due && delivery.tries.length > 0) {
    return t.endpoints.triedNext(clock.moment(delivery.due), again);
  }
  const state = t.endpoints.states[delivery.state];
  return `${state}${delivery.why ? `, ${delivery.why}` : ''}${again}`;
}
