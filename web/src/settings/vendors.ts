import type { SourceRequest } from '../api/types';

/** How a vendor is called, what a source of theirs needs, and where that is in their settings. */
export interface Vendor {
  name: string;
  needs: string;
  where: string;
  /**
   * Who makes the secret: the vendor, who shows it once it has the address; we, for it to be entered
   * there, as a key or as user and password; or the vendor, before there is an address.
   */
  secret: 'theirs' | 'ours' | 'basic' | 'before';
}

/** As docs/sources.md has them: a provider that is not here is told nothing about. */
export const vendors: Record<string, Vendor> = {
  sendgrid: {
    name: 'SendGrid',
    needs: 'the verification key',
    where: 'Mail Settings, Event Webhook, Signature Verification',
    secret: 'theirs',
  },
  mailgun: {
    name: 'Mailgun',
    needs: 'the HTTP webhook signing key',
    where: 'Sending, Webhooks',
    secret: 'theirs',
  },
  postmark: {
    name: 'Postmark',
    needs: 'a user and password',
    where: 'Servers, Webhooks',
    secret: 'basic',
  },
  ses: {
    name: 'Amazon SES',
    needs: 'the ARN of the SNS topic',
    where: 'Configuration sets, Event destinations',
    secret: 'before',
  },
  resend: {
    name: 'Resend',
    needs: 'the signing secret, whsec_…',
    where: 'Webhooks',
    secret: 'theirs',
  },
  brevo: {
    name: 'Brevo',
    needs: 'a user and password',
    where: 'Transactional, Settings, Webhook',
    secret: 'basic',
  },
  mailjet: {
    name: 'Mailjet',
    needs: 'a user and password',
    where: 'Account, Event tracking',
    secret: 'basic',
  },
  mandrill: {
    name: 'Mandrill',
    needs: 'the webhook’s key',
    where: 'Settings, Webhooks',
    secret: 'theirs',
  },
  sparkpost: {
    name: 'SparkPost',
    needs: 'a user and password',
    where: 'Webhooks, Authentication',
    secret: 'basic',
  },
  mailersend: {
    name: 'MailerSend',
    needs: 'the signing secret',
    where: 'Domains, Webhooks',
    secret: 'theirs',
  },
  postal: {
    name: 'Postal',
    needs: 'the server’s public key, as in its DKIM record',
    where: 'Webhooks, Sign',
    secret: 'theirs',
  },
  calendly: {
    name: 'Calendly',
    needs: 'the subscription’s signing key',
    where: 'the API that makes the subscription',
    secret: 'ours',
  },
  calcom: {
    name: 'Cal.com',
    needs: 'the webhook’s secret',
    where: 'Settings, Developer, Webhooks',
    secret: 'ours',
  },
  hubspot: {
    name: 'HubSpot',
    needs: 'the app’s client secret',
    where: 'the app’s settings, Webhooks',
    secret: 'theirs',
  },
  pipedrive: {
    name: 'Pipedrive',
    needs: 'a user and password',
    where: 'Tools and apps, Webhooks',
    secret: 'basic',
  },
  greenhouse: {
    name: 'Greenhouse',
    needs: 'the webhook’s secret key',
    where: 'Configure, Dev Center, Web Hooks',
    secret: 'ours',
  },
  lever: {
    name: 'Lever',
    needs: 'the signature token',
    where: 'Settings, Integrations, Webhooks',
    secret: 'theirs',
  },
  ashby: {
    name: 'Ashby',
    needs: 'the secret token',
    where: 'Admin, Integrations, Webhooks',
    secret: 'ours',
  },
  typeform: {
    name: 'Typeform',
    needs: 'the webhook’s secret',
    where: 'Connect, Webhooks',
    secret: 'ours',
  },
};

/** What is told of a vendor that is not here, or of a program of one's own. */
const others: Record<string, Vendor> = {
  standard: {
    name: 'A program of ours, signed as Standard Webhooks',
    needs: 'the signing secret',
    where: 'the program’s settings',
    secret: 'ours',
  },
  cloudevents: {
    name: 'A program of ours, with CloudEvents',
    needs: 'the token, as Authorization: Bearer',
    where: 'the program’s settings',
    secret: 'ours',
  },
};

/** vendorOf is what is known of a provider. */
export const vendorOf = (provider: string): Vendor =>
  vendors[provider] ??
  others[provider] ?? {
    name: provider,
    needs: 'the secret by which it signs',
    where: 'its settings of webhooks',
    secret: 'theirs',
  };

/** secretFor makes a secret that the other side takes, out of random bytes. */
export function secretFor(provider: string, random: Uint8Array): string {
  const base64 = btoa(String.fromCharCode(...random));
  if (provider === 'standard') return `whsec_${base64}`;
  return base64.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** The user of the basic authentication that we make. */
const user = 'tidings';

/** A source as it is asked for before its address is known, and the secret that we made for it. */
export interface Begun {
  request: SourceRequest;
  /** To be entered at the vendor; empty where they make it. */
  secret: string;
}

/** begun is how a source of a provider begins; known is the secret where it is known before. */
export function begun(provider: string, known: string, random: Uint8Array): Begun {
  if (known !== '') return { request: { provider, keys: [known] }, secret: '' };
  const made = secretFor(provider, random);
  switch (vendorOf(provider).secret) {
    case 'ours':
      return { request: { provider, keys: [made] }, secret: made };
    case 'basic':
      return { request: { provider, basic: [`${user}:${made}`] }, secret: made };
    case 'before':
      return { request: { provider, keys: [] }, secret: '' };
  }
  return { request: { provider, draft: true }, secret: '' };
}

/** addressOf is where the vendor sends to; a user and password stand in it. */
export function addressOf(provider: string, origin: string, path: string, secret: string): string {
  if (vendorOf(provider).secret !== 'basic' || secret === '') return origin + path;
  return `${origin.replace('://', `://${user}:${secret}@`)}${path}`;
}

/** vendorName is what a provider calls itself. */
export const vendorName = (provider: string): string => vendorOf(provider).name;
