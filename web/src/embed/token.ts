/**
 * takeEmbedToken reads the token of an embedded page: /embed/feed?origin=…#token=…
 * The server lets the origins of the address frame the page, so a token that does not
 * name all of them is none.
 */
export function takeEmbedToken(location: { hash: string; search: string }): {
  token: string;
  rest: string;
} {
  const search = new URLSearchParams(location.search);
  const asked = search.getAll('origin');
  search.delete('origin');
  const token = new URLSearchParams(location.hash.replace(/^#/, '')).get('token') ?? '';
  const named = originsOf(token);
  const good = asked.length > 0 && asked.every((origin) => named.includes(origin));
  return { token: good ? token : '', rest: search.toString() };
}

/** originsOf reads the origins that a token names; whether it is signed, the server says. */
function originsOf(token: string): string[] {
  try {
    const part = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
    const claims: unknown = JSON.parse(atob(part));
    const origins =
      claims && typeof claims === 'object' && 'origins' in claims ? claims.origins : [];
    return Array.isArray(origins) ? origins.filter((one) => typeof one === 'string') : [];
  } catch {
    return [];
  }
}
