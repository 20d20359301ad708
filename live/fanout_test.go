package live

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/query"
)

// BenchmarkFanOut announces as fast as 1,000 readers in 200 workspaces take it
// in. One operation is one announcement, which five readers receive.
func BenchmarkFanOut(b *testing.B) {
	const workspaces, each = 200, 5
	words := query.Query{Where: query.Words{Terms: []string{query.Analyse("pricing")[0].Stem}}}
	for name, q := range map[string]query.Query{"everything": everything, "words": words} {
		b.Run(name, func(b *testing.B) {
			hub := NewHub(testConfig(nil))
			hub.adopt(Bounds{Incarnation: "one", First: 1})
			ctx, cancel := context.WithCancel(b.Context())
			var delivered atomic.Int64
			var readers sync.WaitGroup
			for i := range workspaces * each {
				r, err := hub.Open(ctx, fmt.Sprint("w", i%workspaces), []string{"ana"})
				require.NoError(b, err)
				_, err = r.Subscribe("s", q, "")
				require.NoError(b, err)
				readers.Go(func() { consume(ctx, r, &delivered) })
			}
			b.ReportAllocs()
			began := time.Now()
			b.ResetTimer()
			for i := range b.N {
				a := announced(fmt.Sprint("w", i%workspaces), "ana", event.Send, "m")
				hub.add(entryOf(uint64(i+1), time.Now(), a), nil)
				for int64(i*each)-delivered.Load() > 50_000 {
					time.Sleep(100 * time.Microsecond)
				}
			}
			for delivered.Load() < int64(b.N*each) {
				time.Sleep(100 * time.Microsecond)
			}
			b.StopTimer()
			b.ReportMetric(float64(delivered.Load())/time.Since(began).Seconds(), "deliveries/s")
			cancel()
			readers.Wait()
		})
	}
}

func consume(ctx context.Context, r *Reader, delivered *atomic.Int64) {
	defer r.Close()
	for {
		deliveries, err := r.Next(ctx)
		if err != nil {
			return
		}
		delivered.Add(int64(len(deliveries)))
		if len(deliveries) > 0 {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-r.Wake():
		}
	}
}
