package sqlite

import (
	"encoding/json"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

// Others have the processor after each large document, not only when Go takes it away.
func TestOthersGoOnBetweenLargeDocuments(t *testing.T) {
	people := make([]event.Person, 1000)
	for i := range people {
		people[i].Email = fmt.Sprintf("person.%d@acme.example", i)
	}
	raw, err := json.Marshal(event.Event{Type: event.Send, Recipients: people})
	require.NoError(t, err)
	d, err := newDocuments()
	require.NoError(t, err)

	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var turns, ended atomic.Int64
	go func() {
		for ended.Load() == 0 {
			turns.Add(1)
			runtime.Gosched()
		}
		ended.Store(2)
	}()
	runtime.Gosched()
	const documents = 50
	before := turns.Load()
	for range documents {
		_, err := d.unpack(event.ID{}, "acme", append([]byte{formPlain}, raw...))
		require.NoError(t, err)
	}
	require.Greater(t, turns.Load()-before, int64(documents/2), "a yield may be for something else")
	for ended.Store(1); ended.Load() == 1; {
		runtime.Gosched()
	}
}
