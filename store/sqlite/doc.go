// Package sqlite keeps everything in one directory on one machine: events in an
// index of one SQLite file an ISO week (Index), and what is known of messages,
// the week catalogue, erasures and small records in state.db (State).
//
// Events go in a batch at a time, one transaction a week, and are on disk when
// the call returns; searches come out newest first and stop at the page's end.
// Text arrives as ready words of package query; FTS5 only finds them again.
// One process owns the directory. Vendor errors leave as the kinds of package
// event: what a later try may cure is event.ErrUnavailable.
package sqlite
