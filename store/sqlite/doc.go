// Package sqlite keeps everything in one directory on one machine: events in one file
// an ISO week (Index); what is known of messages, which weeks there are, erasures and
// small records in state.db (State); and the Outbox, Notify and Audit in files of their own.
//
// Events go in a batch at a time, one transaction a week, and are on disk when
// the call returns; searches come out newest first and stop at the page's end.
// Text arrives as ready words of package query; FTS5 only finds them again.
// One process owns the directory. Vendor errors leave as the kinds of package
// event: what a later try may cure is event.ErrUnavailable.
package sqlite
