// Package bench loads Tidings with realistic events and measures what it does
// with them.
//
// A Load is made from a seed: events of 1 to 4 KB in a few hundred workspaces of
// very different size, whose text has the distribution of real words. Timings
// are kept in histograms that can be merged, and a Machine says on what the
// figures were measured.
package bench
