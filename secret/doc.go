// Package secret seals what must be kept and may not lie in the clear: keys of
// sources, of endpoints, of mail servers and of sign-in providers.
//
// A text goes in with what it belongs to (workspace, kind, id) and comes out sealed
// by AES-256-GCM under a data key of its workspace, bound to where it belongs: put
// into another record it does not open. Data keys are records, sealed by a master key
// that is in a file outside the stores and in no backup. Who has the stores alone
// reads nothing.
package secret
