package mongo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"tidings/audit"
	"tidings/event"
)

// auditPrefix begins the names of the collections of the audit log, one a month:
// audit_2026-11. The program inserts into them and reads them; retention drops whole
// ones, so its user needs no right to update or remove a document in them.
const auditPrefix = "audit_"

// Audit is the store of the audit log in the database of a State.
type Audit struct {
	db *mongo.Database
	// made are the months whose indexes there are.
	made chan map[string]bool
}

// Audit is the store of the audit log beside the states. It is closed with them.
func (s *State) Audit() *Audit {
	a := &Audit{db: s.records.Database(), made: make(chan map[string]bool, 1)}
	a.made <- make(map[string]bool)
	return a
}

// auditRow is a row as it is kept.
type auditRow struct {
	ID        string   `bson:"_id"`
	Workspace string   `bson:"w"`
	Day       string   `bson:"day"`
	Seq       int64    `bson:"seq"`
	Row       string   `bson:"row"`
	At        int64    `bson:"at"`
	Kind      string   `bson:"kind"`
	Actor     string   `bson:"actor"`
	Route     string   `bson:"route"`
	About     []string `bson:"about,omitempty"`
	Doc       string   `bson:"doc"`
	Hash      string   `bson:"hash"`
}

func monthOf(day audit.Day) string { return auditPrefix + string(day[:7]) }

func (a *Audit) of(day audit.Day) *mongo.Collection { return a.db.Collection(monthOf(day)) }

// prepare makes the indexes of a month.
func (a *Audit) prepare(ctx context.Context, day audit.Day) error {
	var made map[string]bool
	select {
	case made = <-a.made:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { a.made <- made }()
	if made[monthOf(day)] {
		return nil
	}
	_, err := a.of(day).Indexes().CreateMany(ctx, []mongo.IndexModel{
		index("chain", nil, "w", "day", "-seq"),
		index("actors", nil, "w", "actor", "day", "-seq"),
		index("subjects", nil, "w", "about", "day", "-seq"),
	})
	made[monthOf(day)] = err == nil
	return err
}

// Append adds entries in their order, up to the first whose place is taken.
func (a *Audit) Append(ctx context.Context, day audit.Day, entries []audit.Entry) (int, error) {
	if err := a.prepare(ctx, day); err != nil {
		return 0, failed("adding to the audit log", err)
	}
	rows := make([]auditRow, len(entries))
	for i, e := range entries {
		rows[i] = auditRow{
			ID: fmt.Sprintf("%s|%s|%d", e.Workspace, day, e.Seq), Workspace: e.Workspace, Day: string(day), Seq: e.Seq, Row: e.ID,
			At: e.At.UnixMilli(), Kind: string(e.Kind), Actor: e.Actor, Route: e.Route, About: e.About, Doc: string(e.Doc), Hash: e.Hash,
		}
	}
	_, err := a.of(day).InsertMany(ctx, rows)
	var several mongo.BulkWriteException
	if errors.As(err, &several) && len(several.WriteErrors) > 0 && mongo.IsDuplicateKeyError(err) {
		return several.WriteErrors[0].Index, fmt.Errorf("adding to the audit log: %w", event.ErrConflict)
	}
	if err != nil {
		return 0, failed("adding to the audit log", err)
	}
	return len(entries), nil
}

func (a *Audit) find(ctx context.Context, day audit.Day, filter bson.D, order, limit int) ([]audit.Entry, error) {
	cursor, err := a.of(day).Find(ctx, filter, options.Find().SetSort(bson.D{{Key: "seq", Value: order}}).SetLimit(int64(limit)))
	if err != nil {
		return nil, failed("reading the audit log", err)
	}
	var rows []auditRow
	if err := cursor.All(ctx, &rows); err != nil {
		return nil, failed("reading the audit log", err)
	}
	entries := make([]audit.Entry, len(rows))
	for i, r := range rows {
		entries[i] = audit.Entry{
			Workspace: r.Workspace, Seq: r.Seq, ID: r.Row, At: time.UnixMilli(r.At).UTC(), Kind: audit.Kind(r.Kind),
			Actor: r.Actor, Route: r.Route, About: r.About, Doc: []byte(r.Doc), Hash: r.Hash,
		}
	}
	return entries, nil
}

func chain(workspace string, day audit.Day) bson.D {
	return bson.D{{Key: "w", Value: workspace}, {Key: "day", Value: string(day)}}
}

// Chain returns the rows of a workspace and day in order, from behind a Seq.
func (a *Audit) Chain(ctx context.Context, workspace string, day audit.Day, after int64, limit int) ([]audit.Entry, error) {
	filter := append(chain(workspace, day), bson.E{Key: "seq", Value: bson.D{{Key: "$gt", Value: after}}})
	return a.find(ctx, day, filter, 1, limit)
}

// Last returns the last row of a workspace and day, or event.ErrNotFound.
func (a *Audit) Last(ctx context.Context, workspace string, day audit.Day) (audit.Entry, error) {
	all, err := a.find(ctx, day, chain(workspace, day), -1, 1)
	if err == nil && len(all) == 0 {
		return audit.Entry{}, fmt.Errorf("reading the audit log: %w", event.ErrNotFound)
	}
	if err != nil {
		return audit.Entry{}, err
	}
	return all[0], nil
}

// Find returns the rows of one day that a question asks for, newest first.
func (a *Audit) Find(ctx context.Context, day audit.Day, q audit.Question) ([]audit.Entry, error) {
	filter := chain(q.Workspace, day)
	for name, value := range map[string]string{"kind": string(q.Kind), "actor": q.Actor, "route": q.Route} {
		if value != "" {
			filter = append(filter, bson.E{Key: name, Value: value})
		}
	}
	if !q.From.IsZero() {
		filter = append(filter, bson.E{Key: "at", Value: bson.D{{Key: "$gte", Value: q.From.UnixMilli()}}})
	}
	if q.Before > 0 {
		filter = append(filter, bson.E{Key: "seq", Value: bson.D{{Key: "$lt", Value: q.Before}}})
	}
	if len(q.About) > 0 {
		filter = append(filter, bson.E{Key: "about", Value: bson.D{{Key: "$in", Value: q.About}}})
	}
	return a.find(ctx, day, filter, -1, q.Limit)
}

// months lists the months that have a collection, the oldest first.
func (a *Audit) months(ctx context.Context) ([]string, error) {
	names, err := a.db.ListCollectionNames(ctx, bson.D{{Key: "name", Value: bson.D{{Key: "$regex", Value: "^" + auditPrefix + `\d{4}-\d{2}$`}}}})
	slices.Sort(names)
	return names, failed("listing the audit log", err)
}

func (a *Audit) daysOf(ctx context.Context, month string) ([]audit.Day, error) {
	var days []audit.Day
	err := a.db.Collection(month).Distinct(ctx, "day", bson.D{}).Decode(&days)
	slices.Sort(days)
	return days, failed("listing the audit log", err)
}

// Days lists the days that have rows, the oldest first.
func (a *Audit) Days(ctx context.Context) ([]audit.Day, error) {
	months, err := a.months(ctx)
	var all []audit.Day
	for _, month := range months {
		if err == nil {
			var days []audit.Day
			days, err = a.daysOf(ctx, month)
			all = append(all, days...)
		}
	}
	return all, err
}

// Workspaces lists those that have rows on a day.
func (a *Audit) Workspaces(ctx context.Context, day audit.Day) ([]string, error) {
	var all []string
	err := a.of(day).Distinct(ctx, "w", bson.D{{Key: "day", Value: string(day)}}).Decode(&all)
	slices.Sort(all)
	return all, failed("listing the audit log", err)
}

// Droppable lists the days of the months that are over before a day.
func (a *Audit) Droppable(ctx context.Context, before audit.Day) ([]audit.Day, error) {
	months, err := a.months(ctx)
	var all []audit.Day
	for _, month := range months {
		if err == nil && strings.Compare(month, monthOf(before)) < 0 {
			var days []audit.Day
			days, err = a.daysOf(ctx, month)
			all = append(all, days...)
		}
	}
	return all, err
}

// Drop removes the collections of the months that are over before a day.
func (a *Audit) Drop(ctx context.Context, before audit.Day) error {
	months, err := a.months(ctx)
	for _, month := range months {
		if err == nil && strings.Compare(month, monthOf(before)) < 0 {
			err = failed("dropping a month of the audit log", a.db.Collection(month).Drop(ctx))
		}
	}
	return err
}
