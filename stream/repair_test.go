package stream

import (
	"encoding/binary"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tidings/event"
)

// filledQueue is a directory with events of both lanes and a dead letter, closed.
func filledQueue(t *testing.T, n int) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "stream")
	s, err := Open(t.Context(), Config{Dir: dir, MaxAttempts: 1})
	require.NoError(t, err)
	publish(t, s, event.LaneLive, anEvent("acme", n))
	require.NoError(t, pull(t, s, 1)[0].Fail(t.Context(), errors.New("broken")))
	publish(t, s, event.LaneLive, someEvents("acme", 0, n/2)...)
	publish(t, s, event.LaneBulk, someEvents("acme", n/2, n/2)...)
	require.NoError(t, s.Close())
	require.NoError(t, os.WriteFile(filepath.Join(dir, "identity"), []byte("mine"), 0o600))
	return dir
}

func blocksOf(t *testing.T, dir, name string) []string {
	t.Helper()
	blocks, err := filepath.Glob(filepath.Join(dir, "jetstream", "*", "streams", name, "msgs", "*.blk"))
	require.NoError(t, err)
	require.NotEmpty(t, blocks)
	return blocks
}

func TestARepairedQueueHasAllThatCanBeRead(t *testing.T) {
	const n = 40
	dir := filledQueue(t, n)
	block := blocksOf(t, dir, eventsName)[0]
	raw, err := os.ReadFile(block)
	require.NoError(t, err)
	raw[len(raw)/2] ^= 0x40
	require.NoError(t, os.WriteFile(block, raw, 0o600))

	at := time.Unix(1_790_000_000, 0)
	done, err := Repair(t.Context(), dir, at, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	require.Equal(t, n, done.Events, "all but the damaged one, and the one that failed")
	require.EqualValues(t, 1, done.Missing)
	require.Positive(t, done.Unreadable)
	require.Equal(t, 1, done.DeadLetters)
	require.True(t, strings.HasPrefix(done.SetAside, dir+".damaged-"))
	require.DirExists(t, done.SetAside)
	id, err := os.ReadFile(filepath.Join(dir, "identity"))
	require.NoError(t, err)
	require.Equal(t, "mine", string(id))

	s := openIn(t, Config{Dir: dir})
	given := pull(t, s, n)
	seen := map[event.ID]bool{}
	for _, d := range given {
		seen[decode(t, d).ID] = true
	}
	require.Len(t, seen, n)
	dead, err := s.DeadCount(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 1, dead)
}

// allRecords are the messages of a stream's blocks by their sequence.
func allRecords(t *testing.T, dir, name, prefix string) (messages map[uint64]*nats.Msg, unreadable int64) {
	t.Helper()
	messages = make(map[uint64]*nats.Msg)
	unreadable, err := readRecords(dir, name, prefix, func(r record) error {
		if r.message != nil {
			messages[r.sequence] = r.message
		}
		return nil
	})
	require.NoError(t, err)
	return messages, unreadable
}

// A block that is far larger than any that the server writes, and of which most is
// nothing, is read with no more memory than a few records take.
func TestALargeBlockIsReadInPieces(t *testing.T) {
	dir := filledQueue(t, 20)
	block := blocksOf(t, dir, eventsName)[0]
	want, _ := allRecords(t, dir, eventsName, eventsPrefix)
	whole, err := os.ReadFile(block)
	require.NoError(t, err)
	file, err := os.OpenFile(block, os.O_WRONLY, 0)
	require.NoError(t, err)
	const far = 8 * longestRecord
	_, err = file.WriteAt(whole, far+longestRecord/2+1)
	require.NoError(t, err)
	require.NoError(t, file.Close())
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got, unreadable := allRecords(t, dir, eventsName, eventsPrefix)
	runtime.ReadMemStats(&after)
	require.Equal(t, want, got)
	require.GreaterOrEqual(t, unreadable, int64(far))
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(4*longestRecord))
}

// Whatever a byte becomes and wherever a block ends, what is read was written.
func TestRecordsOfADamagedBlock(t *testing.T) {
	dir := filledQueue(t, 20)
	block := blocksOf(t, dir, eventsName)[0]
	whole, err := os.ReadFile(block)
	require.NoError(t, err)
	want, unreadable := allRecords(t, dir, eventsName, eventsPrefix)
	require.Len(t, want, 21)
	require.Zero(t, unreadable)
	rapid.Check(t, func(rt *rapid.T) {
		raw := append([]byte(nil), whole...)
		at := rapid.IntRange(0, len(raw)-1).Draw(rt, "at")
		if rapid.Bool().Draw(rt, "cut") {
			raw = raw[:at]
		} else {
			end := min(len(raw), at+rapid.IntRange(1, 300).Draw(rt, "bytes"))
			for i := at; i < end; i++ {
				raw[i] ^= rapid.ByteRange(1, 255).Draw(rt, "change")
			}
		}
		require.NoError(t, os.WriteFile(block, raw, 0o600))
		got, _ := allRecords(t, dir, eventsName, eventsPrefix)
		for sequence, message := range got {
			require.Equal(t, want[sequence], message)
		}
		if len(raw) == len(whole) {
			require.GreaterOrEqual(t, len(got), 21-4, "only what was damaged is lost")
		}
	})
}

// The length of headers is under no checksum.
func TestHeadersOfAnotherLengthAreDamaged(t *testing.T) {
	body := []byte("NATS/1.0\r\nTidings-Id: x\r\n\r\n{}")
	for length, good := range map[uint32]bool{uint32(len(body) - 2): true, uint32(len(body)): false, 10: false, 1 << 30: false, 0: false} {
		message, err := messageOf("events.live.x", body, true, binary.LittleEndian.AppendUint32(nil, length))
		if !good {
			require.ErrorIs(t, err, errRecord, length)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, "x", message.Header.Get("Tidings-Id"))
		require.Equal(t, "{}", string(message.Data))
	}
}

// So is the length of a subject. With headers behind it, it shifts what is checked; a
// dead letter has none.
func TestADeadLetterWithASubjectOfAnotherLengthIsDamaged(t *testing.T) {
	dir := filledQueue(t, 2)
	block := blocksOf(t, dir, deadName)[0]
	raw, err := os.ReadFile(block)
	require.NoError(t, err)
	want, _ := allRecords(t, dir, deadName, deadPrefix)
	require.Len(t, want, 1)
	right := binary.LittleEndian.Uint16(raw[20:])
	for length := range uint16(len(raw)) {
		binary.LittleEndian.PutUint16(raw[20:], length)
		require.NoError(t, os.WriteFile(block, raw, 0o600))
		got, _ := allRecords(t, dir, deadName, deadPrefix)
		if length == right {
			require.Equal(t, want, got)
		} else {
			require.Empty(t, got, "a subject of %d bytes", length)
		}
	}
}

// A repair that was killed between two steps is ended by the next.
func TestARepairThatWasKilledIsTakenUp(t *testing.T) {
	for name, kill := range map[string]func(dir string) error{
		"while it was written": func(dir string) error { return os.MkdirAll(filepath.Join(dir+repairEnding, "half"), 0o700) },
		"before the old one was set aside": func(dir string) error {
			_, err := refill(t.Context(), dir, dir+readyEnding, slog.New(slog.DiscardHandler))
			return err
		},
		"before the new one took its place": func(dir string) error {
			_, err := refill(t.Context(), dir, dir+readyEnding, slog.New(slog.DiscardHandler))
			return errors.Join(err, os.Rename(dir, dir+".damaged-1"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filledQueue(t, 4)
			require.NoError(t, kill(dir))
			_, err := Repair(t.Context(), dir, time.Unix(1_790_000_000, 0), slog.New(slog.DiscardHandler))
			require.NoError(t, err)
			s := openIn(t, Config{Dir: dir})
			pull(t, s, 5)
			require.NoDirExists(t, dir+readyEnding)
			require.NoDirExists(t, dir+repairEnding)
		})
	}
}

// What came into the queue after a repair was killed is in the next one too.
func TestARepairTakesWhatCameSinceOneThatWasKilled(t *testing.T) {
	dir := filledQueue(t, 4)
	_, err := refill(t.Context(), dir, dir+readyEnding, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	s, err := Open(t.Context(), Config{Dir: dir})
	require.NoError(t, err)
	publish(t, s, event.LaneLive, anEvent("acme", 99))
	require.NoError(t, s.Close())
	done, err := Repair(t.Context(), dir, time.Unix(1_790_000_000, 0), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	require.Equal(t, 6, done.Events, "with the one that failed")
	_, err = Repair(t.Context(), dir+"-none", time.Unix(1_790_000_000, 0), slog.New(slog.DiscardHandler))
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoDirExists(t, dir+"-none")
}
