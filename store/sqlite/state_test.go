package sqlite_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/store/sqlite"
	"tidings/store/storetest"
)

var stateHarness = storetest.StateHarness{
	Open: func(t testing.TB, rowid string, config storetest.StateConfig) storetest.State {
		state, err := sqlite.OpenState(rowid, sqlite.StateConfig{Grace: config.Grace, Now: config.Now})
		require.NoError(t, err)
		return state
	},
}

func TestState(t *testing.T) { storetest.RunState(t, stateHarness) }

func TestRecords(t *testing.T) {
	storetest.RunRecords(t, storetest.RecordsHarness{
		Open: func(t testing.TB, rowid string) storetest.Records {
			state, err := sqlite.OpenState(rowid, sqlite.StateConfig{})
			require.NoError(t, err)
			return state
		},
	})
}

// What names an erased person is overwritten, in the file and in its log.
func TestNothingOfAnErasedPersonStaysInTheFiles(t *testing.T) {
	dir := t.TempDir()
	state, err := sqlite.OpenState(filepath.Join(dir, "state.db"), sqlite.StateConfig{})
	require.NoError(t, err)
	defer func() { require.NoError(t, state.Close()) }()
	jo, ana := event.Person{Email: "jo.findable@acme.example", Name: "Jo Findable"}, event.Person{Email: "ana@acme.example"}
	var changes []event.Change
	for i := range 300 { // most of them to Jo alone, so that whole pages are freed
		send := event.Event{
			ID: event.NewID(1_790_000_000, "acme", "s", true, fmt.Append(nil, i)), Workspace: "acme", Type: event.Send, Time: 1_790_000_000,
			Message: fmt.Sprint("m", i), Source: "s", Recipients: []event.Person{jo},
		}
		if i%50 == 0 {
			send.Recipients = append(send.Recipients, ana)
		}
		changes = append(changes, event.ChangeOf(send))
	}
	_, err = state.Apply(t.Context(), changes, nil)
	require.NoError(t, err)
	found := func() (files []string) {
		all, err := filepath.Glob(filepath.Join(dir, "*"))
		require.NoError(t, err)
		for _, path := range all {
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			if bytes.Contains(bytes.ToLower(text), []byte("findable")) {
				files = append(files, path)
			}
		}
		return files
	}
	require.NotEmpty(t, found())
	_, err = state.EraseRecipient(t.Context(), "acme", "jo.findable@acme.example")
	require.NoError(t, err)
	require.Empty(t, found())
}
