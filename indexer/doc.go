// Package indexer writes: it pulls batches of events from the queue, enriches
// and judges them, applies their effect to the state of their messages, creates
// them in the index, announces them, and acknowledges each on its own. Every
// step may be repeated, so a crash anywhere loses nothing and doubles nothing.
package indexer
