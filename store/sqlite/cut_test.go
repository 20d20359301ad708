package sqlite

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// A checkpoint writes the first page, with the number of pages, before the last ones.
func TestPagesThatACheckpointIsStillWritingAreNotCutOff(t *testing.T) {
	const page = 512
	path := filepath.Join(t.TempDir(), "week.db")
	write := func(salt string, numbers ...uint32) {
		log := make([]byte, 32)
		copy(log[16:], "saltsalt")
		for _, number := range numbers {
			frame := make([]byte, 24+page)
			binary.BigEndian.PutUint32(frame, number)
			copy(frame[8:], salt)
			log = append(log, frame...)
		}
		require.NoError(t, os.WriteFile(path+"-wal", log, 0o600))
	}
	require.NoError(t, os.WriteFile(path, make([]byte, 3*page), 0o600))
	require.ErrorIs(t, stillCut(path, page, 5), errCut, "there is no log")
	write("saltsalt", 1, 4, 2, 5)
	require.NoError(t, stillCut(path, page, 5))
	require.ErrorIs(t, stillCut(path, page, 6), errCut, "the sixth page is nowhere")
	write("saltsalt", 1, 4)
	require.ErrorIs(t, stillCut(path, page, 5), errCut)
	write("pepperpe", 4, 5)
	require.ErrorIs(t, stillCut(path, page, 5), errCut, "the frames are of an older log")
	require.NoError(t, os.WriteFile(path+"-wal", nil, 0o600))
	require.ErrorIs(t, stillCut(path, page, 5), errCut)
	require.NoError(t, stillCut(path, page, 3))
}

// One flipped bit of the header makes them two thousand million: their numbers fit no memory.
func TestHowManyPagesAreMissingIsNotBelieved(t *testing.T) {
	const page = 8192
	path := filepath.Join(t.TempDir(), "week.db")
	require.NoError(t, os.WriteFile(path, make([]byte, 3*page), 0o600))
	allocated := testing.Benchmark(func(b *testing.B) {
		for b.Loop() {
			require.ErrorIs(b, stillCut(path, page, 1<<31+18), errCut)
		}
	}).AllocedBytesPerOp()
	require.Less(t, allocated, int64(10_000))
}
