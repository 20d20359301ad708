package bench

import (
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Timing is how long things took, in a histogram: each value is kept to three
// digits, from a microsecond to an hour, so that timings of several workers can
// be merged without averaging. It is for one goroutine; merge those of others.
type Timing struct {
	histogram *hdrhistogram.Histogram
	// beyond counts what took longer than an hour, which is recorded as one.
	beyond int64
}

// NewTiming has nothing recorded yet.
func NewTiming() *Timing {
	return &Timing{histogram: hdrhistogram.New(int64(time.Microsecond), int64(time.Hour), 3)}
}

// Record adds one. What is timed at a fixed rate is timed from when it should
// have begun, so that waiting in line counts.
func (t *Timing) Record(took time.Duration) {
	if took > time.Hour {
		took = time.Hour
		t.beyond++
	}
	// It fails for what is out of the bounds alone, which cannot be here.
	_ = t.histogram.RecordValue(int64(max(took, 0)))
}

// Merge adds what another recorded.
func (t *Timing) Merge(other *Timing) {
	t.histogram.Merge(other.histogram)
	t.beyond += other.beyond
}

// Count is how many were recorded.
func (t *Timing) Count() int64 { return t.histogram.TotalCount() }

// Percentile is what p percent took at most: 50 is the median.
func (t *Timing) Percentile(p float64) time.Duration {
	return time.Duration(t.histogram.ValueAtQuantile(p))
}

// Max is the longest.
func (t *Timing) Max() time.Duration { return time.Duration(t.histogram.Max()) }

// String is a line for people.
func (t *Timing) String() string {
	text := fmt.Sprintf("%d: p50 %s, p90 %s, p99 %s, p99.9 %s, max %s", t.Count(),
		round(t.Percentile(50)), round(t.Percentile(90)), round(t.Percentile(99)), round(t.Percentile(99.9)), round(t.Max()))
	if t.beyond > 0 {
		text += fmt.Sprintf(", %d over an hour", t.beyond)
	}
	return text
}

// round keeps about three digits.
func round(d time.Duration) time.Duration {
	for unit := time.Second; unit > time.Microsecond; unit /= 10 {
		if d >= unit {
			return d.Round(unit / 100)
		}
	}
	return d
}
