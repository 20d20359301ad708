package app

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tidings/deliver"
	"tidings/indexer"
	"tidings/notify"
)

// metrics are the numbers that only the whole process knows. The API counts
// requests itself.
type metrics struct {
	steps    *prometheus.HistogramVec
	outcomes *prometheus.CounterVec
	// reevaluations are of messages, corrections of events.
	reevaluations, corrections prometheus.Counter
	deliveries                 *prometheus.CounterVec
	deliveryTime               *prometheus.HistogramVec
	deliveryLate               *prometheus.HistogramVec
	endpointsTurned            *prometheus.CounterVec
	// decisions are about triggers; those lost were discarded before anybody decided.
	decisions    *prometheus.CounterVec
	triggersLost prometheus.Counter
	// beyond are those that a limit kept from being told or kept.
	beyond *prometheus.CounterVec
	// lookedAt is when rules that wait for a time were last looked at, Unix seconds.
	lookedAt prometheus.Gauge
	apart    *prometheus.CounterVec
}

func newMetrics(registry *prometheus.Registry, a *App) *metrics {
	m := &metrics{
		steps: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "tidings_indexer_step_seconds",
			Help:    "Time a step of the indexer takes for a batch.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 15),
		}, []string{"step"}),
		outcomes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tidings_indexer_events_total",
			Help: "Events that left the indexer, by outcome: created, existed, erased, retried, failed, held.",
		}, []string{"outcome"}),
		reevaluations: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tidings_reevaluations_total",
			Help: "Messages of which verdicts were to be judged again.",
		}),
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tidings_notify_decisions_total",
			Help: "Decisions about who is told of what, by outcome, the check that stopped it, and kind.",
		}, []string{"outcome", "check", "kind"}),
		triggersLost: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tidings_notify_lost_total",
			Help: "Events of which nobody was told: their triggers were discarded, or could not be written.",
		}),
		beyond: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tidings_notify_beyond_limit_total",
			Help: "Decisions that a limit changed: of a person or a workspace not told, or not-told ones not kept.",
		}, []string{"limit"}),
		lookedAt: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "tidings_notify_looked_at_timestamp_seconds",
			Help: "When this process last looked at all rules that wait for a time; 0 while another does.",
		}),
		corrections: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tidings_corrected_events_total",
			Help: "Stored events whose verdict, subject or user was put right.",
		}),
	}
	m.apart = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "tidings_names_kept_apart_total",
		Help: "Names told of a message that stay another message's: of another mail, or beyond the bound of names or recipients.",
	}, []string{"why"})
	for _, why := range []indexer.Apart{indexer.ApartOtherMail, indexer.ApartNames, indexer.ApartRecipients} {
		m.apart.WithLabelValues(string(why))
	}
	for _, limit := range []string{notify.BeyondPerson, notify.BeyondWorkspace, notify.BeyondNotTold} {
		m.beyond.WithLabelValues(limit)
	}
	for _, kind := range notify.Kinds {
		m.decisions.WithLabelValues(string(notify.Notified), "", string(kind))
	}
	m.deliveries = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "tidings_deliveries_total",
		Help: "Tries to deliver to endpoints, by channel and by what became of the delivery: sent, waiting, failed.",
	}, []string{"channel", "result"})
	for _, kind := range deliver.Kinds {
		for _, result := range []string{"sent", "waiting", "failed"} {
			m.deliveries.WithLabelValues(string(kind), result)
		}
	}
	m.deliveryTime = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "tidings_delivery_seconds", Help: "Time a try to deliver takes.", Buckets: prometheus.ExponentialBuckets(0.005, 2, 13),
	}, []string{"channel"})
	m.deliveryLate = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "tidings_delivery_late_seconds", Help: "How long after it was due a try to deliver begins.", Buckets: prometheus.ExponentialBuckets(0.005, 4, 11),
	}, []string{"channel"})
	m.endpointsTurned = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "tidings_endpoints_turned_total",
		Help: "Endpoints that became ok, failing, paused or disabled by what tries found.",
	}, []string{"channel", "mode"})
	for _, kind := range deliver.Kinds {
		m.deliveryLate.WithLabelValues(string(kind))
		for _, mode := range []deliver.Mode{deliver.OK, deliver.Failing, deliver.Paused, deliver.Disabled} {
			m.endpointsTurned.WithLabelValues(string(kind), string(mode))
		}
	}
	registry.MustRegister(
		m.deliveries, m.deliveryTime, m.deliveryLate, m.endpointsTurned, m.steps, m.outcomes, m.reevaluations, m.corrections, m.apart, m.decisions, m.triggersLost, m.beyond, m.lookedAt, readiness{a},
		gauge("tidings_notify_waiting_messages", "Messages of triggers that are not decided yet, as this process saw it within the last half minute.", func() float64 {
			return float64(a.Stream.TriggersBehind().Waiting)
		}),
		gauge("tidings_notify_oldest_seconds", "Age of the oldest trigger that is not decided yet.", func() float64 {
			return a.Stream.TriggersBehind().Age(time.Now()).Seconds()
		}),
		gauge("tidings_queue_waiting_events", "Events accepted and not indexed yet.", func() float64 {
			return float64(a.Stream.Backlog())
		}),
		gauge("tidings_queue_oldest_seconds", "Age of the oldest event that waits.", func() float64 {
			return a.Stream.Stats().OldestAge.Seconds()
		}),
		gauge("tidings_dead_letters", "Events that failed for good.", func() float64 {
			return float64(a.Stream.Stats().DeadLetters)
		}),
		gauge("tidings_rollover_last_run_timestamp_seconds", "When this process last made a nightly run in which nothing failed.", func() float64 {
			if at := a.rollover.LastMade(); !at.IsZero() {
				return float64(at.Unix())
			}
			return 0
		}),
		gauge("tidings_queue_bound_events", "How many may wait before new events are refused.", func() float64 {
			return float64(a.backlog)
		}),
		gauge("tidings_live_readers", "Open sockets and event streams.", func() float64 {
			return float64(a.Hub.Stats().Readers)
		}),
	)
	return m
}

// readiness says of each part whether it works, when it is asked.
type readiness struct{ app *App }

var readyDesc = prometheus.NewDesc("tidings_ready", "Whether a part that this process stands on works: 1 or 0.", []string{"part"}, nil)

// readyPatience is how long the parts may take to answer while metrics are read.
const readyPatience = 2 * time.Second

// Describe names the metric.
func (r readiness) Describe(descriptions chan<- *prometheus.Desc) { descriptions <- readyDesc }

// Collect asks the parts.
func (r readiness) Collect(metrics chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), readyPatience)
	defer cancel()
	for part, err := range r.app.Readiness(ctx) {
		works := 1.0
		if err != nil {
			works = 0
		}
		metrics <- prometheus.MustNewConstMetric(readyDesc, prometheus.GaugeValue, works, part)
	}
}

func gauge(name, help string, read func() float64) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read)
}

// Tried is told by the worker of each try.
func (m *metrics) Tried(kind deliver.Kind, result string, took, late time.Duration) {
	m.deliveries.WithLabelValues(string(kind), result).Inc()
	m.deliveryTime.WithLabelValues(string(kind)).Observe(took.Seconds())
	m.deliveryLate.WithLabelValues(string(kind)).Observe(late.Seconds())
}

// Turned is told by the worker what has become of an endpoint.
func (m *metrics) Turned(kind deliver.Kind, mode deliver.Mode) {
	m.endpointsTurned.WithLabelValues(string(kind), string(mode)).Inc()
}

// Took is told by the indexer how long a step took.
func (m *metrics) Took(step indexer.Step, d time.Duration) {
	m.steps.WithLabelValues(string(step)).Observe(d.Seconds())
}

// Count is told by the indexer what became of events.
func (m *metrics) Count(outcome indexer.Outcome, n int) {
	m.outcomes.WithLabelValues(string(outcome)).Add(float64(n))
}

// Reevaluates is told by the indexer how many messages are to be judged again.
func (m *metrics) Reevaluates(messages int) { m.reevaluations.Add(float64(messages)) }

// KeptApart is told by the indexer of each name that does not lead to the message that
// it was told of.
func (m *metrics) KeptApart(why indexer.Apart) { m.apart.WithLabelValues(string(why)).Inc() }

// Corrected is told by the indexer how many stored events were put right.
func (m *metrics) Corrected(events int) { m.corrections.Add(float64(events)) }

// Untold is told by the indexer how many events were not handed to notifications.
func (m *metrics) Untold(events int) { m.triggersLost.Add(float64(events)) }
