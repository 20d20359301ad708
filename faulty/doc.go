// Package faulty has servers that go away and come back, and lines to servers that break
// or answer as busy ones do: for tests and for tidings bench faults. Addresses flow in, on
// loopback alone; what listens there flows out.
package faulty
