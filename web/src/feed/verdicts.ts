import type { EventDetail } from '../api/types';
import { t } from '../i18n/rest';

/** Why an event counts as it does, in words. */
export interface Reason {
  /** What was measured. */
  claim: string;
  /** What would be usual. */
  usual: string;
}

const reasons: Record<string, Reason> = {
  provider: {
    claim: t.panel.theMailProviderMarkedIt,
    usual: t.panel.providersKnowTheNetworksOf,
  },
  prefetch: {
    claim: t.panel.theRequestSaidThatIt,
    usual: t.panel.aPersonsOwnViewDoesnt,
  },
  'scanner-agent': {
    claim: t.panel.cameFromAMailScanner,
    usual: t.panel.peoplesMailProgramsNameThemselves,
  },
  'scanner-network': {
    claim: t.panel.cameFromTheNetworkOf,
    usual: t.panel.suchNetworksFetchEveryPicture,
  },
  'scanner-domain': {
    claim: t.panel.cameFromANetworkThat,
    usual: t.panel.aColleagueHasSaidSo,
  },
  'apple-proxy': {
    claim: t.panel.cameThroughApplesMailPrivacy,
    usual: t.panel.itFetchesPicturesWhetherOr,
  },
  'gmail-prefetch': {
    claim: t.panel.fetchedAheadByGmail,
    usual: t.panel.gmailLoadsSomePicturesBefore,
  },
  'too-soon': {
    claim: t.panel.cameWithinSecondsOfThe,
    usual: t.panel.peopleTake10SOr,
  },
  burst: {
    claim: t.panel.severalLinksWereFollowedWithin,
    usual: t.panel.nobodyReadsThatFast,
  },
  self: {
    claim: t.panel.cameFromTheSendersOwn,
    usual: t.panel.whatYouDoWithYour,
  },
};

/** reasonOf explains the rule that spoke. A rule of a later server is named. */
export function reasonOf(rule: string | undefined): Reason {
  return reasons[rule ?? ''] ?? { claim: t.panel.ruleSpoke(rule ?? '?'), usual: '' };
}

/** How sure a rule is, in words. */
export function certainty(rule: string | undefined): string {
  return rule === 'too-soon' || rule === 'gmail-prefetch' || rule === 'self'
    ? t.panel.likelyAutomated
    : t.panel.veryLikelyAutomated;
}

/** agentOf is the agent as people may recognise it. */
export function agentOf(detail: EventDetail): string | null {
  const agent = detail.evidence?.user_agent;
  if (agent === undefined) return null;
  return agent === '' ? t.panel.sentAnEmptyName : agent;
}
