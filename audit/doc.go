// Package audit is the record of who signed in, changed something or looked at
// somebody else's mail.
//
// Rows come in by Log.Must, which returns once a row is durable, and by Log.Note,
// whose rows are written together within a second. Each row holds the hash of the
// row before it, in a chain of its own for each workspace and day, whose head is
// kept apart: what is edited, taken out, put in another order or cut off at the end
// is found by Log.Verify. Rows name people outside by a key, never by address.
package audit
