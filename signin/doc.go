// Package signin asks identity providers who somebody is, by OpenID Connect: the
// authorization code flow with PKCE, a nonce and a state that is bound to the browser.
//
// In come providers as admins describe them, and what browsers bring back from one; out
// goes whom the provider vouches for, or a Refusal. Who that is here, and what they may
// do, is decided in package account.
package signin
