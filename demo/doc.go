// Package demo makes mail activity that looks like a small company's:
// twelve colleagues who write to some four hundred people in sixty companies,
// in office hours, and what comes of it: opens, clicks, downloads, replies,
// meetings, bounces, and the scanners and proxies that fetch what nobody read.
//
// A seed goes in; colleagues, months of history and a live trickle come out as
// event.Input. A day's activity is a function of the seed and the day alone, so
// the same seed gives the same events again, with the same ids.
package demo
