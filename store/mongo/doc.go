// Package mongo keeps the state of messages, the weeks of workspaces, erasures
// and small records in MongoDB, for any number of processes at once.
//
// A message is one document. What an event changes is one upsert of operators
// that commute and may be repeated, so that any order and any repetition end in
// the same document. What must compare before it writes repeats the version v
// that it has read. Writes return once a majority has them in its journal, and
// reads see only what a majority has.
package mongo
