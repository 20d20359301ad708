package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"tidings/account"
	"tidings/api"
	"tidings/event"
	"tidings/feed"
	"tidings/indexer"
	"tidings/notify"
	"tidings/query"
	"tidings/store/sqlite"
)

// decisionsName is the file of decisions in a data directory.
const decisionsName = "notify.db"

// decisionsKept is how long decisions are kept, and expireEvery how often older ones go.
const (
	decisionsKept = 30 * 24 * time.Hour
	expireEvery   = time.Hour
)

// tickEvery is how often rules that wait for a time are looked at, by whoever holds
// notifyLease.
const (
	tickEvery   = 30 * time.Second
	notifyLease = "notify-times"
	notifyTTL   = 15 * time.Second
)

// openDecisions opens the file of decisions. One that cannot be read is set aside: who was
// told of what is worth less than everything else going on.
func (a *App) openDecisions(ctx context.Context, data string) error {
	err := a.openDecisionsFile(data)
	degraded, damaged := errors.AsType[*event.Degraded](err)
	if !damaged {
		return err
	}
	if err := setPartAside(data, part{name: decisionsName}); err != nil {
		return fmt.Errorf("set the decisions about notifications aside: %w", err)
	}
	a.log.ErrorContext(ctx, "decisions about notifications cannot be read; they were set aside, and are begun anew", "error", degraded)
	a.fileDamage.Store(decisionsName, &event.Degraded{Words: degraded.Words + "; it was set aside and begun anew: who was told of what before is not known, and may be told again"})
	return a.openDecisionsFile(data)
}

func (a *App) openDecisionsFile(data string) error {
	file, err := sqlite.OpenNotify(filepath.Join(data, decisionsName))
	if err == nil {
		a.decisions, a.decisionsFile = file, file
	}
	return err
}

// unread counts what somebody has not read; nil where decisions are kept nowhere.
func (a *App) unread() func(ctx context.Context, workspace, user string) (int, error) {
	if a.decisions == nil {
		return nil
	}
	return func(ctx context.Context, workspace, user string) (int, error) {
		return notify.UnreadOf(ctx, a.decisions, workspace, user)
	}
}

// triggers takes what people may want to be told of; nil where decisions are kept nowhere.
func (a *App) triggers() indexer.Triggers {
	if a.decisions == nil {
		return nil
	}
	return wantedTriggers{a}
}

// wantedTriggers hands on of what people may be told: of most events nobody wants to be,
// and a trigger costs as much as deciding about it.
type wantedTriggers struct{ app *App }

// Trigger returns once what is wanted is on disk. Where it is not known what is, all is.
func (w wantedTriggers) Trigger(ctx context.Context, triggers []event.Trigger) error {
	wanted, err := w.app.notifier.Wanted(ctx, triggers)
	if err != nil {
		if ctx.Err() != nil {
			return err
		}
		w.app.log.WarnContext(ctx, "who wants to be told of events is not known; all are handed on", "error", err)
		wanted = triggers
	}
	return w.app.Stream.Trigger(ctx, wanted)
}

// notifies puts the engine together where there is a store for decisions.
func (a *App) notifies(directory *account.Directory, reader *feed.Reader) {
	if a.decisions == nil {
		return
	}
	keys := account.NewKeys(a.State, time.Now, rand.Reader)
	a.tellOfKeys = func(ctx context.Context) error { return tellOfKeys(ctx, keys, directory, a.notifier) }
	a.notifier = notify.NewEngine(notify.Config{
		Store: a.decisions, Books: notify.NewBooks(api.Recorded(a.State, a.Audit), time.Now), People: directory, History: reader, Events: a.Index,
		Searches: ruleSearches{reader}, Feed: reader, Counts: ruleSearches{reader},
		Announcer: a.Stream, Observer: a.metrics,
	})
}

// ruleSearches reads the texts of rules as their owners type them.
type ruleSearches struct{ reader *feed.Reader }

// Search reads a text; see notify.Searches. What its owner may see is asked elsewhere.
func (s ruleSearches) Search(ctx context.Context, workspace, user, text string) (query.Query, string, error) {
	understood, q, err := s.reader.Understand(ctx, feed.PageRequest{Scope: feed.Scope{Workspace: workspace, Me: user}, Text: text})
	for _, chip := range understood.Chips {
		if chip.Field == "time" {
			return q, chip.Text, err
		}
	}
	return q, "", err
}

// Count counts what a rule asks for; see notify.Counts.
func (s ruleSearches) Count(ctx context.Context, workspace, user string, users []string, text string, since time.Time) (map[event.Type]int, error) {
	stats, err := s.reader.Stats(ctx, feed.StatsRequest{
		Scope: feed.Scope{Workspace: workspace, Users: users, Me: user}, Text: text,
		Filter: query.Filter{Since: since.Unix(), Automated: query.AutomatedShow}, Fields: []feed.StatsField{feed.FieldTotals},
	})
	if err != nil || stats.Totals == nil {
		return nil, err
	}
	return stats.Totals.Types, nil
}

// Figures count what a report says; see notify.Counts.
func (s ruleSearches) Figures(ctx context.Context, workspace, user string, users []string, text string, from, until time.Time) (notify.Figures, error) {
	stats, err := s.reader.Stats(ctx, feed.StatsRequest{
		Scope: feed.Scope{Workspace: workspace, Users: users, Me: user, Zone: from.Location()}, Text: text,
		Filter: query.Filter{Since: from.Unix(), Until: until.Unix()},
		Fields: []feed.StatsField{feed.FieldTotals, feed.FieldUnique, feed.FieldRates, feed.FieldPrevious, feed.FieldAnswerTimes},
	})
	if err != nil {
		return notify.Figures{}, err
	}
	f := notify.Figures{Sends: stats.Totals.Types[event.Send], Recipients: stats.Unique.Recipients, Partial: stats.Partial}
	before := feed.Rates{}
	if stats.Previous != nil {
		f.SendsBefore = stats.Previous.Totals.Types[event.Send]
		before = *stats.Previous.Rates
	}
	f.Open, f.Click = notify.Change{Now: stats.Rates.Open.Rate, Before: before.Open.Rate}, notify.Change{Now: stats.Rates.Click.Rate, Before: before.Click.Rate}
	f.Reply, f.Bounce = notify.Change{Now: stats.Rates.Reply.Rate, Before: before.Reply.Rate}, notify.Change{Now: stats.Rates.Bounce.Rate, Before: before.Bounce.Rate}
	f.Theirs, f.Ours = lasting(stats.AnswerTimes.Theirs.Median), lasting(stats.AnswerTimes.Ours.Median)
	return f, nil
}

func lasting(seconds *int64) *time.Duration {
	if seconds == nil {
		return nil
	}
	d := time.Duration(*seconds) * time.Second
	return &d
}

// keepTime looks at the rules that wait for a time, and each hour at the keys, until ctx
// ends.
func (a *App) keepTime(ctx context.Context) error {
	defer a.metrics.lookedAt.Set(0) // another looks from now on
	ticker := time.NewTicker(tickEvery)
	defer ticker.Stop()
	var looked time.Time
	for {
		if time.Since(looked) >= keysLookedAt {
			looked = time.Now()
			if err := a.tellOfKeys(ctx); err != nil && ctx.Err() == nil {
				a.log.WarnContext(ctx, "people were not all told of keys that end; it is tried again", "error", err)
			}
		}
		if err := a.notifier.Tick(ctx); err != nil && ctx.Err() == nil {
			a.log.WarnContext(ctx, "rules that wait for a time were not all looked at; it is tried again", "error", err)
		} else if err == nil {
			a.metrics.lookedAt.SetToCurrentTime()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

// keepNotifying decides about triggers until ctx ends.
func (a *App) keepNotifying(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		return a.Stream.Triggers(ctx, a.notifier.Handle, func(count uint64) {
			a.metrics.triggersLost.Add(float64(count))
			a.log.ErrorContext(ctx, "triggers were discarded before anybody was told of them", "count", count)
		})
	})
	group.Go(func() error { return a.Stream.RunUnderLease(ctx, notifyLease, notifyTTL, a.keepTime) })
	group.Go(func() error {
		ticker := time.NewTicker(expireEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case now := <-ticker.C:
				if err := a.decisions.Expire(ctx, now.Add(-decisionsKept).UnixMilli()); err != nil {
					a.log.WarnContext(ctx, "deleting old decisions failed; it is tried again", "error", err)
				}
			}
		}
	})
	return group.Wait()
}

// Decided counts a decision.
func (m *metrics) Decided(d notify.Decision) {
	m.decisions.With(prometheus.Labels{"outcome": string(d.Outcome), "check": string(d.Check), "kind": string(d.Kind)}).Inc()
}

// Beyond counts what a limit kept from being told or kept.
func (m *metrics) Beyond(limit string) { m.beyond.WithLabelValues(limit).Inc() }
