package backoff

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestDelaysDoubleWithinTheirBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := time.Duration(rapid.Int64Range(int64(time.Millisecond), int64(time.Second)).Draw(t, "base"))
		most := base * time.Duration(rapid.IntRange(1, 3600).Draw(t, "factor"))
		jitter := rapid.Float64Range(0, 0.999).Draw(t, "jitter")
		delays := Delays{Base: base, Max: most, Random: func() float64 { return jitter }}
		last := time.Duration(0)
		for n := 1; n <= 100; n++ {
			delay := delays.After(n)
			if delay < base/2 || delay > most || delay < last {
				t.Fatalf("delay %d is %v after %v, of %v to %v", n, delay, last, base, most)
			}
			last = delay
		}
	})
}

func TestDelaysAreThese(t *testing.T) {
	delays := Delays{Base: 100 * time.Millisecond, Max: time.Second, Random: func() float64 { return 0 }}
	var failures Failures
	for _, want := range []time.Duration{100, 200, 400, 800, 1000, 1000} {
		require.Equal(t, want*time.Millisecond, failures.Failed(delays))
	}
	failures.Reset()
	require.Equal(t, 100*time.Millisecond, failures.Failed(delays))
	delays.Random = func() float64 { return 0.5 }
	require.Equal(t, 150*time.Millisecond, failures.Failed(delays))
}

func TestDelaysDifferAtRandom(t *testing.T) {
	seen := map[time.Duration]bool{}
	for range 100 {
		seen[Delays{Base: time.Hour, Max: time.Hour}.After(1)] = true
	}
	require.Greater(t, len(seen), 50)
}
