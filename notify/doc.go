// Package notify decides who is told of what happens, and keeps why.
//
// Triggers go in, each an event that the index holds or one that was corrected.
// Decide, which does no I/O, concludes for one person from the trigger, their
// settings and what is known beside; the engine claims what is told only once,
// keeps the decisions, and withdraws what evidence has overturned. Every write is
// insert-only or compares and swaps, under ids that are hashes of their cause, so
// a trigger may come any number of times.
package notify
