package api

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOneKeyDoesNotTakeAllSockets(t *testing.T) {
	var a opened
	join := func(c Caller) (*open, bool) {
		o := &open{caller: c, gone: make(chan struct{}), end: func(error) {}, counts: countedBy(c)}
		return o, a.add(o)
	}
	greedy := Caller{Workspace: "acme", Credential: "k"}
	first, ok := join(greedy)
	require.True(t, ok)
	for range maxSocketsOfOne - 1 {
		_, ok := join(greedy)
		require.True(t, ok)
	}
	_, ok = join(greedy)
	require.False(t, ok)
	_, ok = join(Caller{Workspace: "acme", Credential: "other"})
	require.True(t, ok)
	for i := range maxSocketsOfOne + 1 {
		_, ok = join(Caller{Workspace: "acme", Credential: "k", User: fmt.Sprint("u", i), Origins: []string{"https://shop.example"}})
		require.True(t, ok, "each user of a key's tokens counts for themselves")
	}
	a.remove(first)
	a.remove(first)
	_, ok = join(greedy)
	require.True(t, ok)
	for _, o := range a.all() {
		a.remove(o)
	}
	require.Empty(t, a.sockets)
}
