package stream

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"tidings/event"
)

// quick retries at once, for tests of what comes after.
func quick(attempts int) Config {
	return Config{MaxAttempts: attempts, RetryBase: time.Millisecond, RetryMax: time.Millisecond}
}

// kill fails events until n are dead letters.
func kill(t testing.TB, s *Stream, n int) {
	t.Helper()
	for range n * s.cfg.MaxAttempts {
		require.NoError(t, pull(t, s, 1)[0].Fail(t.Context(), errors.New("mapping refused")))
	}
	dead, err := s.DeadCount(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, n, dead)
}

func TestARejectedEventIsADeadLetterAtOnce(t *testing.T) {
	s := open(t, Config{})
	e := anEvent("acme", 1)
	publish(t, s, event.LaneLive, e)
	require.NoError(t, pull(t, s, 1)[0].Reject(t.Context(), errors.New("taken")))
	pullNone(t, s)
	letters, err := s.DeadLetters(t.Context(), "acme", "", 0)
	require.NoError(t, err)
	require.Len(t, letters, 1)
	require.Equal(t, e.ID.String(), letters[0].ID)
	require.Len(t, letters[0].Attempts, 1)
	require.Equal(t, "taken", letters[0].Attempts[0].Error)
}

func TestPoisonGoesToTheDeadLettersAndItsNeighboursGoThrough(t *testing.T) {
	s := open(t, quick(3))
	events := someEvents("acme", 0, 10)
	publish(t, s, event.LaneLive, events...)
	poison := events[4].ID
	acked, failures := 0, []string{"first", "second", "third"}
	for n := 0; n < 3 || acked < 9; {
		for _, d := range pull(t, s, 1) {
			if decode(t, d).ID == poison {
				require.Equal(t, n > 0, d.Repeated())
				require.NoError(t, d.Fail(t.Context(), errors.New(failures[n])))
				n++
				continue
			}
			require.NoError(t, d.Ack())
			acked++
		}
	}
	drained(t, s)

	letter, err := s.DeadLetter(t.Context(), "acme", poison.String())
	require.NoError(t, err)
	require.Equal(t, poison.String(), letter.ID)
	require.WithinDuration(t, time.Now(), letter.At, time.Minute)
	var e event.Event
	require.NoError(t, json.Unmarshal(letter.Event, &e))
	require.Equal(t, events[4], e)
	require.Len(t, letter.Attempts, 3)
	for i, attempt := range letter.Attempts {
		require.Equal(t, failures[i], attempt.Error)
		require.WithinDuration(t, time.Now(), attempt.At, time.Minute)
	}
	stats := s.Stats()
	require.EqualValues(t, 3, stats.Failed)
	require.EqualValues(t, 1, stats.Dead)
	require.NoError(t, s.refreshSlowly(t.Context()))
	require.EqualValues(t, 1, s.Stats().DeadLetters)
}

func TestAReplayedDeadLetterStartsAfresh(t *testing.T) {
	for _, lane := range lanes {
		t.Run(string(lane), func(t *testing.T) {
			s := open(t, quick(2))
			want := anEvent("acme", 1)
			publish(t, s, lane, want)
			kill(t, s, 1)
			require.NoError(t, s.Replay(t.Context(), "acme", want.ID.String()))
			require.ErrorIs(t, s.Replay(t.Context(), "acme", want.ID.String()), event.ErrNotFound)

			d := pull(t, s, 1)[0]
			require.Equal(t, want, decode(t, d))
			require.Equal(t, lane, d.(*delivery).Lane())
			require.NoError(t, d.Fail(t.Context(), errors.New("once more")))
			d = pull(t, s, 1)[0] // one failure of two: its attempts were forgotten
			require.NoError(t, d.Ack())
			drained(t, s)
			dead, err := s.DeadCount(t.Context())
			require.NoError(t, err)
			require.Zero(t, dead)
		})
	}
}

func TestADroppedDeadLetterIsGone(t *testing.T) {
	s := open(t, quick(1))
	e := anEvent("acme", 1)
	publish(t, s, event.LaneLive, e)
	kill(t, s, 1)
	require.ErrorIs(t, s.Drop(t.Context(), "other", e.ID.String()), event.ErrNotFound)
	require.NoError(t, s.Drop(t.Context(), "acme", e.ID.String()))
	require.ErrorIs(t, s.Drop(t.Context(), "acme", e.ID.String()), event.ErrNotFound)
	_, err := s.DeadLetter(t.Context(), "acme", e.ID.String())
	require.ErrorIs(t, err, event.ErrNotFound)
	pullNone(t, s)
}

func TestDeadLettersAreListedInPagesOfTheirWorkspace(t *testing.T) {
	s := open(t, quick(1))
	publish(t, s, event.LaneLive, someEvents("acme", 0, 25)...)
	publish(t, s, event.LaneLive, someEvents("acme.*", 100, 3)...)
	publish(t, s, event.LaneLive, someEvents("*", 200, 1)...)
	kill(t, s, 29)

	var got []string
	after := ""
	for {
		page, err := s.DeadLetters(t.Context(), "acme", after, 10)
		require.NoError(t, err)
		if len(page) == 0 {
			break
		}
		require.LessOrEqual(t, len(page), 10)
		for _, letter := range page {
			got = append(got, letter.ID)
		}
		after = got[len(got)-1]
		// Where a page ended may be gone when the next one is asked for.
		require.NoError(t, s.Drop(t.Context(), "acme", after))
	}
	require.Len(t, got, 25)
	for i, e := range someEvents("acme", 0, 25) {
		require.Equal(t, e.ID.String(), got[i], "oldest first")
	}
	others, err := s.DeadLetters(t.Context(), "acme.*", "", 0)
	require.NoError(t, err)
	require.Len(t, others, 3)
	none, err := s.DeadLetters(t.Context(), ">", "", 0)
	require.NoError(t, err)
	require.Empty(t, none)
	_, err = s.DeadLetter(t.Context(), "acme", "*")
	require.ErrorIs(t, err, event.ErrNotFound)
}

func TestTheSameEventDeadTwiceIsListedOnce(t *testing.T) {
	s := open(t, quick(1))
	e := anEvent("acme", 1)
	publish(t, s, event.LaneLive, e)
	kill(t, s, 1)
	publish(t, s, event.LaneBulk, e)
	kill(t, s, 1)
}

func TestWhatCannotBeReadEndsAsADeadLetter(t *testing.T) {
	s := open(t, quick(1))
	e := anEvent("acme", 1)
	foreign := anEvent("other", 1)
	data, err := json.Marshal(foreign)
	require.NoError(t, err)
	tests := []struct {
		name, id string
		payload  []byte
		shown    string
	}{
		{"no JSON", e.ID.String(), []byte("\xff{nonsense"), "\"\ufffd{nonsense\""},
		{"no event", anEvent("acme", 2).ID.String(), []byte(`{"t":"soon"}`), `{"t":"soon"}`},
		{"another's event", foreign.ID.String(), data, string(data)},
		{"no id", "", []byte("x"), `"x"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			message := eventMessage(event.LaneLive, "acme", test.id, test.payload)
			if test.id == "" {
				message.Header = nats.Header{}
			}
			require.NoError(t, s.submit(t.Context(), []*nats.Msg{message}))
			d := pull(t, s, 1)[0]
			_, err := d.Event()
			require.ErrorIs(t, err, event.ErrInvalid)
			require.NotContains(t, err.Error(), "nonsense")
			require.NoError(t, d.Fail(t.Context(), err))

			letters, err := s.DeadLetters(t.Context(), "acme", "", 0)
			require.NoError(t, err)
			require.Len(t, letters, 1)
			require.JSONEq(t, test.shown, string(letters[0].Event))
			if test.id != "" {
				require.Equal(t, test.id, letters[0].ID)
			}
			require.NoError(t, s.Replay(t.Context(), "acme", letters[0].ID))
			again := pull(t, s, 1)[0].(*delivery)
			require.Equal(t, test.payload, again.data, "as it was")
			require.NoError(t, again.Ack())
		})
	}
}

func TestALongErrorIsCut(t *testing.T) {
	s := open(t, quick(1))
	e := anEvent("acme", 1)
	publish(t, s, event.LaneLive, e)
	require.NoError(t, pull(t, s, 1)[0].Fail(t.Context(), errors.New(strings.Repeat("ü", 5000))))
	letter, err := s.DeadLetter(t.Context(), "acme", e.ID.String())
	require.NoError(t, err)
	require.Len(t, letter.Attempts, 1)
	require.LessOrEqual(t, len(letter.Attempts[0].Error), longestReason)
}

func TestAFailureThatCannotBeRecordedIsNotCounted(t *testing.T) {
	s := open(t, quick(1))
	publish(t, s, event.LaneLive, anEvent("acme", 1))
	require.ErrorIs(t, pull(t, s, 1)[0].Fail(expired(t), errors.New("broken")), event.ErrUnavailable)
	d := pull(t, s, 1)[0]
	dead, err := s.DeadCount(t.Context())
	require.NoError(t, err)
	require.Zero(t, dead)
	require.NoError(t, d.Ack())
}
