import type { GroupRule, PersonRole, Provider, ProviderRequest } from '../api/types';
import { split } from './words';
import { t } from '../i18n/rest';

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
    hint: t.access.putYourTenantsIdInto,
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
    hint: t.access.tickRefreshTokenAmongThe,
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
    hint: t.access.googleTellsNoGroupsInvite,
  },
  other: {
    label: t.access.anotherOpenidConnect,
    begin: { name: '', title: '', issuer: '', scopes: '', claim: 'groups' },
    hint: t.access.theIssuerIsWhatIts,
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
  if (!/^[a-z0-9][a-z0-9-]{0,31}$/.test(draft.name)) return t.access.theNameHasSmallLetters;
  if (/TENANT-ID|YOUR\./.test(draft.issuer)) return t.access.putYourOwnPartInto;
  if (split(draft.domains).length === 0 && !draft.button) return t.access.nameADomainOrShow;
  const empty = draft.rules.find((rule) => rule.group.trim() && !rule.role && !rule.team);
  return empty ? t.access.sayWhatTheGroupGives(empty.group.trim()) : '';
}

/** addressFor puts a provider's name into the address that is registered there. */
export const addressFor = (template: string, name: string) =>
  template.replace('.NAME/', `.${name || 'NAME'}/`);

/** factsOf is what a provider's entry says of it. */
export function factsOf(provider: Provider): string[] {
  const groups = provider.map?.length ?? 0;
  return [
    ...(provider.domains?.length ? [provider.domains.join(', ')] : []),
    ...(provider.button ? [t.access.buttonForEverybody] : []),
    ...(groups > 0 ? [groups === 1 ? t.access.n1Group : t.access.groups(groups)] : []),
    ...(provider.only ? [t.access.theOnlyWayIn] : []),
  ];
}
