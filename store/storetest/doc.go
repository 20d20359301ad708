// Package storetest holds every store to one behaviour: RunIndex for an index of
// events, RunState for what is known of messages, RunRecords for small
// documents. An adapter's test gives a harness that opens the store; what the
// store cannot do is a field of the harness with its reason, and shows as a
// skipped test.
//
// The suites know no vendor. They hold an index to query.Match, so that what is
// shown live is what is found later, and a state store to a model that is
// computed from the set of events alone.
package storetest
