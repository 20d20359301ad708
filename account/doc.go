// Package account knows who uses a workspace: keys and sessions (and the tokens
// with which other sites embed the feed), the directory of people and teams,
// saved searches, and what is internal to a workspace: the addresses of its own
// people and the scanners that it has adopted.
//
// In come secrets that callers show and changes that admins make; out come
// Callers, with what they may see. All of it is kept as records of a state
// store. It knows nothing of HTTP: package api does.
package account
