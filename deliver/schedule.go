package deliver

import (
	"net/http"
	"strconv"
	"time"
)

// Schedule is how long to wait after the first, second … failure. After the last of it
// nothing is tried any more.
type Schedule []time.Duration

// The schedules. Each delay is after the failure before; a webhook's are 27 h 35 min in
// all. https://www.standardwebhooks.com asks for several days' worth at most.
var (
	webhookSchedule = Schedule{
		5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 10 * time.Hour,
	}
	// Chat is of no use after two hours.
	chatSchedule = Schedule{5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour}
	// A device is told now or looks in the page.
	pushSchedule = Schedule{30 * time.Second, 8 * time.Minute}
	mailSchedule = Schedule{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 4 * time.Hour, 12 * time.Hour}
)

// jitter is by how much a delay varies, up and down.
const jitter = 0.1

// maxRetryAfter is the longest that another side may ask for.
const maxRetryAfter = 24 * time.Hour

// next is how long to wait after the n-th failure, the first being 1; false after the
// last. What the other side asked for wins where it is longer. random is in [0, 1).
func (s Schedule) next(n int, asked time.Duration, random float64) (time.Duration, bool) {
	if n > len(s) {
		return 0, false
	}
	delay := time.Duration(float64(s[n-1]) * (1 - jitter + 2*jitter*random))
	return max(delay, min(asked, maxRetryAfter)), true
}

// retryAfter reads the header: seconds, or a date (RFC 9110, 10.2.3). 0 is none.
func retryAfter(header http.Header, now time.Time) time.Duration {
	text := header.Get("Retry-After")
	if seconds, err := strconv.ParseInt(text, 10, 32); err == nil && seconds > 0 {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil && at.After(now) {
		return at.Sub(now)
	}
	return 0
}
