package secret

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tidings/event"
)

var errStopped = errors.New("stopped")

// memory keeps records, and stops at a write when it is told to.
type memory struct {
	mu   sync.Mutex
	docs map[string]json.RawMessage
	// left is how many writes there are before it stops; negative is never.
	left int
}

func newMemory() *memory { return &memory{docs: map[string]json.RawMessage{}, left: -1} }

func (m *memory) write(key string, old *json.RawMessage, doc json.RawMessage) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.left == 0 {
		return errStopped
	}
	m.left--
	if old != nil && string(m.docs[key]) != string(*old) {
		return event.ErrConflict
	}
	if m.docs[key] = doc; doc == nil {
		delete(m.docs, key)
	}
	return nil
}

func (m *memory) Put(_ context.Context, workspace, kind, id string, doc json.RawMessage) error {
	return m.write(workspace+"/"+kind+"/"+id, nil, doc)
}

func (m *memory) Swap(_ context.Context, workspace, kind, id string, old, doc json.RawMessage) error {
	return m.write(workspace+"/"+kind+"/"+id, &old, doc)
}

func (m *memory) Delete(_ context.Context, workspace, kind, id string) error {
	return m.write(workspace+"/"+kind+"/"+id, nil, nil)
}

func (m *memory) List(_ context.Context, workspace, kind string) ([]event.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []event.Record
	for _, key := range slices.Sorted(maps.Keys(m.docs)) {
		if id, ok := strings.CutPrefix(key, workspace+"/"+kind+"/"); ok {
			list = append(list, event.Record{ID: id, Doc: m.docs[key]})
		}
	}
	return list, nil
}

func TestWhatIsSealedOpensInItsPlaceAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secrets.key")
	records := newMemory()
	rapid.Check(t, func(rt *rapid.T) {
		box := New(path, true, records)
		text := rapid.SliceOf(rapid.Byte()).Draw(rt, "text")
		sealed, err := box.Seal(t.Context(), "acme", "source", "mail", text)
		require.NoError(rt, err)
		got, err := New(path, false, records).OpenText(t.Context(), "acme", "source", "mail", sealed)
		require.NoError(rt, err)
		require.Equal(rt, string(text), string(got))
		for _, at := range [][3]string{{"acme", "source", "other"}, {"acme", "endpoint", "mail"}, {"other", "source", "mail"}} {
			_, err := box.OpenText(t.Context(), at[0], at[1], at[2], sealed)
			require.Error(rt, err, at)
		}
		// The first half of the last letter's bits may be padding; any other letter counts.
		i := rapid.IntRange(0, len(sealed)-2).Draw(rt, "changed")
		other := byte('A')
		if sealed[i] == other {
			other = 'B'
		}
		_, err = box.OpenText(t.Context(), "acme", "source", "mail", sealed[:i]+string(other)+sealed[i+1:])
		require.Error(rt, err)
	})
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	sealed, err := SealedRecords(t.Context(), records)
	require.NoError(t, err)
	require.Equal(t, []RecordKey{{"acme", "source", "mail"}}, sealed)
	require.NoError(t, New(path, false, records).Forget(t.Context(), "acme", "source", "mail"))
	sealed, err = SealedRecords(t.Context(), records)
	require.NoError(t, err)
	require.Empty(t, sealed)
}

func TestWithoutItsMasterKeyNothingOpens(t *testing.T) {
	dir, records := t.TempDir(), newMemory()
	first := filepath.Join(dir, "first")
	sealed, err := New(first, true, records).Seal(t.Context(), "acme", "source", "mail", []byte("hush"))
	require.NoError(t, err)
	require.ErrorContains(t, New(filepath.Join(dir, "none"), false, records).Ready(), "head -c 32")

	other := New(filepath.Join(dir, "second"), true, records)
	_, err = other.OpenText(t.Context(), "acme", "source", "mail", sealed)
	require.ErrorIs(t, err, ErrLocked)
	require.ErrorIs(t, err, event.ErrUnavailable)
	again, err := other.Seal(t.Context(), "acme", "source", "mail", []byte("entered again"))
	require.NoError(t, err, "what is entered again is sealed by another key")
	got, err := other.OpenText(t.Context(), "acme", "source", "mail", again)
	require.NoError(t, err)
	require.Equal(t, "entered again", string(got))
	got, err = New(first, false, records).OpenText(t.Context(), "acme", "source", "mail", sealed)
	require.NoError(t, err, "the file that came back opens what it sealed")
	require.Equal(t, "hush", string(got))

	var none *Box
	_, err = none.Seal(t.Context(), "acme", "source", "mail", nil)
	require.ErrorIs(t, err, ErrNoKey)
	_, err = none.OpenText(t.Context(), "acme", "source", "mail", sealed)
	require.ErrorIs(t, err, ErrLocked)
}

// A rotation that stops at any write leaves everything open, and one that runs again
// ends it: one master key, and nothing sealed by the old.
func TestARotationMayStopAnywhere(t *testing.T) {
	for stop := range 12 {
		path, records := filepath.Join(t.TempDir(), "secrets.key"), newMemory()
		box := New(path, true, records)
		kept := map[string]string{}
		for _, workspace := range []string{"acme", "other"} {
			sealed, err := box.Seal(t.Context(), workspace, "source", "mail", []byte(workspace))
			require.NoError(t, err)
			kept[workspace] = sealed
		}
		before, err := os.ReadFile(path)
		require.NoError(t, err)
		reseal := func(with *Box) func(context.Context) error {
			return func(ctx context.Context) error {
				for workspace, sealed := range kept {
					stale, err := with.Stale(ctx, workspace, sealed)
					if err != nil {
						return err
					}
					if !stale {
						continue
					}
					plain, err := with.OpenText(ctx, workspace, "source", "mail", sealed)
					if err != nil {
						return err
					}
					again, err := with.Seal(ctx, workspace, "source", "mail", plain)
					if err != nil {
						return err
					}
					kept[workspace] = again
				}
				return nil
			}
		}
		records.left = stop
		_, err = New(path, false, records).Rotate(t.Context(), reseal(New(path, false, records)))
		records.left = -1
		for workspace, sealed := range kept {
			got, err := New(path, false, records).OpenText(t.Context(), workspace, "source", "mail", sealed)
			require.NoError(t, err)
			require.Equal(t, workspace, string(got))
		}
		if err != nil {
			require.ErrorIs(t, err, errStopped)
			anew := New(path, false, records)
			_, err = anew.Rotate(t.Context(), reseal(anew))
			require.NoError(t, err)
		}
		after, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NotContains(t, string(after), strings.TrimSpace(string(before)))
		require.Len(t, strings.Fields(string(after)), 1)
		for workspace, sealed := range kept {
			_, err := New(path, false, records).OpenText(t.Context(), workspace, "source", "mail", sealed)
			require.NoError(t, err)
			got, err := box.OpenText(t.Context(), workspace, "source", "mail", sealed)
			require.NoError(t, err, "another process reads the file again")
			require.Equal(t, workspace, string(got))
		}
	}
}

// A process that read the file before a rotation by another makes no key that only the
// old master key opens.
func TestAKeyThatIsMadeAfterARotationElsewhereOpensByTheNewFile(t *testing.T) {
	path, records := filepath.Join(t.TempDir(), "secrets.key"), newMemory()
	running := New(path, true, records)
	_, err := running.Seal(t.Context(), "acme", "source", "mail", []byte("hush"))
	require.NoError(t, err)
	_, err = New(path, false, records).Rotate(t.Context(), func(context.Context) error { return nil })
	require.NoError(t, err)
	sealed, err := running.Seal(t.Context(), "other", "source", "mail", []byte("new here"))
	require.NoError(t, err)
	got, err := New(path, false, records).OpenText(t.Context(), "other", "source", "mail", sealed)
	require.NoError(t, err)
	require.Equal(t, "new here", string(got))
}

func TestManyAtOnceHaveOneKey(t *testing.T) {
	path, records := filepath.Join(t.TempDir(), "secrets.key"), newMemory()
	require.NoError(t, New(path, true, records).Ready())
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			box := New(path, false, records)
			sealed, err := box.Seal(context.Background(), "acme", "k", "i", []byte("x"))
			if err == nil {
				_, err = New(path, false, records).OpenText(context.Background(), "acme", "k", "i", sealed)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// What is sealed by a key that is gone is named record by record until it is sealed again,
// whatever else was sealed since and however often the process starts.
func TestWhatIsLockedIsNamedUntilItIsSealedAgain(t *testing.T) {
	records, dir := newMemory(), t.TempDir()
	seal := func(path, id string) {
		t.Helper()
		_, err := New(path, true, records).Seal(t.Context(), "acme", "source", id, []byte("a secret"))
		require.NoError(t, err)
	}
	lost, now := filepath.Join(dir, "lost"), filepath.Join(dir, "now")
	seal(lost, "mail")
	seal(lost, "crm")
	locked := func(path string) []RecordKey {
		t.Helper()
		found, err := New(path, true, records).Locked(t.Context())
		require.NoError(t, err)
		return found
	}
	require.Empty(t, locked(lost))
	require.Equal(t, []RecordKey{{"acme", "source", "crm"}, {"acme", "source", "mail"}}, locked(now))
	seal(now, "mail")
	require.Equal(t, []RecordKey{{"acme", "source", "crm"}}, locked(now))
	seal(now, "crm")
	require.Empty(t, locked(now))
}
