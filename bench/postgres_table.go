package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"tidings/bench/internal/postgres"
	"tidings/event"
)

// copiedEvents is how many events a transaction writes.
const copiedEvents = 1000

// tables are what somebody would make who knows PostgreSQL and has an afternoon: events
// by week, each with its text as it came, an index for each kind of page, the words in a
// column of their own so that nothing is analysed twice, and how far each recipient has
// come.
const tables = `
CREATE TABLE events (
 workspace text NOT NULL, at timestamptz NOT NULL, id text NOT NULL, type text NOT NULL,
 by text, message text, people text[], words tsvector, event json NOT NULL,
 PRIMARY KEY (workspace, id, at)
) PARTITION BY RANGE (at);
CREATE INDEX ON events (workspace, at DESC, id DESC);
CREATE INDEX ON events (workspace, type, at DESC, id DESC);
CREATE INDEX ON events (workspace, by, at DESC, id DESC);
CREATE INDEX ON events USING gin (words);
CREATE TABLE recipients (
 workspace text NOT NULL, message text NOT NULL, person text NOT NULL,
 sent timestamptz, delivered timestamptz, bounced timestamptz, replied timestamptz,
 opens int NOT NULL, opened timestamptz, clicks int NOT NULL, clicked timestamptz,
 PRIMARY KEY (workspace, message, person)
);`

// staged is where COPY writes, since it cannot pass over what is known.
const staged = `CREATE TEMP TABLE staged (
 workspace text, at bigint, id text, type text, by text, message text, people text[], text text, event text
) ON COMMIT DELETE ROWS`

// writeStaged is one transaction: the events that are new, and what they say of their
// recipients, in the order of the key so that two writers do not wait for each other.
const writeStaged = `BEGIN; COPY staged FROM STDIN;
WITH fresh AS (
 INSERT INTO events SELECT workspace, to_timestamp(at), id, type, by, message, people,
  to_tsvector('english', coalesce(text, '')), event::json FROM staged
 ON CONFLICT DO NOTHING RETURNING workspace, at, type, message, people)
INSERT INTO recipients AS r SELECT workspace, message, person,
 min(at) FILTER (WHERE type = 'send'), min(at) FILTER (WHERE type = 'delivery'),
 min(at) FILTER (WHERE type = 'bounce'), min(at) FILTER (WHERE type = 'reply'),
 count(*) FILTER (WHERE type = 'open'), max(at) FILTER (WHERE type = 'open'),
 count(*) FILTER (WHERE type = 'click'), max(at) FILTER (WHERE type = 'click')
FROM fresh, unnest(people) person WHERE message IS NOT NULL GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
ON CONFLICT (workspace, message, person) DO UPDATE SET
 sent = least(r.sent, excluded.sent), delivered = least(r.delivered, excluded.delivered),
 bounced = least(r.bounced, excluded.bounced), replied = least(r.replied, excluded.replied),
 opens = r.opens + excluded.opens, opened = greatest(r.opened, excluded.opened),
 clicks = r.clicks + excluded.clicks, clicked = greatest(r.clicked, excluded.clicked);
COMMIT`

// tableReport is what filling the tables found.
type tableReport struct {
	took time.Duration
	disk int64
}

// fillTable makes the tables and writes all events, some at once.
func (b *postgresBench) fillTable(ctx context.Context, server *postgres.Server) (_ tableReport, err error) {
	var report tableReport
	conn, err := server.Connect(ctx)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if err := conn.Query(tables, nil); err != nil {
		return report, err
	}
	until := b.load.Until.Unix()
	for week := event.WeekOf(until) - event.Week(b.Weeks) - 1; week <= event.WeekOf(until); week++ {
		err := conn.Query(fmt.Sprintf("CREATE TABLE events_%d PARTITION OF events FOR VALUES FROM (to_timestamp(%d)) TO (to_timestamp(%d))",
			week, week.Start(), (week+1).Start()), nil)
		if err != nil {
			return report, err
		}
	}
	began := time.Now()
	if err := b.copyAll(ctx, server); err != nil {
		return report, err
	}
	report.took = time.Since(began)
	fmt.Fprintf(b.Err, "all in PostgreSQL after %v, analysing and cleaning up, as it does by itself later …\n", report.took.Round(time.Millisecond))
	if err := conn.Query("VACUUM ANALYZE", nil); err != nil {
		return report, err
	}
	events := 0
	if err := conn.Query("SELECT count(*) FROM events", number(&events)); err != nil {
		return report, err
	}
	if events != b.Events {
		return report, fmt.Errorf("%d events are in PostgreSQL, of %d", events, b.Events)
	}
	size := 0
	err = conn.Query(`SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`, number(&size))
	report.disk = int64(size)
	return report, err
}

// number reads the one number of an answer.
func number(into *int) func([][]byte) error {
	return func(columns [][]byte) (err error) {
		*into, err = strconv.Atoi(string(columns[0]))
		return err
	}
}

// copyAll has the writers write until there is no more.
func (b *postgresBench) copyAll(ctx context.Context, server *postgres.Server) error {
	group, writing := errgroup.WithContext(ctx)
	copies := make(chan post, b.Senders)
	group.Go(func() error {
		defer close(copies)
		return b.copies.giveAll(writing, copies)
	})
	for range b.Senders {
		group.Go(func() (err error) {
			conn, err := server.Connect(writing)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, conn.Close()) }()
			if err := conn.Query(staged, nil); err != nil {
				return err
			}
			for next := range copies {
				if err := conn.Copy(writeStaged, next.body); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// keepCopies makes of requests what COPY reads, before anything is timed.
func keepCopies(ctx context.Context, dir string, posts *keptPosts) (_ *keptPosts, err error) {
	file, err := os.CreateTemp(dir, "copies-*")
	if err != nil {
		return nil, err
	}
	kept := &keptPosts{file: file}
	group, making := errgroup.WithContext(ctx)
	given := make(chan post)
	group.Go(func() error {
		defer close(given)
		return posts.giveAll(making, given)
	})
	group.Go(func() error {
		var body []byte
		events := 0
		write := func() error {
			_, err := file.Write(body)
			kept.posts = append(kept.posts, keptPost{size: len(body)})
			body, events = body[:0], 0
			return err
		}
		for p := range given {
			for line := range bytes.Lines(p.body) {
				if body, err = appendStaged(body, p.workspace, bytes.TrimSpace(line)); err != nil {
					return err
				}
				if events++; events == copiedEvents {
					if err := write(); err != nil {
						return err
					}
				}
			}
		}
		return write()
	})
	if err := group.Wait(); err != nil {
		return nil, errors.Join(err, kept.Close())
	}
	return kept, nil
}

// appendStaged appends an event as a row of the staged ones.
func appendStaged(body []byte, workspace string, line []byte) ([]byte, error) {
	var in event.Input
	if err := json.Unmarshal(line, &in); err != nil {
		return body, err
	}
	var people []string
	for _, person := range in.Recipients {
		people = append(people, person.Email)
	}
	if in.Recipient != nil {
		people = append(people, in.Recipient.Email)
	}
	at := int64(0)
	if in.Time != nil {
		at = int64(*in.Time)
	}
	text := in.Subject + "\n" + in.Body
	return postgres.AppendCopied(body, workspace, strconv.FormatInt(at, 10), in.ID, string(in.Type), in.User, in.Message,
		postgres.Array(people), text, string(line)), nil
}
