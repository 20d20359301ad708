package sqlite

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

// A week's file in the place of another week's, of the same directory, is named as soon as
// it is read.
func TestAFileOfAnotherWeekIsDamage(t *testing.T) {
	for _, sealed := range []bool{false, true} {
		t.Run(fmt.Sprint("sealed ", sealed), func(t *testing.T) {
			ctx, dir := t.Context(), t.TempDir()
			index, err := OpenIndex(dir, IndexConfig{Installation: "here"})
			require.NoError(t, err)
			at := (faultWeek + 1).Start() + 5
			other := event.Event{
				ID: event.NewID(at, "w", "api", true, []byte("b")), Workspace: "w", Type: event.Open, Time: at, Message: "m", Source: "api",
				Recipient: &event.Person{Email: "jo@acme.example"},
			}
			_, err = index.Create(ctx, []event.Event{faultEvent("w", "a", ""), other})
			require.NoError(t, err)
			if sealed {
				require.NoError(t, index.Seal(ctx, faultWeek))
				require.NoError(t, index.Seal(ctx, faultWeek+1))
			}
			require.NoError(t, index.Close())
			require.NoError(t, os.Remove(filepath.Join(dir, faultWeek.String()+endingOf(sealed))))
			require.NoError(t, copyFile(filepath.Join(dir, faultWeek.String()+endingOf(sealed)), filepath.Join(dir, (faultWeek+1).String()+endingOf(sealed))))

			index, err = OpenIndex(dir, IndexConfig{Installation: "here"})
			require.NoError(t, err)
			require.ErrorContains(t, index.Usable(ctx, faultWeek), "another week")
			require.ErrorContains(t, index.Look(ctx), "another week")
			require.NoError(t, index.Usable(ctx, faultWeek+1))
			outcomes, err := index.Create(ctx, []event.Event{faultEvent("w", "c", "")})
			require.NoError(t, err)
			require.ErrorContains(t, outcomes[0].Err, "another week")
			require.NoError(t, index.Close())
		})
	}
}

// A week's file of another data directory is not read as this one's, unless somebody
// puts it there.
func TestAWeekOfElsewhereCountsOnceItIsPutThere(t *testing.T) {
	for _, sealed := range []bool{false, true} {
		t.Run(fmt.Sprint("sealed ", sealed), func(t *testing.T) {
			ctx, there, here := t.Context(), t.TempDir(), t.TempDir()
			open := func(dir, installation string) *Index {
				index, err := OpenIndex(dir, IndexConfig{Installation: installation})
				require.NoError(t, err)
				return index
			}
			elsewhere := open(there, "there")
			_, err := elsewhere.Create(ctx, []event.Event{faultEvent("w", "a", "")})
			require.NoError(t, err)
			if sealed {
				require.NoError(t, elsewhere.Seal(ctx, faultWeek))
			}
			require.NoError(t, elsewhere.Close())
			name := faultWeek.String() + endingOf(sealed)
			require.NoError(t, copyFile(filepath.Join(here, name), filepath.Join(there, name)))

			index := open(here, "here")
			require.ErrorContains(t, index.Look(ctx), "belongs to another data directory")
			made := filepath.Join(here, faultWeek.String()+".restore.new")
			require.NoError(t, copyFile(made, filepath.Join(there, name)))
			require.NoError(t, index.Replace(ctx, faultWeek, made, sealed))
			require.Equal(t, 1, countIn(t, index, "w"))
			require.NoError(t, index.Close())
			index = open(here, "here")
			require.Empty(t, index.Look(ctx))
			require.Equal(t, 1, countIn(t, index, "w"))
			require.NoError(t, index.Close())
		})
	}
}
