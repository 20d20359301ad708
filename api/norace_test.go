//go:build !race

package api

// allocated is how often what a slice grows by is allocated.
const allocated = 1
