// Package guard keeps the shape of the repository: which package may import
// which, that every package says what it is, and that no folder has a name that
// says nothing.
//
// It has tests only. The table in imports_test.go is the one of docs, made to
// fail: a new folder needs a row there, and a reason.
package guard
