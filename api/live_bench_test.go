package api_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/api"
	"tidings/event"
	"tidings/live"
)

// BenchmarkSockets announces 1,000 events a second to 1,000 sockets in 200
// workspaces, five deliveries each, and times them from when each was due. CPU
// is the whole process, clients included.
//
//	go test -run '^$' -bench Sockets -benchtime 10000x ./api
func BenchmarkSockets(b *testing.B) {
	const workspaces, each, rate = 200, 5, 1000
	s := newLiveSite(b, func(_ *live.Config, l *api.LiveHandler) {
		l.Caller = func(r *http.Request) (account.Caller, bool) {
			return account.Caller{Workspace: strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), Role: account.RoleRead}, true
		}
	})
	took := hdrhistogram.New(1, int64(time.Minute/time.Microsecond), 3)
	var mu sync.Mutex
	var began time.Time
	due := func(i int) time.Time { return began.Add(time.Duration(i) * time.Second / rate) }
	var clients sync.WaitGroup
	for i := range workspaces * each {
		c := s.connect(fmt.Sprint("w", i%workspaces))
		c.subscribe("a", "pricing", "")
		expected := (b.N - i%workspaces + workspaces - 1) / workspaces
		clients.Go(func() {
			_ = c.SetReadDeadline(time.Now().Add(10 * time.Minute))
			for range expected {
				_, raw, err := c.ReadMessage()
				now := time.Now()
				if err != nil {
					b.Error(err)
					return
				}
				_, rest, _ := bytes.Cut(raw, []byte(`"message":"`))
				n, _ := strconv.Atoi(string(rest[:bytes.IndexByte(rest, '"')]))
				mu.Lock()
				_ = took.RecordValue(now.Sub(due(n)).Microseconds())
				mu.Unlock()
			}
		})
	}
	announcements := make([]event.Announcement, b.N)
	for i := range announcements {
		announcements[i] = announced(fmt.Sprint("w", i%workspaces), "ana", event.Send, fmt.Sprint(i), "Pricing proposal")
	}
	cpu := cpuTime(b)
	began = time.Now()
	b.ResetTimer()
	for i, a := range announcements {
		time.Sleep(time.Until(due(i)))
		s.log.announce(a)
	}
	clients.Wait()
	b.StopTimer()
	deliveries := float64(b.N * each)
	require.EqualValues(b, deliveries, took.TotalCount())
	b.ReportMetric(deliveries/time.Since(began).Seconds(), "deliveries/s")
	b.ReportMetric(deliveries/(cpuTime(b)-cpu).Seconds(), "deliveries/cpu-s")
	b.ReportMetric(float64(took.ValueAtPercentile(50))/1000, "p50-ms")
	b.ReportMetric(float64(took.ValueAtPercentile(99))/1000, "p99-ms")
}

// cpuTime is what the process has used.
func cpuTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
