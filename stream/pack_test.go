package stream

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tidings/event"
	"tidings/indexer"
)

// messagesOn is how many messages EVENTS has.
func messagesOn(t testing.TB, s *Stream) int {
	t.Helper()
	events, err := s.stream(t.Context(), eventsName)
	require.NoError(t, err)
	return int(events.CachedInfo().State.Msgs)
}

func idsOf(events []event.Event) (ids []event.ID) {
	for _, e := range events {
		ids = append(ids, e.ID)
	}
	return ids
}

func TestALargeRequestIsPacked(t *testing.T) {
	s := open(t, Config{LiveBurst: 300, LiveRate: 1e-9})
	few := someEvents("acme", 1000, packFrom-1)
	publish(t, s, event.LaneLive, few...)
	require.Equal(t, packFrom-1, messagesOn(t, s), "a small one goes event by event")
	ackAll(t, pull(t, s, len(few)))

	events := slices.Concat(someEvents("acme", 0, 150), someEvents("other", 0, 10), someEvents("acme", 150, 90))
	events[20].Body = strings.Repeat("\n long", packBytes/3)
	publish(t, s, event.LaneLive, events...)
	drainedTo(t, s, int64(len(events)))
	require.Less(t, messagesOn(t, s)-len(few), 12)

	in := pull(t, s, len(events))
	var got []event.Event
	for _, d := range in {
		require.Equal(t, event.LaneLive, d.(*delivery).Lane())
		require.False(t, d.Repeated())
		got = append(got, decode(t, d))
	}
	require.Equal(t, events, got)
	require.EqualValues(t, len(events), s.Stats().WaitingLive)
	ackAll(t, in[1:])
	drainedTo(t, s, firstPack(in)) // its pack waits for the first
	require.NoError(t, in[0].Ack())
	drained(t, s)

	// What is beyond the live lane goes to the other, in packs of its own.
	publish(t, s, event.LaneLive, someEvents("acme", 500, 100)...)
	var lanesOf [2]int
	for _, d := range pull(t, s, 100) {
		lanesOf[laneAt(d.(*delivery).Lane())]++
		require.NoError(t, d.Ack())
	}
	require.Equal(t, [2]int{300 - (packFrom - 1) - 240, 100 - (300 - (packFrom - 1) - 240)}, lanesOf)
}

// firstPack is how many events came in the first message.
func firstPack(in []indexer.Delivery) (n int64) {
	for _, d := range in {
		if d.(*delivery).pack == in[0].(*delivery).pack {
			n++
		}
	}
	return n
}

// Whatever becomes of the events of packs, in whatever order, each is done with once, and
// what failed for good is a dead letter alone.
func TestWhateverBecomesOfAPack(t *testing.T) {
	fewerChecks(t)
	rapid.Check(t, func(rt *rapid.T) {
		cfg := quick(2)
		cfg.Dir = t.TempDir()
		s, err := Open(t.Context(), cfg)
		require.NoError(t, err)
		defer func() { require.NoError(t, s.Close()) }()
		n := rapid.IntRange(packFrom, 3*packMost).Draw(rt, "events")
		events := someEvents("acme", 0, n)
		publish(t, s, rapid.SampledFrom(lanes[:]).Draw(rt, "lane"), events...)
		left, failed, dead := map[event.ID]bool{}, map[event.ID]int{}, map[event.ID]bool{}
		for _, id := range idsOf(events) {
			left[id] = true
		}
		for len(left) > 0 {
			got := pull(t, s, 1)
			more, err := pullAny(t.Context(), s, rapid.IntRange(1, 100).Draw(rt, "most"), 0)
			require.NoError(t, err)
			for _, d := range rapid.Permutation(append(got, more...)).Draw(rt, "order") {
				id := decode(t, d).ID
				require.True(t, left[id], "it was done with")
				switch rapid.SampledFrom([]string{"ack", "ack", "ack", "ack", "retry", "fail", "reject", "hold", "extend"}).Draw(rt, "end") {
				case "retry":
					require.NoError(t, d.Retry(time.Millisecond))
				case "fail":
					require.NoError(t, d.Fail(t.Context(), errors.New("poison")))
					if failed[id]++; failed[id] == 2 {
						delete(left, id)
						dead[id] = true
					}
				case "reject":
					require.NoError(t, d.Reject(t.Context(), errors.New("conflict")))
					delete(left, id)
					dead[id] = true
				case "hold":
					require.NoError(t, d.(*delivery).Hold(t.Context(), event.WeekOf(0), errors.New("damaged")))
					delete(left, id)
					dead[id] = true
				case "extend":
					require.NoError(t, d.Extend())
					fallthrough
				default:
					require.NoError(t, d.Ack())
					delete(left, id)
				}
			}
		}
		drained(t, s)
		letters, err := s.DeadLetters(t.Context(), "acme", "", 0)
		require.NoError(t, err)
		require.Len(t, letters, len(dead))
		for _, letter := range letters {
			id, err := event.ParseID(letter.ID)
			require.NoError(t, err)
			require.True(t, dead[id])
		}
	})
}

func TestAnEventThatLeavesItsPackComesAgainAlone(t *testing.T) {
	clock := &shiftedClock{}
	s := open(t, Config{Clock: clock.now})
	events := someEvents("acme", 0, 40)
	publish(t, s, event.LaneLive, events...)
	in := pull(t, s, 40)
	for i, d := range in {
		if i == 7 {
			require.NoError(t, d.Retry(time.Minute))
			continue
		}
		require.NoError(t, d.Ack())
	}
	drainedTo(t, s, 1)
	pullNone(t, s) // a minute is not over
	// The server asks again within RetryMax by its own clock, which no test moves: the
	// message is looked at as it would be then.
	last := s.figures.lastSequence.Load()
	stream, err := s.stream(t.Context(), eventsName)
	require.NoError(t, err)
	message, err := stream.GetMsg(t.Context(), last)
	require.NoError(t, err)
	early := func() time.Duration { return s.early(asMessage{header: message.Header}) }
	require.InDelta(t, time.Minute, early(), float64(20*time.Second))
	clock.advance(-24 * time.Hour)
	require.Equal(t, s.cfg.RetryMax, early(), "a clock that was set back")
	clock.advance(24*time.Hour + time.Minute)
	require.LessOrEqual(t, early(), time.Duration(0))
	require.Equal(t, events[7].ID.String(), message.Header.Get(idHeader))
}

func TestAPackOfWhichNothingIsDoneComesAgainWhole(t *testing.T) {
	s := open(t, Config{})
	publish(t, s, event.LaneBulk, someEvents("acme", 0, 100)...)
	before := messagesOn(t, s)
	for _, d := range pull(t, s, 100) {
		require.NoError(t, d.Retry(time.Millisecond))
	}
	in := pull(t, s, 100)
	for _, d := range in {
		require.True(t, d.Repeated())
	}
	require.Equal(t, before, messagesOn(t, s), "nothing is written anew while a store is away")
	ackAll(t, in)
	drained(t, s)
}

// How many events wait is known again after a start, and a kill.
func TestTheBacklogCountsEventsAfterAReopen(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, Config{Dir: dir})
	publish(t, s, event.LaneLive, someEvents("acme", 0, 200)...)
	publish(t, s, event.LaneBulk, someEvents("other", 0, 300)...)
	publish(t, s, event.LaneBulk, someEvents("few", 0, 3)...)
	got, err := s.Pull(t.Context(), event.LaneLive, packMost, patience)
	require.NoError(t, err)
	ackAll(t, got)
	left := int64(503 - len(got))
	require.NoError(t, s.Close())

	s = openIn(t, Config{Dir: dir, Backlog: 503})
	require.LessOrEqual(t, left, s.Backlog(), "never too low")
	require.LessOrEqual(t, s.Backlog(), int64(503))
	_, err = s.Pull(t.Context(), event.LaneBulk, 1, patience)
	require.NoError(t, err)
	require.ErrorAs(t, s.Publish(t.Context(), event.LaneBulk, someEvents("more", 0, 503)), new(*event.TooMuch))
}

// What an older version put into the queue comes out beside what this one does.
func TestMessagesOfOneEventStayReadable(t *testing.T) {
	s := open(t, Config{})
	events := someEvents("acme", 0, 100)
	var old []*nats.Msg
	for i := range events[:50] {
		old = append(old, eventMessage(event.LaneLive, "acme", events[i].ID.String(), events[i].AppendJSON(nil)))
	}
	require.NoError(t, s.submit(t.Context(), old))
	publish(t, s, event.LaneLive, events[50:]...)
	var got []event.Event
	for _, d := range pull(t, s, 100) {
		got = append(got, decode(t, d))
		require.NoError(t, d.Ack())
	}
	require.Equal(t, events, got)
	drained(t, s)
}

func TestABadLineOfAPackHurtsNoOther(t *testing.T) {
	s := open(t, quick(1))
	events := someEvents("acme", 0, 3)
	foreign := anEvent("other", 1)
	lines := [][]byte{events[0].AppendJSON(nil), []byte("{nonsense"), events[1].AppendJSON(nil), foreign.AppendJSON(nil), []byte(`{"id":"` + events[2].ID.String() + `","t":"soon"}`)}
	message := &nats.Msg{Subject: eventSubject(event.LaneLive, "acme"), Header: nats.Header{countHeader: {fmt.Sprint(len(lines))}}, Data: []byte(join(lines))}
	require.NoError(t, s.submit(t.Context(), []*nats.Msg{message}))
	var got []event.ID
	for _, d := range pull(t, s, len(lines)) {
		e, err := d.Event()
		if err != nil {
			require.NoError(t, d.Fail(t.Context(), err))
			continue
		}
		got = append(got, e.ID)
		require.NoError(t, d.Ack())
	}
	require.Equal(t, idsOf(events[:2]), got)
	drained(t, s)
	letters, err := s.DeadLetters(t.Context(), "acme", "", 0)
	require.NoError(t, err)
	require.Len(t, letters, 3)
	require.True(t, slices.ContainsFunc(letters, func(l event.DeadLetter) bool { return l.ID == events[2].ID.String() }))
	require.True(t, slices.ContainsFunc(letters, func(l event.DeadLetter) bool { return l.ID == foreign.ID.String() }))
}

func join(lines [][]byte) string {
	var text []string
	for _, line := range lines {
		text = append(text, string(line))
	}
	return strings.Join(text, "\n")
}

// An event of a pack that a workspace published takes its share, as one alone does.
func TestAFloodOfPacksRefusesItsOwnWorkspace(t *testing.T) {
	s := open(t, Config{Backlog: 1000})
	publish(t, s, event.LaneLive, someEvents("flood", 0, 700)...)
	require.ErrorAs(t, s.Publish(t.Context(), event.LaneLive, someEvents("flood", 1000, 240)), new(*event.TooMuch))
	publish(t, s, event.LaneLive, someEvents("acme", 0, 100)...)
	ackAll(t, pull(t, s, 800))
	drained(t, s)
	publish(t, s, event.LaneLive, someEvents("flood", 1000, 100)...)
}

// asMessage is a message that only has headers.
type asMessage struct {
	jetstream.Msg
	header nats.Header
}

func (m asMessage) Headers() nats.Header { return m.header }
