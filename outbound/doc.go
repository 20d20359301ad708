// Package outbound is the one way out of this process to addresses that somebody
// other than the operator names: webhooks, chats, sign-in providers, mail servers,
// a mail provider's certificates.
//
// An address goes in and is checked at the moment it is connected to, after the name
// was resolved, so that no answer of a name server leads into the network of this
// machine. No redirect is followed and no proxy of the environment is used; time,
// headers and body have bounds. What else may be reached is the operator's list
// (Allow), never a workspace's; addresses of cloud metadata are reached by nobody.
package outbound
