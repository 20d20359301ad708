// Package forward makes deliveries of events. Announcements flow in, of which one process
// follows all; what an endpoint's search finds flows out into the outbox, under ids that
// an event announced again has too. It also renders each delivery from its event, and
// says of those that may not be sent any more why.
package forward
