const key = (owner: string) => `tidings.push ${owner}`;

/** wantsPush says whether the reader wants this browser to be pushed to. */
export function wantsPush(owner: string): boolean {
  try {
    return localStorage.getItem(key(owner)) === 'on';
  } catch {
    return false; // Storage is refused.
  }
}

/** wantPush notes it, for when the page is opened again. */
export function wantPush(owner: string, on: boolean): void {
  try {
    if (on) localStorage.setItem(key(owner), 'on');
    else localStorage.removeItem(key(owner));
  } catch {
    // As above: the device ends when its subscription does.
  }
}
