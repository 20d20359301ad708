package api

import (
	"bytes"
	"net/http"
	"slices"
	"sync"
	"time"

	"tidings/api/hooks"
)

// Bounds of what is remembered of a source's traffic, in this process alone.
const (
	recentKept  = 10
	recentBytes = 16 << 10
	unknownKept = 20
	// windowMinutes is over how long a rate is taken.
	windowMinutes = 60
)

// trafficCounts are how many of each came in.
type trafficCounts struct {
	Requests int64 `json:"requests" doc:"that were authenticated"`
	Events   int64 `json:"events" doc:"made durable"`
	Rejected int64 `json:"rejected" doc:"parts of requests that could not be understood"`
	Unknown  int64 `json:"unknown" doc:"events of the vendor that have no event here"`
	Refused  int64 `json:"refused" doc:"requests that failed authentication; nothing else is kept of them"`
}

func (t *trafficCounts) add(other trafficCounts) {
	t.Requests += other.Requests
	t.Events += other.Events
	t.Rejected += other.Rejected
	t.Unknown += other.Unknown
	t.Refused += other.Refused
}

// sample is one request that came in lately.
type sample struct {
	at     time.Time
	header http.Header
	counts trafficCounts
	reason string
	body   []byte
}

// sourceTraffic is what is remembered of one source.
type sourceTraffic struct {
	total   trafficCounts
	last    time.Time
	minutes [windowMinutes]struct {
		minute int64
		counts trafficCounts
	}
	// unknown counts by the vendor's names.
	unknown map[string]int64
	recent  []sample // newest last
}

// traffic remembers the traffic of sources since the process began. It grows with
// the number of sources alone.
type traffic struct {
	mu       sync.Mutex
	bySource map[[2]string]*sourceTraffic
}

func newTraffic() *traffic { return &traffic{bySource: make(map[[2]string]*sourceTraffic)} }

func (l *traffic) of(workspace, source string) *sourceTraffic {
	key := [2]string{workspace, source}
	t := l.bySource[key]
	if t == nil {
		t = &sourceTraffic{unknown: make(map[string]int64)}
		l.bySource[key] = t
	}
	return t
}

// refused counts a request that failed authentication.
func (l *traffic) refused(workspace, source string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.of(workspace, source).count(trafficCounts{Refused: 1}, now)
}

// took counts an authenticated request, and keeps a part of its body.
func (l *traffic) took(workspace, source string, g sample, unknown []hooks.Unknown) {
	if len(g.body) > recentBytes {
		g.body = g.body[:recentBytes]
	}
	g.body = bytes.Clone(g.body)
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.of(workspace, source)
	t.count(g.counts, g.at)
	t.last = g.at
	for _, u := range unknown {
		if _, known := t.unknown[u.Name]; known || len(t.unknown) < unknownKept {
			t.unknown[u.Name]++
		}
	}
	t.recent = append(t.recent, g)
	if len(t.recent) > recentKept {
		t.recent = slices.Delete(t.recent, 0, len(t.recent)-recentKept)
	}
}

func (t *sourceTraffic) count(what trafficCounts, now time.Time) {
	t.total.add(what)
	minute := now.Unix() / 60
	slot := &t.minutes[minute%windowMinutes]
	if slot.minute != minute {
		slot.minute, slot.counts = minute, trafficCounts{}
	}
	slot.counts.add(what)
}

// Traffic is what a source has brought since the process began.
type Traffic struct {
	Total    trafficCounts    `json:"total" doc:"since the server was started"`
	LastHour trafficCounts    `json:"last_hour"`
	Last     *time.Time       `json:"last" doc:"when the last authenticated request came; null when none has"`
	Unknown  map[string]int64 `json:"unknown" doc:"by the vendor's own names, at most 20"`
}

func (l *traffic) show(workspace, source string, now time.Time) Traffic {
	l.mu.Lock()
	defer l.mu.Unlock()
	t, shown := l.bySource[[2]string{workspace, source}], Traffic{Unknown: map[string]int64{}}
	if t == nil {
		return shown
	}
	shown.Total = t.total
	if !t.last.IsZero() {
		last := t.last.UTC().Truncate(time.Second)
		shown.Last = &last
	}
	for _, slot := range t.minutes {
		if slot.minute > now.Unix()/60-windowMinutes {
			shown.LastHour.add(slot.counts)
		}
	}
	for name, n := range t.unknown {
		shown.Unknown[name] = n
	}
	return shown
}

// PayloadView is a request that came in lately, as it may be shown.
type PayloadView struct {
	At        time.Time `json:"at"`
	MediaType string    `json:"content_type,omitempty"`
	Events    int64     `json:"events"`
	Rejected  int64     `json:"rejected"`
	Unknown   int64     `json:"unknown"`
	Reason    string    `json:"reason,omitempty" doc:"why a part was rejected"`
	Payload   string    `json:"payload" doc:"addresses, secrets and the text of mails hidden, and cut"`
}

// last are the last requests of a source, newest first.
func (l *traffic) last(workspace, source string) []sample {
	l.mu.Lock()
	defer l.mu.Unlock()
	var recent []sample
	if t := l.bySource[[2]string{workspace, source}]; t != nil {
		recent = slices.Clone(t.recent)
	}
	slices.Reverse(recent)
	return recent
}

// payloads are the last requests of a source, newest first.
func (l *traffic) payloads(workspace, source string) []PayloadView {
	views := make([]PayloadView, 0, recentKept)
	for _, g := range l.last(workspace, source) {
		views = append(views, PayloadView{
			At: g.at.UTC().Truncate(time.Second), MediaType: g.header.Get("Content-Type"), Events: g.counts.Events,
			Rejected: g.counts.Rejected, Unknown: g.counts.Unknown,
			Reason: hooks.Masked([]byte(g.reason), maxReason), Payload: hooks.Masked(g.body, shownBytes),
		})
	}
	return views
}

// forget forgets a source.
func (l *traffic) forget(workspace, source string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.bySource, [2]string{workspace, source})
}

// erase forgets the bodies of a workspace: whoever is to be forgotten may be in
// any of them.
func (l *traffic) erase(workspace string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for key, t := range l.bySource {
		if key[0] == workspace {
			t.recent = nil
		}
	}
}
