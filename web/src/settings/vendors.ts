/** How a vendor is called, what a source of theirs needs, and where that is in their settings. */
export interface Vendor {
  name: string;
  needs: string;
  where: string;
}

/** As docs/sources.md has them: a provider that is not here is told nothing about. */
export const vendors: Record<string, Vendor> = {
  sendgrid: {
    name: 'SendGrid',
    needs: 'the verification key',
    where: 'Mail Settings, Event Webhook, Signature Verification',
  },
  mailgun: { name: 'Mailgun', needs: 'the HTTP webhook signing key', where: 'Sending, Webhooks' },
  postmark: {
    name: 'Postmark',
    needs: 'a user and password, which stand in the address as user:password@',
    where: 'Servers, Webhooks',
  },
  ses: {
    name: 'Amazon SES',
    needs: 'the ARN of the SNS topic, before the address is subscribed to it',
    where: 'Configuration sets, Event destinations',
  },
  resend: { name: 'Resend', needs: 'the signing secret, whsec_…', where: 'Webhooks' },
  brevo: {
    name: 'Brevo',
    needs: 'a token that it sends',
    where: 'Transactional, Settings, Webhook',
  },
  mailjet: {
    name: 'Mailjet',
    needs: 'a user and password, which stand in the address as user:password@',
    where: 'Account, Event tracking',
  },
  mandrill: { name: 'Mandrill', needs: 'the webhook’s key', where: 'Settings, Webhooks' },
  sparkpost: {
    name: 'SparkPost',
    needs: 'the token that it sends',
    where: 'Webhooks, Authentication',
  },
  mailersend: { name: 'MailerSend', needs: 'the signing secret', where: 'Domains, Webhooks' },
  postal: {
    name: 'Postal',
    needs: 'the server’s public key, as in its DKIM record',
    where: 'Webhooks, Sign',
  },
  calendly: {
    name: 'Calendly',
    needs: 'the subscription’s signing key',
    where: 'the API that makes the subscription',
  },
  calcom: {
    name: 'Cal.com',
    needs: 'the webhook’s secret',
    where: 'Settings, Developer, Webhooks',
  },
  hubspot: {
    name: 'HubSpot',
    needs: 'the app’s client secret',
    where: 'the app’s settings, Webhooks',
  },
  pipedrive: {
    name: 'Pipedrive',
    needs: 'an HTTP user and password',
    where: 'Tools and apps, Webhooks',
  },
  greenhouse: {
    name: 'Greenhouse',
    needs: 'the webhook’s secret key',
    where: 'Configure, Dev Center, Web Hooks',
  },
  lever: { name: 'Lever', needs: 'the signature token', where: 'Settings, Integrations, Webhooks' },
  ashby: { name: 'Ashby', needs: 'the secret token', where: 'Admin, Integrations, Webhooks' },
  typeform: { name: 'Typeform', needs: 'the webhook’s secret', where: 'Connect, Webhooks' },
};

/** vendorName is what a provider calls itself. */
export const vendorName = (provider: string): string => vendors[provider]?.name ?? provider;
