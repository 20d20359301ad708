// Package bench loads Tidings with realistic events and measures what it does
// with them.
//
// A Load is made from a seed: events of 1 to 4 KB in a few hundred workspaces of
// very different size, whose text has the distribution of real words. Ingest, Pages,
// Stats, Storm, Postgres and Elastic each Run a measurement and print a table. Timings are
// kept in histograms that can be merged, and a Machine says on what the figures were
// measured. What is only there to be compared with is in bench/internal.
package bench
