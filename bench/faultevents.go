package bench

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	_ "modernc.org/sqlite" // to damage one row of state.db
)

// sentThrice sends every request three times.
func sentThrice(ctx context.Context, r *faultRun) error {
	if err := r.serve(ctx); err != nil {
		return err
	}
	r.begins()
	r.work(ctx, 3, 0, 0)
	if err := errors.Join(wait(ctx, time.Second), r.grow(ctx, faultBatch)); err != nil {
		return err
	}
	r.ends()
	return r.finish(ctx)
}

// poisoned damages what is kept of one message, so that an event of it cannot be indexed
// while its neighbours can, and mends it when the event has become a dead letter.
func poisoned(ctx context.Context, r *faultRun) error {
	if err := r.serve(ctx); err != nil {
		return err
	}
	send := r.next(0)
	if err := errors.Join(r.post(ctx, send), r.await(ctx, "the message is known", func() bool { return r.shows(ctx, send.message) })); err != nil {
		return err
	}
	repair, err := r.damageState(ctx, send.message)
	if err != nil {
		return err
	}
	r.begins()
	late := faultPost{}
	late.add("reply", send.message, "late@acme.example", time.Now().Add(-time.Minute), nil)
	if err := r.post(ctx, late); err != nil {
		return errors.Join(err, repair())
	}
	r.work(ctx, 1, 0, faultPace)
	var letters []deadLetter
	err = r.await(ctx, "it is a dead letter", func() bool {
		letters, err = r.deadLetters(ctx)
		return err == nil && len(letters) > 0
	})
	if err := errors.Join(err, repair()); err != nil {
		return err
	}
	r.must(len(letters) == 1, "it is the only dead letter, and not one of %d", len(letters))
	r.must(len(letters[0].Attempts) == 5, "it was tried five times, and not %d", len(letters[0].Attempts))
	if err := r.rest(); err != nil {
		return err
	}
	if err := r.await(ctx, "its neighbours are there", func() bool {
		found, err := exported(ctx, r.server, faultWorkspace)
		return err == nil && r.book.missing(found) == 1
	}); err != nil {
		return err
	}
	r.ends()
	return errors.Join(r.replayAll(ctx), r.finish(ctx))
}

// shows reports whether the send of a message is in the feed.
func (r *faultRun) shows(ctx context.Context, message string) bool {
	found, err := exported(ctx, r.server, faultWorkspace)
	_, there := found.unopened[message]
	return err == nil && there
}

// damageState makes the state of a message unreadable, and returns how it is repaired.
func (r *faultRun) damageState(ctx context.Context, message string) (repair func() error, err error) {
	file := url.URL{Scheme: "file", Path: filepath.ToSlash(filepath.Join(r.data, "state.db")), RawQuery: "_pragma=busy_timeout(20000)"}
	db, err := sql.Open("sqlite", file.String())
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, db.Close())
		}
	}()
	var row int64
	var doc []byte
	if err := db.QueryRowContext(ctx, "SELECT n, doc FROM state WHERE message = ?", message).Scan(&row, &doc); err != nil {
		return nil, fmt.Errorf("read a state: %w", err)
	}
	write := func(doc []byte) error {
		_, err := db.ExecContext(context.WithoutCancel(ctx), "UPDATE state SET doc = ? WHERE n = ?", doc, row)
		return err
	}
	if err := write([]byte{0xff, 0xff, 0xff}); err != nil {
		return nil, fmt.Errorf("damage a state: %w", err)
	}
	return func() error { return errors.Join(write(doc), db.Close()) }, nil
}

// deadLetter is what is looked at of one.
type deadLetter struct {
	ID       string            `json:"id"`
	Attempts []json.RawMessage `json:"attempts"`
}

// deadLetters are the first of the workspace.
func (r *faultRun) deadLetters(ctx context.Context) ([]deadLetter, error) {
	var page struct{ Items []deadLetter }
	err := r.ask(ctx, http.MethodGet, "/v1/dead-letters?limit=200", nil, &page)
	return page.Items, err
}

// replayAll has all dead letters tried again.
func (r *faultRun) replayAll(ctx context.Context) error {
	for {
		var receipt struct{ More bool }
		if err := r.ask(ctx, http.MethodPost, "/v1/dead-letters/replay", map[string]any{"all": true}, &receipt); err != nil {
			return err
		}
		if !receipt.More {
			return nil
		}
	}
}

// clocksOff sends events whose times are not the server's. What is refused is named, and
// what is taken is where its time says.
func clocksOff(ctx context.Context, r *faultRun) error {
	if err := r.serve(ctx); err != nil {
		return err
	}
	monday := time.Now().UTC().Truncate(24 * time.Hour)
	monday = monday.AddDate(0, 0, -int(monday.Weekday()+6)%7-7)
	r.begins()
	for i, one := range []struct {
		what    string
		at      time.Time
		refused bool
	}{
		{"an hour ago", time.Now().Add(-time.Hour), false},
		{"in an hour", time.Now().Add(time.Hour), false},
		{"the last second of a week", monday.Add(-time.Second), false},
		{"the first second of a week", monday, false},
		{"1970", time.Unix(3600, 0), false},
		{"2100", time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC), true},
	} {
		post := faultPost{message: fmt.Sprint("clock-", i), unopened: 1}
		post.add("send", post.message, "", one.at, map[string]any{"user": "u_ana", "recipients": []map[string]string{{"email": "jo@acme.example"}}})
		r.book.offer(post)
		status, err := r.try(ctx, post)
		r.book.answered(status)
		if err != nil && !one.refused {
			r.must(false, "an event of %s is taken (%d: %v)", one.what, status, err)
		}
		r.must(!one.refused || status == http.StatusBadRequest && strings.Contains(err.Error(), "time"), "an event of %s is refused by name (%d: %v)", one.what, status, err)
	}
	r.ends()
	var weeks struct {
		Items []struct {
			Week   string
			Events *int64
		}
	}
	if err := r.await(ctx, "the weeks are there", func() bool {
		found, err := exported(ctx, r.server, faultWorkspace)
		return err == nil && r.book.missing(found) == 0
	}); err != nil {
		return err
	}
	if err := r.ask(ctx, http.MethodGet, "/v1/weeks", nil, &weeks); err != nil {
		return err
	}
	held := make(map[string]int64)
	for _, week := range weeks.Items {
		if week.Events != nil {
			held[week.Week] = *week.Events
		}
	}
	for _, at := range []time.Time{monday.Add(-time.Second), monday, time.Unix(3600, 0).UTC()} {
		year, week := at.ISOWeek()
		name := fmt.Sprintf("%d-w%02d", year, week)
		r.must(held[name] >= 1, "week %s has its event", name)
	}
	return r.finish(ctx)
}
