// Package bench loads Tidings with realistic events and measures what it does
// with them.
//
// A Load is made from a seed: events of 1 to 4 KB in a few hundred workspaces of
// very different size, whose text has the distribution of real words. Ingest, Pages,
// Stats, Storm, Postgres, Elastic and others each run a measurement, print a table and add
// figures; All runs them for some rounds, and Report writes what they come to beside what
// it must be (Musts). Timings are kept in histograms that can be merged, and a Machine says
// on what was measured. What is only there to be compared with is in bench/internal.
package bench
