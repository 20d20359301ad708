// Package stream is the queue: NATS JetStream, run inside this process without a
// port, or a server or cluster somewhere else, by the same code.
//
// Events come in through Publish, which returns once they are on disk, and go
// out through Pull in two lanes, live before bulk. What fails for good ends on
// the DEAD stream with its history. Announcements come in through Announce and
// go out through Follow. Leases say which of several processes does a job.
//
// EVENTS refuses new events when it is full and has no age limit: only Trim
// removes, and only what every lane has acknowledged.
package stream
