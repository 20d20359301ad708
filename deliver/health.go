package deliver

import "time"

// Mode is whether an endpoint is sent to.
type Mode string

// The modes.
const (
	OK Mode = "ok"
	// Failing is five failures in a row; it is sent to all the same.
	Failing Mode = "failing"
	// Paused is sent one delivery at the end of each pause, to see whether it works again.
	Paused Mode = "paused"
	// Disabled is sent nothing until somebody enables it.
	Disabled Mode = "disabled"
)

// Bounds of an endpoint's health.
const (
	failingAfter = 5
	pausedAfter  = 8
	firstPause   = time.Minute
	longestPause = 30 * time.Minute
	// An endpoint is disabled when there was nothing but failures for disabledAfter, of
	// which one came disabledApart or more after the first.
	disabledAfter = 5 * 24 * time.Hour
	disabledApart = 12 * time.Hour
	// EnableAfter is how long after it was disabled an endpoint cannot be enabled.
	EnableAfter = 5 * time.Minute
)

// Health is how an endpoint has answered lately.
type Health struct {
	Mode Mode `json:"mode"`
	// Failures are those in a row, First the time of the first of them and Last of the
	// newest. Times are Unix milliseconds.
	Failures int   `json:"failures,omitempty"`
	First    int64 `json:"first,omitempty"`
	Last     int64 `json:"last,omitempty"`
	// Until is the end of a pause, and Pauses how many there were in a row.
	Until  int64 `json:"until,omitempty"`
	Pauses int   `json:"pauses,omitempty"`
	// Since is when the mode began, and Why what brought it about.
	Since int64  `json:"since,omitempty"`
	Why   string `json:"why,omitempty"`
	// Success is when something was taken last, to the minute.
	Success int64 `json:"success,omitempty"`
}

// Sendable reports whether anything may be sent, and whether only one delivery: the one
// that tries.
func (h Health) Sendable(now time.Time) (may, probe bool) {
	switch h.Mode {
	case Disabled:
		return false, false
	case Paused:
		return millis(now) >= h.Until, true
	}
	return true, false
}

// succeeded forgets every failure. Where there were none, the time is kept to the minute: that
// all is well is not written down with each delivery.
func (h *Health) succeeded(now time.Time) {
	if h.Mode == OK && h.Failures == 0 && h.Success != 0 && millis(now)-h.Success < time.Minute.Milliseconds() {
		return
	}
	since := h.Since
	if h.Mode != OK {
		since = millis(now)
	}
	*h = Health{Mode: OK, Since: since, Success: millis(now)}
}

// failed counts a failure. gone says that the other side wants nothing any more (410),
// asked how long it wants to be left alone (429 and 503 with Retry-After).
func (h *Health) failed(now time.Time, why string, gone bool, asked time.Duration) {
	at := millis(now)
	if h.Mode == Disabled {
		return // What was under way when it was disabled tells nothing new.
	}
	if h.Failures == 0 {
		h.First = at
	}
	h.Failures, h.Last = h.Failures+1, at
	lasted := time.Duration(at-h.First) * time.Millisecond
	switch {
	case gone:
		h.turn(Disabled, at, "it answered 410: it wants nothing any more")
	case lasted >= disabledAfter && lasted >= disabledApart:
		h.turn(Disabled, at, "nothing but failures for 5 days; the last: "+why)
	case asked > 0:
		h.pause(now, min(asked, maxRetryAfter), why)
	case h.Failures >= pausedAfter && (h.Mode != Paused || at >= h.Until):
		h.pause(now, min(firstPause<<min(h.Pauses, 10), longestPause), why)
	case h.Failures >= failingAfter && h.Mode != Paused:
		h.turn(Failing, at, why)
	}
}

func (h *Health) pause(now time.Time, long time.Duration, why string) {
	h.turn(Paused, millis(now), why)
	h.Pauses++
	h.Until = max(h.Until, millis(now.Add(long)))
}

func (h *Health) turn(mode Mode, at int64, why string) {
	if h.Mode != mode {
		h.Mode, h.Since = mode, at
	}
	h.Why = why
}

// Enable makes an endpoint like new. It reports when it may be, where that is later.
func (h *Health) Enable(now time.Time) (from time.Time, ok bool) {
	from = time.UnixMilli(h.Since).Add(EnableAfter)
	if h.Mode == Disabled && now.Before(from) {
		return from, false
	}
	*h = Health{Mode: OK, Since: millis(now), Success: h.Success}
	return now, true
}
