//go:build race

package hooks

// allocated is how often what a slice grows by is allocated: the race detector has it
// done twice.
const allocated = 2
