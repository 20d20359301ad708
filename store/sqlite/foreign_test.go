package sqlite

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

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
