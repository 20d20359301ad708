// Package deliver brings messages to endpoints outside: webhooks, Slack, Teams, mail and CRMs.
//
// Deliveries lie in an Outbox, each under an id that is the hash of its cause. The
// worker claims those that are due, endpoint by endpoint in turn, checks again whether
// they may leave, renders them from their event, sends, and writes the outcome down. A
// delivery is sent at least once: a process that dies between sending and writing sends
// it again, under the same id. Endpoints that fail are paused and then disabled, so
// that a dead one holds up nobody.
package deliver
