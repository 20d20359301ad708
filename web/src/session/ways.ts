import type { SignInProvider } from '../api/types';

/** What is said of each reason why a sign-in at a provider came to nothing. */
const reasons: Record<string, string> = {
  unknown: 'There is no such way to sign in any more. Choose another one.',
  expired: 'That took too long, or was begun in another browser. Sign in once more.',
  declined: 'You were not signed in there: it was cancelled, or they don’t let you use Tidings.',
  provider:
    'Where you sign in can’t be reached, or what it says doesn’t hold. Try again soon, or tell whoever looks after your workspace.',
  'not-anew':
    'Where you signed in doesn’t say that you have just shown who you are. Sign in with a key or a link, or tell whoever looks after your workspace.',
  'not-invited':
    'You are signed in there, but nobody here knows you yet. Ask whoever looks after your workspace for an invitation.',
  'no-role':
    'You are signed in there, but none of your groups may use Tidings. Ask whoever looks after your workspace.',
  suspended: 'You can’t come in any more. Ask whoever looks after your workspace.',
};

/** failedOf reads why a sign-in at a provider failed: /#sign-in-failed=… */
export function failedOf(location: { hash: string }): string | null {
  const reason = new URLSearchParams(location.hash.replace(/^#/, '')).get('sign-in-failed');
  if (!reason) return null;
  return reasons[reason] ?? 'You were not signed in. Try once more.';
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
