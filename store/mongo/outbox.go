package mongo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"tidings/deliver"
	"tidings/event"
)

// delivery is one as it is kept: what is asked for beside the document itself. An endpoint
// is a workspace and an endpoint with a bar between, and so is _id with the delivery's.
type delivery struct {
	Key       string `bson:"_id"`
	Endpoint  string `bson:"place"`
	Workspace string `bson:"w"`
	ID        string `bson:"id"`
	State     string `bson:"state"`
	At        int64  `bson:"at"`
	Due       int64  `bson:"due"`
	Lease     int64  `bson:"lease"`
	Ended     int64  `bson:"ended,omitempty"`
	Doc       string `bson:"doc"`
}

// outboxIndexes are what claiming and listing need.
var outboxIndexes = []mongo.IndexModel{
	index("due", bson.D{{Key: "state", Value: string(deliver.Waiting)}}, "place", "due"),
	index("listed", nil, "w", "at", "id"),
	index("of_place", nil, "place", "at", "id"),
	index("ended", exists("ended"), "ended"),
}

// Outbox keeps deliveries beside the state.
type Outbox struct{ deliveries *mongo.Collection }

// Outbox opens the deliveries of the same database; Close of the state ends it.
func (s *State) Outbox(ctx context.Context) (*Outbox, error) {
	deliveries := s.records.Database().Collection("deliveries")
	if _, err := deliveries.Indexes().CreateMany(ctx, outboxIndexes); err != nil {
		return nil, failed("opening the outbox", err)
	}
	return &Outbox{deliveries}, nil
}

func deliveryOf(d deliver.Delivery) (delivery, error) {
	doc, err := json.Marshal(d)
	return delivery{
		Key: d.Workspace + "|" + d.ID, Endpoint: d.Workspace + "|" + d.Endpoint, Workspace: d.Workspace, ID: d.ID, State: string(d.State),
		At: d.At, Due: d.Due, Lease: d.Lease, Ended: d.Ended, Doc: string(doc),
	}, err
}

func (d delivery) open() (deliver.Delivery, error) {
	var opened deliver.Delivery
	err := json.Unmarshal([]byte(d.Doc), &opened)
	return opened, err
}

// Add writes those that are not there yet.
func (s *Outbox) Add(ctx context.Context, deliveries []deliver.Delivery) error {
	if len(deliveries) == 0 {
		return nil
	}
	models := make([]mongo.WriteModel, len(deliveries))
	for i, d := range deliveries {
		kept, err := deliveryOf(d)
		if err != nil {
			return err
		}
		models[i] = mongo.NewUpdateOneModel().SetUpsert(true).SetFilter(byID(kept.Key)).SetUpdate(bson.D{{Key: "$setOnInsert", Value: bson.D{
			{Key: "place", Value: kept.Endpoint},
			{Key: "w", Value: kept.Workspace},
			{Key: "id", Value: kept.ID},
			{Key: "state", Value: kept.State},
			{Key: "at", Value: kept.At},
			{Key: "due", Value: kept.Due},
			{Key: "lease", Value: kept.Lease},
			{Key: "doc", Value: kept.Doc},
		}}})
	}
	return failed("adding deliveries", write(ctx, s.deliveries, models))
}

// Due are the endpoints where something is due.
func (s *Outbox) Due(ctx context.Context, now time.Time) ([]deliver.EndpointKey, error) {
	var found []string
	err := s.deliveries.Distinct(ctx, "place", bson.D{
		{Key: "state", Value: string(deliver.Waiting)}, {Key: "due", Value: upTo(now)}, {Key: "lease", Value: upTo(now)},
	}).Decode(&found)
	if err != nil {
		return nil, failed("finding what is due", err)
	}
	due := make([]deliver.EndpointKey, len(found))
	for i, text := range found {
		due[i].Workspace, due[i].Endpoint, _ = strings.Cut(text, "|")
	}
	return due, nil
}

func upTo(at time.Time) bson.D { return bson.D{{Key: "$lte", Value: at.UnixMilli()}} }

// Claim puts some of each endpoint's under a lease, one after another.
func (s *Outbox) Claim(ctx context.Context, wants []deliver.Want, now, lease time.Time) ([]deliver.Delivery, error) {
	var all []deliver.Delivery
	for _, want := range wants {
		claimed, err := s.claim(ctx, want.EndpointKey, now, lease, want.Most)
		if all = append(all, claimed...); err != nil {
			return all, err
		}
	}
	return all, nil
}

func (s *Outbox) claim(ctx context.Context, key deliver.EndpointKey, now, lease time.Time, most int) ([]deliver.Delivery, error) {
	var claimed []deliver.Delivery
	for tries := 0; len(claimed) < most && tries < 2*most; tries++ {
		var found delivery
		err := s.deliveries.FindOne(ctx, bson.D{
			{Key: "place", Value: key.Workspace + "|" + key.Endpoint},
			{Key: "state", Value: string(deliver.Waiting)},
			{Key: "due", Value: upTo(now)},
			{Key: "lease", Value: upTo(now)},
		}, options.FindOne().SetSort(bson.D{{Key: "due", Value: 1}})).Decode(&found)
		if errors.Is(err, mongo.ErrNoDocuments) {
			break
		}
		if err != nil {
			return claimed, failed("claiming deliveries", err)
		}
		d, err := found.open()
		if err != nil {
			return claimed, failed("claiming deliveries", err)
		}
		d.Lease = lease.UnixMilli()
		written, err := s.replace(ctx, found, d)
		if err != nil {
			return claimed, failed("claiming deliveries", err)
		}
		if written {
			claimed = append(claimed, d)
		}
	}
	return claimed, nil
}

// replace writes a delivery where it is still as it was found.
func (s *Outbox) replace(ctx context.Context, found delivery, d deliver.Delivery) (bool, error) {
	kept, err := deliveryOf(d)
	if err != nil {
		return false, err
	}
	done, err := s.deliveries.ReplaceOne(ctx, bson.D{{Key: "_id", Value: found.Key}, {Key: "doc", Value: found.Doc}}, kept)
	if err != nil {
		return false, err
	}
	return done.MatchedCount == 1, nil
}

// Resolve writes what became of one.
func (s *Outbox) Resolve(ctx context.Context, d deliver.Delivery, lease int64) error {
	kept, err := deliveryOf(d)
	if err != nil {
		return err
	}
	done, err := s.deliveries.ReplaceOne(ctx, bson.D{
		{Key: "_id", Value: kept.Key}, {Key: "state", Value: string(deliver.Waiting)}, {Key: "lease", Value: lease},
	}, kept)
	if err != nil {
		return failed("resolving a delivery", err)
	}
	if done.MatchedCount == 0 {
		return fmt.Errorf("resolving a delivery: %w", event.ErrConflict)
	}
	return nil
}

// chosen is what a filter asks for, after a cursor.
func chosen(workspace string, f deliver.Filter, after string) (bson.D, error) {
	where := bson.D{{Key: "w", Value: workspace}}
	if f.Endpoint != "" {
		where = bson.D{{Key: "place", Value: workspace + "|" + f.Endpoint}}
	}
	if f.State != "" {
		where = append(where, bson.E{Key: "state", Value: string(f.State)})
	}
	between := bson.D{}
	if f.Since != 0 {
		between = append(between, bson.E{Key: "$gte", Value: f.Since})
	}
	if f.Until != 0 {
		between = append(between, bson.E{Key: "$lt", Value: f.Until})
	}
	if len(between) > 0 {
		where = append(where, bson.E{Key: "at", Value: between})
	}
	if len(f.IDs) > 0 {
		where = append(where, bson.E{Key: "id", Value: bson.D{{Key: "$in", Value: f.IDs}}})
	}
	if after != "" {
		text, id, _ := strings.Cut(after, ".")
		at, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, event.Invalid("cursor", "is not one of this list")
		}
		where = append(where, bson.E{Key: "$or", Value: bson.A{
			bson.D{{Key: "at", Value: bson.D{{Key: "$lt", Value: at}}}},
			bson.D{{Key: "at", Value: at}, {Key: "id", Value: bson.D{{Key: "$lt", Value: id}}}},
		}})
	}
	return where, nil
}

func (s *Outbox) page(ctx context.Context, workspace string, f deliver.Filter, after string, most int) (found []delivery, next string, err error) {
	where, err := chosen(workspace, f, after)
	if err != nil {
		return nil, "", err
	}
	newest := bson.D{{Key: "at", Value: -1}, {Key: "id", Value: -1}}
	cursor, err := s.deliveries.Find(ctx, where, options.Find().SetSort(newest).SetLimit(int64(most)))
	if err == nil {
		err = cursor.All(ctx, &found)
	}
	if err != nil {
		return nil, "", failed("listing deliveries", err)
	}
	if len(found) == most {
		last := found[len(found)-1]
		next = fmt.Sprintf("%d.%s", last.At, last.ID)
	}
	return found, next, nil
}

// List returns deliveries, newest first.
func (s *Outbox) List(ctx context.Context, workspace string, filter deliver.Filter, after string, most int) ([]deliver.Delivery, string, error) {
	found, next, err := s.page(ctx, workspace, filter, after, most)
	if err != nil {
		return nil, "", err
	}
	list := make([]deliver.Delivery, len(found))
	for i, each := range found {
		if list[i], err = each.open(); err != nil {
			return nil, "", failed("listing deliveries", err)
		}
	}
	return list, next, nil
}

// changeBatch is how many are read at once to be changed.
const changeBatch = 500

// Change applies change to what a filter chooses.
func (s *Outbox) Change(ctx context.Context, workspace string, filter deliver.Filter, change func(*deliver.Delivery) bool) (int, error) {
	changed, after := 0, ""
	for {
		found, next, err := s.page(ctx, workspace, filter, after, changeBatch)
		if err != nil {
			return changed, err
		}
		for _, each := range found {
			d, err := each.open()
			if err != nil {
				return changed, failed("changing deliveries", err)
			}
			if !change(&d) {
				continue
			}
			written, err := s.replace(ctx, each, d)
			if err != nil {
				return changed, failed("changing deliveries", err)
			}
			if written {
				changed++
			}
		}
		if after = next; after == "" {
			return changed, nil
		}
	}
}

// Waiting counts by endpoint.
func (s *Outbox) Waiting(ctx context.Context, workspace string) (map[string]int, error) {
	cursor, err := s.deliveries.Aggregate(ctx, mongo.Pipeline{
		bson.D{{Key: "$match", Value: bson.D{{Key: "state", Value: string(deliver.Waiting)}, {Key: "w", Value: workspace}}}},
		bson.D{{Key: "$group", Value: bson.D{{Key: "_id", Value: "$place"}, {Key: "n", Value: bson.D{{Key: "$sum", Value: 1}}}}}},
	})
	var found []struct {
		Endpoint string `bson:"_id"`
		N        int    `bson:"n"`
	}
	if err == nil {
		err = cursor.All(ctx, &found)
	}
	counts := make(map[string]int)
	for _, each := range found {
		_, endpoint, _ := strings.Cut(each.Endpoint, "|")
		counts[endpoint] = each.N
	}
	return counts, failed("counting deliveries", err)
}

// Expire deletes what ended long ago.
func (s *Outbox) Expire(ctx context.Context, before time.Time, most int) (int, error) {
	cursor, err := s.deliveries.Find(ctx, bson.D{{Key: "ended", Value: bson.D{{Key: "$lt", Value: before.UnixMilli()}}}},
		options.Find().SetLimit(int64(most)).SetProjection(bson.D{{Key: "_id", Value: 1}}))
	var found []struct {
		ID string `bson:"_id"`
	}
	if err == nil {
		err = cursor.All(ctx, &found)
	}
	if err != nil || len(found) == 0 {
		return 0, failed("expiring deliveries", err)
	}
	ids := make([]string, len(found))
	for i, each := range found {
		ids[i] = each.ID
	}
	done, err := s.deliveries.DeleteMany(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}})
	if err != nil {
		return 0, failed("expiring deliveries", err)
	}
	return int(done.DeletedCount), nil
}
