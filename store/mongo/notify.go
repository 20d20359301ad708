package mongo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"tidings/event"
	"tidings/notify"
)

// decision is one as it is kept: what is asked for beside the document itself. In _id its
// own stands behind its workspace and a bar.
type decision struct {
	Key       string `bson:"_id"`
	Workspace string `bson:"w"`
	ID        string `bson:"id"`
	User      string `bson:"user"`
	At        int64  `bson:"at"`
	Event     string `bson:"event"`
	Message   string `bson:"message"`
	Kind      string `bson:"kind"`
	Outcome   string `bson:"outcome"`
	Unread    bool   `bson:"unread"`
	Ruled     bool   `bson:"ruled,omitempty"`
	Version   int64  `bson:"v"`
	Doc       string `bson:"doc"`
}

// claimed is who has a key, and noted what is noted under one; _id is a workspace and the
// key with a bar between.
type claimed struct {
	ID    string `bson:"_id"`
	Event string `bson:"event"`
	At    int64  `bson:"at"`
}

type noted struct {
	ID  string `bson:"_id"`
	Doc string `bson:"doc"`
	At  int64  `bson:"at"`
}

// decisionIndexes are what is asked for: a person's, an event's, what was not read, what
// rules found, what is old.
var decisionIndexes = []mongo.IndexModel{
	index("user", nil, "w", "user", "-at", "-id"),
	index("event", nil, "w", "event"),
	index("unread", bson.D{{Key: "unread", Value: true}}, "w", "user"),
	index("ruled", exists("ruled"), "w", "ruled"),
	index("age", nil, "at"),
}

// Notify keeps decisions, claims and notes beside the state.
type Notify struct{ decisions, claims, notes *mongo.Collection }

// Notify opens them in the same database; Close of the state ends it.
func (s *State) Notify(ctx context.Context) (*Notify, error) {
	database := s.records.Database()
	n := &Notify{database.Collection("decisions"), database.Collection("claims"), database.Collection("notes")}
	_, err := n.decisions.Indexes().CreateMany(ctx, decisionIndexes)
	for _, other := range []*mongo.Collection{n.claims, n.notes} {
		if err == nil {
			_, err = other.Indexes().CreateMany(ctx, []mongo.IndexModel{index("age", nil, "at")})
		}
	}
	if err != nil {
		return nil, failed("opening the store of notifications", err)
	}
	return n, nil
}

// Close does nothing: the connections are the state's.
func (n *Notify) Close() error { return nil }

func decisionOf(d notify.Decision) (decision, error) {
	doc, err := json.Marshal(d)
	return decision{
		Key: d.Workspace + "|" + d.ID, Workspace: d.Workspace, ID: d.ID, User: d.User, At: d.At, Event: d.Event.String(), Message: d.Message,
		Kind: string(d.Kind), Outcome: string(d.Outcome), Unread: !d.Read && d.Outcome == notify.Notified && !d.Shadow, Ruled: len(d.Rules) > 0,
		Version: d.Version, Doc: string(doc),
	}, err
}

func (d decision) open() (notify.Decision, error) {
	var opened notify.Decision
	err := json.Unmarshal([]byte(d.Doc), &opened)
	opened.Read = opened.Outcome == notify.Notified && !opened.Shadow && !d.Unread
	return opened, err
}

// insertOnly writes what is not there yet and leaves the others as they are.
func insertOnly(id string, value any) (mongo.WriteModel, error) {
	raw, err := bson.Marshal(value)
	if err != nil {
		return nil, err
	}
	var fields bson.D
	if err := bson.Unmarshal(raw, &fields); err != nil {
		return nil, err
	}
	fields = slices.DeleteFunc(fields, func(f bson.E) bool { return f.Key == "_id" })
	return mongo.NewUpdateOneModel().SetUpsert(true).SetFilter(byID(id)).SetUpdate(bson.D{{Key: "$setOnInsert", Value: fields}}), nil
}

// Add writes decisions that are not there yet.
func (n *Notify) Add(ctx context.Context, decisions []notify.Decision) error {
	models := make([]mongo.WriteModel, len(decisions))
	for i, d := range decisions {
		kept, err := decisionOf(d)
		if err == nil {
			models[i], err = insertOnly(kept.Key, kept)
		}
		if err != nil {
			return fmt.Errorf("adding decisions: %w", err)
		}
	}
	return failed("adding decisions", write(ctx, n.decisions, models))
}

// Replace writes a decision over the version before.
func (n *Notify) Replace(ctx context.Context, d notify.Decision) (bool, error) {
	kept, err := decisionOf(d)
	if err != nil {
		return false, fmt.Errorf("replacing a decision: %w", err)
	}
	done, err := n.decisions.ReplaceOne(ctx, bson.D{{Key: "_id", Value: kept.Key}, {Key: "v", Value: d.Version - 1}}, kept)
	if err != nil {
		return false, failed("replacing a decision", err)
	}
	return done.MatchedCount == 1, nil
}

// OfEvents returns all decisions about events.
func (n *Notify) OfEvents(ctx context.Context, about []notify.About) ([]notify.Decision, error) {
	of := make(map[string][]string)
	for _, one := range about {
		of[one.Workspace] = append(of[one.Workspace], one.Event.String())
	}
	var all []notify.Decision
	for _, workspace := range slices.Sorted(maps.Keys(of)) {
		found, err := n.find(ctx, bson.D{{Key: "w", Value: workspace}, {Key: "event", Value: bson.D{{Key: "$in", Value: of[workspace]}}}},
			options.Find().SetSort(bson.D{{Key: "_id", Value: 1}}))
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

func (n *Notify) find(ctx context.Context, where bson.D, how *options.FindOptionsBuilder) ([]notify.Decision, error) {
	var found []decision
	cursor, err := n.decisions.Find(ctx, where, how)
	if err == nil {
		err = cursor.All(ctx, &found)
	}
	if err != nil {
		return nil, failed("reading decisions", err)
	}
	var all []notify.Decision
	for _, each := range found {
		d, err := each.open()
		if err != nil {
			return nil, fmt.Errorf("reading decisions: %w", err)
		}
		all = append(all, d)
	}
	return all, nil
}

// Page returns decisions, newest first.
func (n *Notify) Page(ctx context.Context, workspace string, f notify.Filter, after string, most int) ([]notify.Decision, string, error) {
	where := bson.D{{Key: "w", Value: workspace}}
	if f.ID != "" {
		where = byID(workspace + "|" + f.ID)
	}
	for _, one := range []bson.E{
		{Key: "user", Value: f.User},
		{Key: "outcome", Value: string(f.Outcome)},
		{Key: "kind", Value: string(f.Kind)},
		{Key: "message", Value: f.Message},
	} {
		if one.Value != "" {
			where = append(where, one)
		}
	}
	if f.Unread {
		where = append(where, bson.E{Key: "unread", Value: true})
	}
	if after != "" {
		text, id, _ := strings.Cut(after, ".")
		at, err := strconv.ParseInt(text, 10, 64)
		if err != nil || id == "" {
			return nil, "", fmt.Errorf("reading decisions: %w", event.Invalid("cursor", "is not a position"))
		}
		where = append(where, bson.E{Key: "$or", Value: bson.A{
			bson.D{{Key: "at", Value: bson.D{{Key: "$lt", Value: at}}}},
			bson.D{{Key: "at", Value: at}, {Key: "id", Value: bson.D{{Key: "$lt", Value: id}}}},
		}})
	}
	page, err := n.find(ctx, where, options.Find().SetSort(bson.D{{Key: "at", Value: -1}, {Key: "id", Value: -1}}).SetLimit(int64(most)))
	if err != nil || len(page) < most {
		return page, "", err
	}
	last := page[len(page)-1]
	return page, strconv.FormatInt(last.At, 10) + "." + last.ID, nil
}

// Unread counts what each has not read.
func (n *Notify) Unread(ctx context.Context, readers []notify.Reader, most int) ([]int, error) {
	counts := make([]int, len(readers))
	for i, reader := range readers {
		count, err := n.decisions.CountDocuments(ctx, unreadOf(reader.Workspace, reader.User), options.Count().SetLimit(int64(most)))
		if err != nil {
			return nil, failed("counting notifications", err)
		}
		counts[i] = int(count)
	}
	return counts, nil
}

func unreadOf(workspace, user string) bson.D {
	return bson.D{{Key: "w", Value: workspace}, {Key: "user", Value: user}, {Key: "unread", Value: true}}
}

// Read marks what a user was notified of as read.
func (n *Notify) Read(ctx context.Context, workspace, user string, ids []string) error {
	where := unreadOf(workspace, user)
	if len(ids) > 0 {
		where = append(where, bson.E{Key: "id", Value: bson.D{{Key: "$in", Value: ids}}})
	}
	_, err := n.decisions.UpdateMany(ctx, where, bson.D{{Key: "$set", Value: bson.D{{Key: "unread", Value: false}}}})
	return failed("marking notifications as read", err)
}

// Expire deletes what is from before a time.
func (n *Notify) Expire(ctx context.Context, before int64) error {
	for _, from := range []*mongo.Collection{n.decisions, n.claims, n.notes} {
		if _, err := from.DeleteMany(ctx, bson.D{{Key: "at", Value: bson.D{{Key: "$lt", Value: before}}}}); err != nil {
			return failed("expiring decisions", err)
		}
	}
	return nil
}

// Forget takes what an erased person's rules are called out of decisions, claims and notes.
func (n *Notify) Forget(ctx context.Context, workspace string, f notify.Forgotten) error {
	all, err := n.find(ctx, bson.D{{Key: "w", Value: workspace}, {Key: "ruled", Value: true}}, options.Find())
	if err != nil {
		return err
	}
	names := maps.Clone(f.Rules)
	if names == nil {
		names = make(map[string]bool)
	}
	for _, d := range all {
		named, theirs := d.Forget(f)
		for _, name := range named {
			names[name] = true
		}
		if !theirs {
			continue
		}
		doc, err := json.Marshal(d.Nameless())
		if err != nil {
			return fmt.Errorf("forgetting a person: %w", err)
		}
		_, err = n.decisions.UpdateOne(ctx, byID(workspace+"|"+d.ID), bson.D{
			{Key: "$set", Value: bson.D{{Key: "doc", Value: string(doc)}}}, {Key: "$unset", Value: bson.D{{Key: "ruled", Value: ""}}},
		})
		if err != nil {
			return failed("forgetting a person", err)
		}
	}
	for name := range names {
		within := bson.D{{Key: "_id", Value: bson.D{
			{Key: "$regex", Value: "^" + regexp.QuoteMeta(workspace+"|") + ".*" + regexp.QuoteMeta("|"+name+"|")},
		}}}
		for _, from := range []*mongo.Collection{n.claims, n.notes} {
			if _, err := from.DeleteMany(ctx, within); err != nil {
				return failed("forgetting a person", err)
			}
		}
	}
	return nil
}

// Claim gives keys to events where nobody has them, and returns who has. Of two that ask
// for one key here the first has it: the others are not written.
func (n *Notify) Claim(ctx context.Context, claims []notify.Claim, at int64) ([]event.ID, error) {
	var models []mongo.WriteModel
	var ids []string
	asked := make(map[string]bool, len(claims))
	for _, c := range claims {
		id := c.Workspace + "|" + c.Key
		if asked[id] {
			continue
		}
		asked[id] = true
		model, err := insertOnly(id, claimed{id, c.Event.String(), at})
		if err != nil {
			return nil, fmt.Errorf("claiming: %w", err)
		}
		models, ids = append(models, model), append(ids, id)
	}
	if len(models) == 0 {
		return nil, nil
	}
	if err := write(ctx, n.claims, models); err != nil {
		return nil, failed("claiming", err)
	}
	var found []claimed
	cursor, err := n.claims.Find(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}})
	if err == nil {
		err = cursor.All(ctx, &found)
	}
	if err != nil {
		return nil, failed("claiming", err)
	}
	has := make(map[string]event.ID, len(found))
	for _, one := range found {
		if has[one.ID], err = event.ParseID(one.Event); err != nil {
			return nil, fmt.Errorf("claiming: %w", err)
		}
	}
	holders := make([]event.ID, len(claims))
	for i, c := range claims {
		holder, is := has[c.Workspace+"|"+c.Key]
		if !is { // it was released meanwhile
			return nil, fmt.Errorf("claiming: %w", event.ErrUnavailable)
		}
		holders[i] = holder
	}
	return holders, nil
}

// Release takes a key from an event that has it.
func (n *Notify) Release(ctx context.Context, workspace, key string, id event.ID) error {
	_, err := n.claims.DeleteOne(ctx, bson.D{{Key: "_id", Value: workspace + "|" + key}, {Key: "event", Value: id.String()}})
	return failed("releasing a claim", err)
}

// Note returns what is noted under a key.
func (n *Notify) Note(ctx context.Context, workspace, key string) ([]byte, error) {
	var found noted
	err := n.notes.FindOne(ctx, byID(workspace+"|"+key)).Decode(&found)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return nil, nil
	}
	if err != nil {
		return nil, failed("reading a note", err)
	}
	return []byte(found.Doc), nil
}

// SwapNote writes a note over the one that was read.
func (n *Notify) SwapNote(ctx context.Context, workspace, key string, old, doc []byte, at int64) (bool, error) {
	next := noted{workspace + "|" + key, string(doc), at}
	if old == nil {
		_, err := n.notes.InsertOne(ctx, next)
		if mongo.IsDuplicateKeyError(err) {
			return false, nil
		}
		return err == nil, failed("writing a note", err)
	}
	done, err := n.notes.ReplaceOne(ctx, bson.D{{Key: "_id", Value: next.ID}, {Key: "doc", Value: string(old)}}, next)
	if err != nil {
		return false, failed("writing a note", err)
	}
	return done.MatchedCount == 1, nil
}
