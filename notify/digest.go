package notify

import (
	"time"

	"tidings/event"
)

// longestDigest bounds a digest of every so long.
const longestDigest = 24 * time.Hour

// Digest gathers what leaves the house by mail or chat.
type Digest struct {
	Daily string `json:"daily,omitempty" doc:"each day at this time of the reader's zone, such as 08:00"`
	Every string `json:"every,omitempty" doc:"at the end of each so long, such as 1h; 24h at most"`
}

func (d *Digest) check() *event.FieldError {
	if d == nil {
		return nil
	}
	every := spanOf(d.Every)
	if d.Every != "" && (every.length < time.Minute || every.length > longestDigest) || d.Every != "" && d.Daily != "" {
		return event.Invalid("digest.every", "is a time such as 1h, 24h at most, and not beside daily")
	}
	if _, err := time.Parse(clock, d.Daily); d.Daily != "" && err != nil {
		return event.Invalid("digest.daily", "is a time such as 08:00")
	}
	return nil
}

// next is when what is gathered now goes.
func (d *Digest) next(now time.Time) time.Time {
	if d.Daily != "" {
		at := onDay(now, d.Daily, 0)
		if !at.After(now) {
			at = onDay(now, d.Daily, 1)
		}
		return at
	}
	every := spanOf(d.Every).length
	return now.Truncate(every).Add(every)
}
