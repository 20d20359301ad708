import type { SourceRequest } from '../api/types';
import { t } from '../i18n/rest';

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
    needs: t.settings.theVerificationKey,
    where: 'Mail Settings, Event Webhook, Signature Verification',
    secret: 'theirs',
  },
  mailgun: {
    name: 'Mailgun',
    needs: t.settings.theHttpWebhookSigningKey,
    where: 'Sending, Webhooks',
    secret: 'theirs',
  },
  postmark: {
    name: 'Postmark',
    needs: t.settings.aUserAndPassword,
    where: 'Servers, Webhooks',
    secret: 'basic',
  },
  ses: {
    name: 'Amazon SES',
    needs: t.settings.theArnOfTheSns,
    where: 'Configuration sets, Event destinations',
    secret: 'before',
  },
  resend: {
    name: 'Resend',
    needs: t.settings.theSigningSecretWhsec,
    where: 'Webhooks',
    secret: 'theirs',
  },
  brevo: {
    name: 'Brevo',
    needs: t.settings.aUserAndPassword,
    where: 'Transactional, Settings, Webhook',
    secret: 'basic',
  },
  mailjet: {
    name: 'Mailjet',
    needs: t.settings.aUserAndPassword,
    where: 'Account, Event tracking',
    secret: 'basic',
  },
  mandrill: {
    name: 'Mandrill',
    needs: t.settings.theWebhooksKey,
    where: 'Settings, Webhooks',
    secret: 'theirs',
  },
  sparkpost: {
    name: 'SparkPost',
    needs: t.settings.aUserAndPassword,
    where: 'Webhooks, Authentication',
    secret: 'basic',
  },
  mailersend: {
    name: 'MailerSend',
    needs: t.settings.theSigningSecret,
    where: 'Domains, Webhooks',
    secret: 'theirs',
  },
  postal: {
    name: 'Postal',
    needs: t.settings.theServersPublicKeyAs,
    where: 'Webhooks, Sign',
    secret: 'theirs',
  },
  calendly: {
    name: 'Calendly',
    needs: t.settings.theSubscriptionsSigningKey,
    where: t.settings.theApiThatMakesThe,
    secret: 'ours',
  },
  calcom: {
    name: 'Cal.com',
    needs: t.settings.theWebhooksSecret,
    where: 'Settings, Developer, Webhooks',
    secret: 'ours',
  },
  hubspot: {
    name: 'HubSpot',
    needs: t.settings.theAppsClientSecret,
    where: t.settings.theAppsSettingsWebhooks,
    secret: 'theirs',
  },
  pipedrive: {
    name: 'Pipedrive',
    needs: t.settings.aUserAndPassword,
    where: 'Tools and apps, Webhooks',
    secret: 'basic',
  },
  greenhouse: {
    name: 'Greenhouse',
    needs: t.settings.theWebhooksSecretKey,
    where: 'Configure, Dev Center, Web Hooks',
    secret: 'ours',
  },
  lever: {
    name: 'Lever',
    needs: t.settings.theSignatureToken,
    where: 'Settings, Integrations, Webhooks',
    secret: 'theirs',
  },
  ashby: {
    name: 'Ashby',
    needs: t.settings.theSecretToken,
    where: 'Admin, Integrations, Webhooks',
    secret: 'ours',
  },
  typeform: {
    name: 'Typeform',
    needs: t.settings.theWebhooksSecret,
    where: 'Connect, Webhooks',
    secret: 'ours',
  },
};

/** What is told of a vendor that is not here, or of a program of one's own. */
const others: Record<string, Vendor> = {
  standard: {
    name: t.settings.aProgramOfOursSigned,
    needs: t.settings.theSigningSecret,
    where: t.settings.theProgramsSettings,
    secret: 'ours',
  },
  cloudevents: {
    name: t.settings.aProgramOfOursWith,
    needs: t.settings.theTokenAsAuthorizationBearer,
    where: t.settings.theProgramsSettings,
    secret: 'ours',
  },
};

/** vendorOf is what is known of a provider. */
export const vendorOf = (provider: string): Vendor =>
  vendors[provider] ??
  others[provider] ?? {
    name: provider,
    needs: t.settings.theSecretByWhichIt,
    where: t.settings.itsSettingsOfWebhooks,
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
