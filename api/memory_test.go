package api

import (
	"bytes"
	"context"
	"io"
	"runtime"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
)

// HasLarge says whether a large body of a workspace is held.
func (s *Server) HasLarge(workspace string) bool {
	b := s.bodies.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	part := b.of[workspace]
	if part == nil || !part.large.TryAcquire(1) {
		return part != nil
	}
	part.large.Release(1)
	return false
}

// What costs more than a workspace may have counts in full, so that no more of it goes on
// at once than there is memory for. Of each workspace one that is large grows at a time.
func TestALargeBodyCountsInFull(t *testing.T) {
	b := newBudget(1024, 20*time.Millisecond)
	large := b.held("one")
	require.NoError(t, large.grow(t.Context(), 800), "beyond the half of its workspace")
	other := b.held("two")
	require.NoError(t, other.grow(t.Context(), 200))
	require.Error(t, other.grow(t.Context(), 25), "there is no more")
	second := b.held("one")
	require.Error(t, second.grow(t.Context(), 5), "another is large")
	large.release()
	require.NoError(t, second.grow(t.Context(), 400))
	require.NoError(t, b.held("one").grow(t.Context(), 4), "a small one goes on beside it")
	require.NoError(t, other.grow(t.Context(), 300))
	second.release()
	other.release()
	again := b.held("three")
	require.NoError(t, again.grow(t.Context(), 1020))
	require.NoError(t, again.grow(t.Context(), 0))
	again.release()
	require.True(t, b.share.TryAcquire(1020), "all was given back but for the small one")
}

// zeroes is a body of so many bytes, some at a time.
type zeroes struct{ left int }

func (z *zeroes) Read(p []byte) (int, error) {
	n := min(len(p), z.left, 10_000)
	if z.left -= n; n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// A body of a length that was told takes little more memory than that. One that was not
// told truly takes what comes.
func TestABodyTakesItsLength(t *testing.T) {
	const size = 40 << 20
	taken := func(length int64, come int) uint64 {
		var before, after runtime.MemStats
		var buffer bytes.Buffer
		runtime.ReadMemStats(&before)
		require.NoError(t, fill(&buffer, &zeroes{come}, length, size))
		runtime.ReadMemStats(&after)
		require.Equal(t, come, buffer.Len())
		return after.TotalAlloc - before.TotalAlloc
	}
	require.Less(t, taken(size, size), uint64(allocated*size*3/2))
	require.Less(t, taken(size, 1000), uint64(1<<20), "an eighth must have come")
	require.Less(t, taken(-1, size), uint64(allocated*5*size), "by doubling")
	require.Error(t, fill(new(bytes.Buffer), &zeroes{size + 1}, -1, size))
	require.NoError(t, fill(new(bytes.Buffer), &zeroes{}, -1, size))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := newBudget(100, time.Second)
	full := b.held("one")
	require.NoError(t, full.grow(t.Context(), 100))
	require.Error(t, fill(new(bytes.Buffer), &heldReader{ctx: ctx, from: &zeroes{5}, hold: b.held("two"), cost: 1}, 5, size))
}

// What unfolds says at its end, or its beginning, how long it is: room is made for that once,
// and for no more than has come where it lies.
func TestAnUnfoldedBodyTakesItsLength(t *testing.T) {
	const size, zstdOwn = 9 << 20, 12 << 20 // which is its window, and what it reads ahead
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err := w.Write(make([]byte, size))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	require.NoError(t, err)
	frame := encoder.EncodeAll(make([]byte, size), nil)
	require.NoError(t, encoder.Close())
	small := frame[:0:0]
	for encoding, raw := range map[string][]byte{"gzip": packed.Bytes(), "zstd": frame} {
		require.EqualValues(t, size, unfolded(raw, encoding, maxEventsBody))
		require.EqualValues(t, -1, unfolded(raw, encoding, size-1), "more than is taken")
		require.EqualValues(t, -1, unfolded(small, encoding, maxEventsBody))
		b := bodies{budget: newBudget(64<<20, time.Second)}
		for range 2 { // the second time with the decompressor of the first
			var before, after runtime.MemStats
			var plain bytes.Buffer
			runtime.ReadMemStats(&before)
			require.NoError(t, b.decompress(t.Context(), &plain, bytes.NewBuffer(raw), encoding, maxEventsBody, b.budget.held("one")))
			runtime.ReadMemStats(&after)
			require.Equal(t, size, plain.Len())
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(allocated*(2*size+zstdOwn)), encoding)
			b.budget = newBudget(64<<20, time.Second)
		}
	}
}

// On a busy machine the time to wait may be over before anybody has looked.
func TestWhatIsFreeIsTakenWithoutTimeToWait(t *testing.T) {
	b := newBudget(1024, time.Nanosecond)
	one, two := b.held("one"), b.held("two")
	require.NoError(t, one.grow(t.Context(), 500))
	require.Error(t, two.grow(t.Context(), 600))
	one.release()
	require.NoError(t, two.grow(t.Context(), 600))
}

// Bodies that come slowly take what came of them, and leave the rest to others.
func TestSlowBodiesTakeLittle(t *testing.T) {
	b := newBudget(64<<20, 20*time.Millisecond)
	for range 1000 {
		one := &heldReader{ctx: t.Context(), from: &zeroes{10}, hold: b.held("slow"), cost: bodyCost}
		n, err := one.Read(make([]byte, 100))
		require.NoError(t, err)
		require.Equal(t, 10, n)
	}
	require.True(t, b.share.TryAcquire(48<<20))
}
