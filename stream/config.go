package stream

import (
	"log/slog"
	"math/rand/v2"
	"time"

	"tidings/event"
	"tidings/tracing"
)

// Defaults of Config.
const (
	defaultKeep        = 24 * time.Hour
	defaultEventsBytes = 8 << 30
	defaultLiveAge     = 15 * time.Minute
	defaultLiveBytes   = 64 << 20
	defaultBatchBytes  = 8 << 20
	defaultLiveStart   = 20_000
	defaultBacklog     = 1_000_000
	defaultMaxAttempts = 5
	defaultRetryBase   = time.Second
	defaultRetryMax    = 5 * time.Minute
	defaultLiveRate    = 2_000
	defaultLiveBurst   = 20_000
	defaultAckWait     = time.Minute

	// mostAttempts bounds MaxAttempts, and with it a dead letter's history.
	mostAttempts = 100
	// longestRetry keeps all retries of an event within attemptsTTL.
	longestRetry = time.Hour
)

// Config says where the streams are and how much they hold. Exactly one of Dir
// and URL is set; everything else has a default.
type Config struct {
	// Dir is where a server inside this process keeps its files. Nothing else
	// may use it at the same time.
	Dir string
	// URL is one server or several of a cluster, separated by commas. It needs
	// NATS 2.12 or newer with "sync_interval: always", or an event that was
	// acknowledged may be lost when its machine loses power.
	URL string
	// Credentials is the path of a NATS credentials file for URL, or empty.
	Credentials string
	// Replicas is how many servers of a cluster keep each stream, 1 to 5; 0
	// leaves streams as they are and makes new ones with 1.
	Replicas int

	// Keep is how long acknowledged events stay, so that they can be fed
	// through again.
	Keep time.Duration
	// EventsBytes is how much EVENTS holds before it refuses. With Dir it is
	// half of what the disk can have when that is less.
	EventsBytes int64
	// LiveAge and LiveBytes are how much LIVE keeps.
	LiveAge   time.Duration
	LiveBytes int64
	// BatchBytes bound what is written at once. The server keeps a batch in memory
	// until it is whole.
	BatchBytes int
	// Triggers has a stream of triggers, which Trigger and Triggers need.
	Triggers bool
	// LiveStart is how many of the newest announcements that LIVE keeps Follow
	// begins with, so that a start takes a bounded time.
	LiveStart int

	// Backlog is how many events may wait before Publish says TooMuch.
	Backlog int64
	// LiveRate and LiveBurst are how many events a second, and at once, a
	// workspace may have in the live lane. The rest of what it publishes as
	// live goes to the bulk lane.
	LiveRate  float64
	LiveBurst int

	// MaxAttempts is how often an event may fail of its own before it goes to
	// the dead letters.
	MaxAttempts int
	// RetryBase and RetryMax bound the delay before an event that failed comes
	// again; it doubles from one to the other.
	RetryBase, RetryMax time.Duration
	// AckWait is how long a delivery may take before the event is given out
	// again.
	AckWait time.Duration

	// Clock is the time, for ages and delays that are compared with stored
	// ones. Default time.Now.
	Clock func() time.Time
	// Rand gives numbers in [0, 1), for jitter.
	Rand func() float64
	// Tracer may be nil.
	Tracer *tracing.Tracer
	// Logger hears of outages and of what the in-process server warns of.
	Logger *slog.Logger
}

// withDefaults fills in what was left out and refuses what cannot work.
func (c Config) withDefaults() (Config, error) {
	if (c.Dir == "") == (c.URL == "") {
		return c, event.Invalid("stream", "give a directory or the address of a server, one of them")
	}
	setDefault(&c.Keep, defaultKeep)
	setDefault(&c.EventsBytes, defaultEventsBytes)
	setDefault(&c.LiveAge, defaultLiveAge)
	setDefault(&c.LiveBytes, defaultLiveBytes)
	setDefault(&c.BatchBytes, defaultBatchBytes)
	setDefault(&c.LiveStart, defaultLiveStart)
	setDefault(&c.Backlog, defaultBacklog)
	setDefault(&c.LiveRate, defaultLiveRate)
	setDefault(&c.LiveBurst, defaultLiveBurst)
	setDefault(&c.MaxAttempts, defaultMaxAttempts)
	setDefault(&c.RetryBase, defaultRetryBase)
	setDefault(&c.RetryMax, defaultRetryMax)
	setDefault(&c.AckWait, defaultAckWait)
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Float64
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c, c.check()
}

func (c Config) check() error {
	switch {
	case c.Replicas < 0 || c.Replicas > 5:
		return event.Invalid("stream.replicas", "must be 1 to 5, or 0 to leave it as it is")
	case c.Dir != "" && c.Replicas > 1:
		return event.Invalid("stream.replicas", "must be 1 for a server inside this process")
	case c.MaxAttempts < 1 || c.MaxAttempts > mostAttempts:
		return event.Invalid("stream.max_attempts", "must be 1 to 100")
	case c.RetryBase < 0 || c.RetryMax < c.RetryBase || c.RetryMax > longestRetry:
		return event.Invalid("stream.retry", "must grow, to an hour at most")
	case c.Keep < 0 || c.LiveAge < 0 || c.AckWait < 0:
		return event.Invalid("stream", "a time must not be negative")
	case c.EventsBytes < 0 || c.LiveBytes < 0 || c.LiveStart < 0 || c.BatchBytes < 0 || c.Backlog < 0 || c.LiveRate < 0 || c.LiveBurst < 0:
		return event.Invalid("stream", "a bound must not be negative")
	}
	return nil
}

// setDefault gives a value that was left out its default.
func setDefault[T comparable](value *T, otherwise T) {
	var zero T
	if *value == zero {
		*value = otherwise
	}
}
