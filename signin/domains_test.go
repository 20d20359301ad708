package signin

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/secret"
	"tidings/store/sqlite"
)

// dying are records that stop taking providers, as a process that is killed does.
type dying struct {
	Records
	dead bool
}

var errKilled = errors.New("killed")

func (d *dying) Put(ctx context.Context, workspace, kind, id string, doc json.RawMessage) error {
	if d.dead && kind == kindProvider {
		return errKilled
	}
	return d.Records.Put(ctx, workspace, kind, id, doc)
}

// A domain is of one workspace, wherever a process ends between claiming it and writing
// the provider that names it.
func TestADomainIsOfOneWorkspaceOverCrashes(t *testing.T) {
	dir := t.TempDir()
	state, err := sqlite.OpenState(filepath.Join(dir, "state.db"), sqlite.StateConfig{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, state.Close()) })
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	box := secret.New(filepath.Join(dir, "secrets.key"), true, state)
	records := &dying{Records: state}
	first, second := NewProviders(records, box, clock), NewProviders(state, box, clock)
	put := func(p *Providers, workspace, name string) error {
		_, err := p.Put(t.Context(), workspace, Provider{Name: name, Issuer: "https://id.example", ClientID: "c", Domains: []string{"acme.example"}}, nil)
		return err
	}
	claimed := func(err error) {
		t.Helper()
		require.ErrorAs(t, err, new(*ErrClaimed))
	}

	records.dead = true
	require.ErrorIs(t, put(first, "one", "p"), errKilled)
	claimed(put(second, "two", "p"))
	// The same again, just before the claim lapses: it holds for a minute from then on.
	now = now.Add(claimFresh - time.Second)
	require.ErrorIs(t, put(first, "one", "p"), errKilled)
	now = now.Add(2 * time.Second)
	claimed(put(second, "two", "p"))
	records.dead = false
	require.NoError(t, put(first, "one", "p"))
	now = now.Add(time.Hour)
	claimed(put(second, "two", "p"))

	// The provider by which it holds goes while another is written.
	records.dead = true
	require.ErrorIs(t, put(first, "one", "q"), errKilled)
	require.NoError(t, first.Delete(t.Context(), "one", "p"))
	claimed(put(second, "two", "p"))
	now = now.Add(claimFresh + time.Second)
	require.NoError(t, put(second, "two", "p"), "nobody holds it any more")
	records.dead = false
	claimed(put(first, "one", "q"))
	require.ErrorIs(t, put(first, "one", "q"), event.ErrConflict)
}
