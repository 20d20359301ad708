// Package migrations brings stores from the schema that they have to the one
// that this program writes: it says what would be done, does it step by step,
// and notes what was done. It also builds a week of the index anew, with the
// present mapping and verdicts, and copies an installation into other stores.
//
// Everything here may be stopped anywhere and run again. Who calls it holds the
// lock that keeps others from doing the same at once.
package migrations
