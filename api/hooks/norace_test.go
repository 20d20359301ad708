//go:build !race

package hooks

// allocated is how often what a slice grows by is allocated.
const allocated = 1
