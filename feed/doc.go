// Package feed reads: pages over weeks from the newest backwards, one message's
// recipients and timeline, one event. A query and a cursor come in; items that
// are ready to show, decorated with the state of their recipients, go out.
package feed
