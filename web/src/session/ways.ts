import type { SignInProvider } from '../api/types';
import { t } from '../i18n/rest';

/** What is said of each reason why a sign-in at a provider came to nothing. */
const reasons: Record<string, string> = {
  unknown: t.signin.thereIsNoSuchWay,
  expired: t.signin.thatTookTooLongOr,
  declined: t.signin.youWereNotSignedIn,
  provider: t.signin.whereYouSignInCant,
  'not-anew': t.signin.whereYouSignedInDoesnt,
  'not-invited': t.signin.youAreSignedInThere,
  'no-role': t.signin.youAreSignedInThere2,
  suspended: t.signin.youCantComeInAny,
};

/** failedOf reads why a sign-in at a provider failed: /#sign-in-failed=… */
export function failedOf(location: { hash: string }): string | null {
  const reason = new URLSearchParams(location.hash.replace(/^#/, '')).get('sign-in-failed');
  if (!reason) return null;
  return reasons[reason] ?? t.signin.youWereNotSignedIn2;
}

interface How {
  email?: string;
  /** The path of this site to go on with. */
  to?: string;
  /** The token of an invitation that is accepted by signing in. */
  invitation?: string;
  /** Whether they are to show anew who they are. */
  again?: boolean;
}

/** wayTo is where the browser is sent to sign in at a provider. */
export function wayTo({ path }: SignInProvider, how: How): string {
  const query = new URLSearchParams();
  if (how.email) query.set('email', how.email);
  if (how.to && how.to !== '/') query.set('to', how.to);
  if (how.invitation) query.set('invitation', how.invitation);
  if (how.again) query.set('again', 'true');
  const text = query.toString();
  return text === '' ? path : `${path}?${text}`;
}
