import { t } from '../i18n/rest';

/** bytesOf reads base64url. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const plain = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

/** sameKey says whether a subscription was made for a key. */
export function sameKey(made: ArrayBuffer | null, key: string): boolean {
  if (!made) return false;
  const [a, b] = [new Uint8Array(made), bytesOf(key)];
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** What stands in the way of pushing to a browser. */
export type Hindrance = 'insecure' | 'homescreen' | 'unsupported' | 'denied' | '';

/** hindranceOf says what it is, from what a browser offers. */
export function hindranceOf(offers: {
  secure: boolean;
  worker: boolean;
  push: boolean;
  permission: NotificationPermission | undefined;
  agent: string;
  touch: boolean;
}): Hindrance {
  if (!offers.secure) return 'insecure';
  const apple =
    /iPhone|iPad|iPod/.test(offers.agent) || (offers.touch && /Macintosh/.test(offers.agent));
  if (!offers.worker || !offers.push || !offers.permission)
    return apple ? 'homescreen' : 'unsupported';
  return offers.permission === 'denied' ? 'denied' : '';
}

export const hindrances: Record<Exclude<Hindrance, ''>, string> = {
  insecure: t.devices.insecure,
  homescreen: t.devices.homescreen,
  unsupported: t.devices.unsupported,
  denied: t.devices.denied,
};

/** refusedBy says why a browser made no subscription, and what to do. */
export function refusedBy(error: unknown): string {
  const name = error instanceof Error ? error.name : '';
  if (name === 'NotAllowedError') return hindrances.denied;
  if (name === 'AbortError') return t.devices.unreachable;
  return t.devices.noSubscription;
}
