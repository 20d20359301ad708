import type { EventDetail } from '../api/types';

/** Why an event counts as it does, in words. */
export interface Reason {
  /** What was measured. */
  claim: string;
  /** What would be usual. */
  usual: string;
}

const reasons: Record<string, Reason> = {
  provider: {
    claim: 'The mail provider marked it as automated',
    usual: 'Providers know the networks of scanners and proxies',
  },
  prefetch: {
    claim: 'The request said that it was fetched ahead',
    usual: 'A person’s own view doesn’t announce itself so',
  },
  'scanner-agent': {
    claim: 'Came from a mail scanner or another program',
    usual: 'People’s mail programs name themselves',
  },
  'scanner-network': {
    claim: 'Came from the network of a mail-security gateway',
    usual: 'Such networks fetch every picture and link',
  },
  'scanner-domain': {
    claim: 'Came from a network that is a scanner of the recipient’s company',
    usual: 'A colleague has said so, in the settings',
  },
  'apple-proxy': {
    claim: 'Came through Apple’s mail privacy proxy',
    usual: 'It fetches pictures whether or not anyone reads',
  },
  'gmail-prefetch': {
    claim: 'Fetched ahead by Gmail',
    usual: 'Gmail loads some pictures before anyone looks',
  },
  'too-soon': {
    claim: 'Came within seconds of the delivery',
    usual: 'People take 10 s or more to open, 5 s to click',
  },
  burst: {
    claim: 'Several links were followed within 3 s',
    usual: 'Nobody reads that fast',
  },
  self: {
    claim: 'Came from the sender’s own address or network',
    usual: 'What you do with your own mail isn’t counted',
  },
};

/** reasonOf explains the rule that spoke. A rule of a later server is named. */
export function reasonOf(rule: string | undefined): Reason {
  return reasons[rule ?? ''] ?? { claim: `The rule “${rule ?? 'unknown'}” spoke`, usual: '' };
}

/** How sure a rule is, in words. */
export function certainty(rule: string | undefined): string {
  return rule === 'too-soon' || rule === 'gmail-prefetch' || rule === 'self'
    ? 'Likely automated'
    : 'Very likely automated';
}

/** agentOf is the agent as people may recognise it. */
export function agentOf(detail: EventDetail): string | null {
  const agent = detail.evidence?.user_agent;
  if (agent === undefined) return null;
  return agent === '' ? 'sent an empty name' : agent;
}
