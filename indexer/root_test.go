package indexer

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

// Of several names the message that is known, and among those the one whose send is, is the
// one that the others become names of.
func TestTheRootOfNamesIsTheOneThatIsKnown(t *testing.T) {
	state := func(name string, version int64, sent bool, at int64) event.State {
		return event.State{MessageKey: event.MessageKey{Workspace: "w", Message: name}, Version: version, Sent: sent, At: at}
	}
	unknown, known, sent, earlier := state("a", 0, false, 0), state("b", 1, false, 0), state("c", 1, true, 20), state("d", 1, true, 10)
	for _, c := range []struct {
		of   []event.State
		want string
	}{
		{[]event.State{unknown}, "a"},
		{[]event.State{unknown, known}, "b"},
		{[]event.State{known, unknown}, "b"},
		{[]event.State{known, sent}, "c"},
		{[]event.State{sent, known}, "c"},
		{[]event.State{sent, earlier, known}, "d"},
		{[]event.State{earlier, sent, unknown}, "d"},
	} {
		require.Equal(t, c.want, rootOf(c.of).Message)
	}
}
