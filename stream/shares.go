package stream

import (
	"strings"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"tidings/event"
)

// shareOfFree is how many times as many events of a workspace may wait as there is room
// for more: one that floods alone has three quarters of the backlog, two have three
// sevenths each, and there is always room for who comes next.
const shareOfFree = 3

// shares are the events that wait by workspace, of those that this process published
// since it began. Others wait too, after a restart or of other processes: they take
// room, and are nobody's share. It is safe for concurrent use.
type shares struct {
	mu sync.Mutex
	by map[string]int64 // by token of the workspace
	// ended were published since the last look, and looks are what was published
	// between two of them, oldest first.
	ended load
	looks [len(lanes)][]look
}

// load is a number of events by lane and by workspace.
type load [len(lanes)]map[string]int64

// look is what the stream has up to a sequence.
type look struct {
	upTo uint64
	of   map[string]int64
}

// loadOf counts the events of messages.
func loadOf(messages []*nats.Msg) load {
	var l load
	for _, m := range messages {
		lane, workspace, _ := strings.Cut(m.Subject[len(eventsPrefix):], ".")
		l.add(laneAt(event.Lane(lane)), workspace, eventsOf(m.Header))
	}
	return l
}

func laneAt(name event.Lane) int {
	if name == event.LaneLive {
		return 0
	}
	return 1
}

func (l *load) add(lane int, workspace string, n int64) {
	if l[lane] == nil {
		l[lane] = make(map[string]int64)
	}
	l[lane][workspace] += n
}

func (l *load) merge(other load) {
	for lane, of := range other {
		for workspace, n := range of {
			l.add(lane, workspace, n)
		}
	}
}

// take counts a load as waiting, unless one of its workspaces then had more than its
// share of what is free. Then over is how much too much it is.
func (s *shares) take(l load, free int64) (over int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, of := range l {
		for workspace, n := range of {
			waiting := s.by[workspace] + n
			over = max(over, waiting-shareOfFree*max(0, free))
		}
	}
	if over > 0 {
		return over
	}
	if s.by == nil {
		s.by = make(map[string]int64)
	}
	for _, of := range l {
		for workspace, n := range of {
			s.by[workspace] += n
		}
	}
	return 0
}

// published says that a load which was taken is on the stream, and failed that it is not.
func (s *shares) published(l load) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended.merge(l)
}

func (s *shares) failed(l load) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, of := range l {
		s.gone(of)
	}
}

// begin takes what was published before a look at the stream; published gives it back
// when the look fails.
func (s *shares) begin() load {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := s.ended
	s.ended = load{}
	return seen
}

// end takes in a look: seen is not beyond last, and of each lane all is done up to its
// floor, or all there is where nothing of it waits.
func (s *shares) end(seen load, last uint64, consumers [len(lanes)]*jetstream.ConsumerInfo) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for lane, info := range consumers {
		if len(seen[lane]) > 0 {
			s.looks[lane] = append(s.looks[lane], look{last, seen[lane]})
		}
		floor := info.AckFloor.Stream
		if info.NumPending == 0 && info.NumAckPending == 0 {
			floor = last
		}
		for len(s.looks[lane]) > 0 && s.looks[lane][0].upTo <= floor {
			s.gone(s.looks[lane][0].of)
			s.looks[lane] = s.looks[lane][1:]
		}
	}
}

// gone counts down. The lock is held.
func (s *shares) gone(of map[string]int64) {
	for workspace, n := range of {
		if s.by[workspace] -= n; s.by[workspace] <= 0 {
			delete(s.by, workspace)
		}
	}
}
