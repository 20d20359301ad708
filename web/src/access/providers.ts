import type { GroupRule, PersonRole, Provider, ProviderRequest } from '../api/types';
import { split } from './words';

/** A provider as the form has it: all that may be typed is text. */
export interface Draft {
  name: string;
  title: string;
  issuer: string;
  clientID: string;
  /** Empty keeps the secret there is. */
  secret: string;
  domains: string;
  scopes: string;
  claim: string;
  rules: readonly Rule[];
  /** The role of those in no group; empty where they don't come in. */
  roleDefault: PersonRole | '';
  button: boolean;
  only: boolean;
}

/** What a group gives; empty is none. */
export interface Rule {
  group: string;
  role: PersonRole | '';
  team: string;
}

interface Vendor {
  label: string;
  /** What the form begins with. */
  begin: Pick<Draft, 'name' | 'title' | 'issuer' | 'scopes' | 'claim'>;
  /** What the vendor calls its parts. */
  hint: string;
}

/** The vendors that docs/setup.md has tables for. */
export const vendors: Record<'entra' | 'okta' | 'google' | 'other', Vendor> = {
  entra: {
    label: 'Microsoft Entra',
    begin: {
      name: 'entra',
      title: 'Microsoft',
      issuer: 'https://login.microsoftonline.com/TENANT-ID/v2.0',
      scopes: '',
      claim: 'groups',
    },
    hint: 'Put your tenant’s id into the issuer. Groups are object ids there, and addresses count only with the optional claim xms_edov.',
  },
  okta: {
    label: 'Okta',
    begin: {
      name: 'okta',
      title: 'Okta',
      issuer: 'https://YOUR.okta.com',
      scopes: 'groups',
      claim: 'groups',
    },
    hint: 'Tick Refresh Token among the grant types there, and set a filter for the groups claim.',
  },
  google: {
    label: 'Google',
    begin: {
      name: 'google',
      title: 'Google',
      issuer: 'https://accounts.google.com',
      scopes: '',
      claim: '',
    },
    hint: 'Google tells no groups: invite people, and they keep the role that they have here.',
  },
  other: {
    label: 'Another (OpenID Connect)',
    begin: { name: '', title: '', issuer: '', scopes: '', claim: 'groups' },
    hint: 'The issuer is what its /.well-known/openid-configuration calls issuer, letter by letter.',
  },
};

export type VendorName = keyof typeof vendors;
export const vendorNames = Object.keys(vendors) as readonly VendorName[];

export const newDraft = (vendor: VendorName): Draft => ({
  ...vendors[vendor].begin,
  clientID: '',
  secret: '',
  domains: '',
  rules: [],
  roleDefault: '',
  button: false,
  only: false,
});

/** draftOf is what a form begins with that changes a provider. */
export const draftOf = (provider: Provider): Draft => ({
  name: provider.name,
  title: provider.title,
  issuer: provider.issuer,
  clientID: provider.client_id,
  secret: '',
  domains: (provider.domains ?? []).join(', '),
  scopes: (provider.scopes ?? []).join(', '),
  claim: provider.groups_claim ?? '',
  rules: (provider.map ?? []).map(({ group, role, team }) => ({
    group,
    role: role ?? '',
    team: team ?? '',
  })),
  roleDefault: provider.role_default ?? '',
  button: provider.button,
  only: provider.only,
});

/** requestOf is what is sent of a draft: a secret only where one was typed. */
export function requestOf(draft: Draft): ProviderRequest {
  const domains = split(draft.domains);
  const scopes = split(draft.scopes);
  const rules = draft.rules.filter(({ group }) => group.trim() !== '').map(ruleOf);
  return {
    issuer: draft.issuer.trim(),
    client_id: draft.clientID.trim(),
    ...(draft.title.trim() && { title: draft.title.trim() }),
    ...(draft.secret.trim() && { secret: draft.secret.trim() }),
    ...(domains.length > 0 && { domains }),
    ...(scopes.length > 0 && { scopes }),
    ...(draft.claim.trim() && { groups_claim: draft.claim.trim() }),
    ...(rules.length > 0 && { map: rules }),
    ...(draft.roleDefault && { role_default: draft.roleDefault }),
    ...(draft.button && { button: true }),
    ...(draft.only && { only: true }),
  };
}

function ruleOf({ group, role, team }: Rule): GroupRule {
  return { group: group.trim(), ...(role && { role }), ...(team && { team }) };
}

/** unfit says what a draft lacks before it is sent, or nothing. */
export function unfit(draft: Draft): string {
  if (!/^[a-z0-9][a-z0-9-]{0,31}$/.test(draft.name))
    return 'The name has small letters, digits and dashes: it is part of the redirect address.';
  if (/TENANT-ID|YOUR\./.test(draft.issuer)) return 'Put your own part into the issuer.';
  if (split(draft.domains).length === 0 && !draft.button)
    return 'Name a domain, or show its button to everybody: nobody would find it else.';
  const empty = draft.rules.find((rule) => rule.group.trim() && !rule.role && !rule.team);
  return empty ? `Say what the group ${empty.group.trim()} gives: a role, a team or both.` : '';
}

/** addressFor puts a provider's name into the address that is registered there. */
export const addressFor = (template: string, name: string) =>
  template.replace('.NAME/', `.${name || 'NAME'}/`);

/** factsOf is what a provider's entry says of it. */
export function factsOf(provider: Provider): string[] {
  const groups = provider.map?.length ?? 0;
  return [
    ...(provider.domains?.length ? [provider.domains.join(', ')] : []),
    ...(provider.button ? ['button for everybody'] : []),
    ...(groups > 0 ? [groups === 1 ? '1 group' : `${groups} groups`] : []),
    ...(provider.only ? ['the only way in'] : []),
  ];
}
