// Package columns counts the events of a workspace's week for statistics. It is a
// small columnar engine: what can be counted by (time, type, people, message, user,
// link, verdict) is kept as numbers by columns instead of documents, in the order
// of rowids, so that a count takes nanoseconds an event.
//
// Events come in by Put or Collect; a query becomes a condition on rows (filter.go),
// the rows that match are counted (aggregate.go), and names come out again. Open
// weeks have columns in memory alone, of which Cache keeps so many bytes; sealed
// weeks also have them in their file (encode.go). Words are not in the columns: a
// condition on words is looked up in the full text and joined by rowid.
package columns
