package stream

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

// kilobyteEvents are events of about 1 KB as JSON.
func kilobyteEvents(from, n int) []event.Event {
	events := someEvents("acme", from, n)
	for i := range events {
		events[i].Body = strings.Repeat("lorem ipsum ", 65)
	}
	return events
}

// BenchmarkPublish has 8 publishers publish events of 1 KB, so many a call.
func BenchmarkPublish(b *testing.B) {
	for name, each := range map[string]int{"1 a call": 1, "100 a call": 100, "1000 a call": 1000} {
		b.Run(name, func(b *testing.B) {
			s := open(b, Config{LiveBurst: 1 << 30, Backlog: 1 << 40})
			var next atomic.Int64
			events := kilobyteEvents(0, each)
			b.ResetTimer()
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					for next.Add(int64(each)) <= int64(b.N+each-1) {
						if err := s.Publish(b.Context(), event.LaneLive, events); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// BenchmarkPull pulls and acknowledges events of 1 KB, decoded and not.
func BenchmarkPull(b *testing.B) {
	for name, decoded := range map[string]bool{"raw": false, "decoded": true} {
		b.Run(name, func(b *testing.B) {
			s := open(b, Config{LiveBurst: 1 << 30, Backlog: 1 << 40})
			for left := b.N; left > 0; left -= 1000 {
				publish(b, s, event.LaneLive, kilobyteEvents(0, min(left, 1000))...)
			}
			b.ResetTimer()
			for n := 0; n < b.N; {
				got, err := pullAny(b.Context(), s, 1000, time.Second)
				require.NoError(b, err)
				for _, d := range got {
					if decoded {
						_, err = d.Event()
						require.NoError(b, err)
					}
					require.NoError(b, d.Ack())
				}
				n += len(got)
			}
			require.NoError(b, s.conn.Flush())
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// BenchmarkAnnounce announces batches of 500.
func BenchmarkAnnounce(b *testing.B) {
	s := open(b, Config{})
	announcements := make([]event.Announcement, 500)
	for i, e := range kilobyteEvents(0, 500) {
		announcements[i] = event.Announcement{Kind: event.AnnounceEvent, Workspace: "acme", Event: &e}
	}
	b.ResetTimer()
	for n := 0; n < b.N; n += 500 {
		require.NoError(b, s.Announce(b.Context(), announcements))
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
