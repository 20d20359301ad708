package stream

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/indexer"
	"tidings/live"
	"tidings/tracing"
)

// listener collects what Follow says.
type listener struct {
	mu      sync.Mutex
	entries []live.Entry
}

func (l *listener) hear(e live.Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = append(l.entries, e)
}

func (l *listener) heard() []live.Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]live.Entry(nil), l.entries...)
}

// listen follows until the test ends or stop is called.
func listen(t testing.TB, s *Stream) (l *listener, stop func()) {
	l = &listener{}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Follow(ctx, l.hear) }()
	stop = sync.OnceFunc(func() {
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
	})
	t.Cleanup(stop)
	return l, stop
}

// announce announces n events by so few at once that each is a message.
func announce(t testing.TB, a indexer.Announcer, from, n int) {
	t.Helper()
	for ; n >= packFrom; from, n = from+packFrom-1, n-packFrom+1 {
		announce(t, a, from, packFrom-1)
	}
	announcements := make([]event.Announcement, n)
	for i := range announcements {
		e := anEvent("acme.*", from+i)
		announcements[i] = event.Announcement{
			Kind: event.AnnounceEvent, Workspace: e.Workspace, User: fmt.Sprint(from + i), Event: &e,
		}
	}
	require.NoError(t, a.Announce(t.Context(), announcements))
}

// requireRun makes sure that entries are the announcements from 0 to n.
func requireRun(t testing.TB, entries []live.Entry, n int) {
	t.Helper()
	require.Len(t, entries, n)
	for i, e := range entries {
		announcement, err := e.Read()
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint(i), announcement.User)
		require.Equal(t, "acme.*", e.Workspace)
		require.Equal(t, entries[0].Sequence+uint64(i), e.Sequence, "no gap")
		require.Equal(t, anEvent("acme.*", i), *announcement.Event)
		require.WithinDuration(t, time.Now(), e.At, time.Minute)
	}
}

func TestFollowBeginsWithWhatIsKeptAndGoesOn(t *testing.T) {
	s := open(t, Config{})
	require.NoError(t, s.Announce(t.Context(), nil))
	announce(t, s, 0, 2500)
	l, _ := listen(t, s)
	eventually(t, "what is kept", func() bool { return len(l.heard()) == 2500 })
	announce(t, s, 2500, 3)
	announce(t, s, 2503, 20)
	eventually(t, "what is new", func() bool { return len(l.heard()) >= 2523 })
	requireRun(t, l.heard(), 2523)

	bounds, err := s.Bounds(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, l.heard()[0].Sequence, bounds.First)
	require.EqualValues(t, l.heard()[2522].Sequence, bounds.Last)
	require.EqualValues(t, 2523, s.Stats().Announced)
}

func TestFollowBeginsWithABoundedNumberOfTheNewest(t *testing.T) {
	s := open(t, Config{LiveStart: 10})
	announce(t, s, 0, 100)
	l, _ := listen(t, s)
	eventually(t, "the newest", func() bool { return len(l.heard()) >= 10 })
	announce(t, s, 100, 5)
	eventually(t, "what is new", func() bool { return len(l.heard()) >= 15 })
	heard := l.heard()
	require.Len(t, heard, 15)
	bounds, err := s.Bounds(t.Context())
	require.NoError(t, err)
	require.Equal(t, bounds.Last-14, heard[0].Sequence)
}

func TestAnnouncementsSurviveAReopen(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, Config{Dir: dir})
	empty, err := s.Bounds(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, empty.Incarnation)
	require.Equal(t, empty.First-1, empty.Last)
	announce(t, s, 0, 40)
	before, err := s.Bounds(t.Context())
	require.NoError(t, err)
	require.NoError(t, s.Close())

	s = openIn(t, Config{Dir: dir})
	after, err := s.Bounds(t.Context())
	require.NoError(t, err)
	require.Equal(t, before, after)
	require.Equal(t, empty.Incarnation, after.Incarnation)
	l, _ := listen(t, s)
	announce(t, s, 40, 2)
	eventually(t, "all of them", func() bool { return len(l.heard()) >= 42 })
	requireRun(t, l.heard(), 42)

	other := open(t, Config{})
	elsewhere, err := other.Bounds(t.Context())
	require.NoError(t, err)
	require.NotEqual(t, before.Incarnation, elsewhere.Incarnation)
}

func TestOldAnnouncementsGo(t *testing.T) {
	s := open(t, Config{LiveBytes: 64 << 10})
	announce(t, s, 0, 1000)
	bounds, err := s.Bounds(t.Context())
	require.NoError(t, err)
	require.Greater(t, bounds.First, uint64(1))
	require.EqualValues(t, 1000, bounds.Last)
	l, _ := listen(t, s)
	eventually(t, "what is kept", func() bool { return len(l.heard()) == int(bounds.Last-bounds.First+1) })
	require.Equal(t, bounds.First, l.heard()[0].Sequence)
}

// A stream that was made anew begins again, under another incarnation.
func TestFollowNoticesANewStream(t *testing.T) {
	s := open(t, Config{})
	announce(t, s, 0, 10)
	l, _ := listen(t, s)
	eventually(t, "the old ones", func() bool { return len(l.heard()) == 10 })
	before, err := s.Bounds(t.Context())
	require.NoError(t, err)
	require.NoError(t, s.js.DeleteStream(t.Context(), liveName))
	eventually(t, "it is made again", func() bool {
		_, err := s.Bounds(t.Context())
		return err == nil
	})
	announce(t, s, 0, 3)
	eventually(t, "the new ones", func() bool { return len(l.heard()) == 13 })
	requireRun(t, l.heard()[10:], 3)
	after, err := s.Bounds(t.Context())
	require.NoError(t, err)
	require.NotEqual(t, before.Incarnation, after.Incarnation)
}

// Many announcements are few messages, which say them in their order, with their traces;
// where other processes may be of another version, those for single people alone.
func TestManyAreAnnouncedInOneMessage(t *testing.T) {
	s := open(t, Config{})
	l, _ := listen(t, s)
	var all []event.Announcement
	for i := range 3*announcedTogether + 5 {
		e := anEvent("acme.*", i)
		all = append(all, event.Announcement{
			Kind: event.AnnounceNotification, Workspace: e.Workspace, To: fmt.Sprint(i % 3), Event: &e,
			Note: []byte(fmt.Sprintf(`{"unread":%d}`, i)), Trace: fmt.Sprint("trace \"", i),
		})
	}
	e := anEvent("acme.*", 9)
	all[announcedTogether/2] = event.Announcement{Kind: event.AnnounceEvent, Workspace: e.Workspace, Event: &e, Trace: "of all"}
	state := event.State{MessageKey: event.MessageKey{Workspace: "acme.*", Message: "m"}, Version: 3}
	all[announcedTogether] = event.Announcement{Kind: event.AnnounceState, Workspace: e.Workspace, State: &state}
	e = anEvent("other", 1)
	all[len(all)-1] = event.Announcement{Kind: event.AnnounceRead, Workspace: "other", To: "0", Note: []byte(`{"unread":0}`), Trace: "read"}
	said := func(entry live.Entry) []event.Announcement {
		a, err := entry.Read()
		require.NoError(t, err)
		if a.Kind != event.AnnounceSeveral {
			return []event.Announcement{a}
		}
		require.Equal(t, "acme.*", entry.Workspace)
		return a.Each
	}

	// Another workspace between them parts nothing.
	mixed := slices.Insert(slices.Clone(all), 7, all[len(all)-1])
	require.NoError(t, s.Announce(t.Context(), mixed[:len(mixed)-1]))
	heard := func() (heard []event.Announcement) {
		for _, entry := range l.heard() {
			heard = append(heard, said(entry)...)
		}
		return heard
	}
	require.Eventually(t, func() bool { return len(heard()) == len(all) }, patience, time.Millisecond)
	require.Equal(t, all, heard())
	require.Len(t, l.heard(), 4+1)

	var apart []event.Announcement
	messages := 0
	for rest := all; len(rest) > 0; messages++ {
		message, count, err := packAnnouncements(rest, false)
		require.NoError(t, err)
		apart = append(apart, said(live.Entry{Workspace: "acme.*", Read: func() (event.Announcement, error) {
			return readAnnouncement(message.Data, message.Header[tracing.Header])
		}})...)
		rest = rest[count:]
	}
	require.Equal(t, all, apart)
	require.Equal(t, 1+1+1+1+3+1, messages)

	// Few go one by one: what is sent live has positions of its own.
	before := len(l.heard())
	require.NoError(t, s.Announce(t.Context(), []event.Announcement{all[announcedTogether/2], all[announcedTogether]}))
	require.Eventually(t, func() bool { return len(l.heard()) == before+2 }, patience, time.Millisecond)
}
