package mongo

import (
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	"tidings/event"
)

// operators collects what an update does, one list an operator.
type operators struct {
	set, unset, least, most, add bson.D
}

// update is a change of a document as operators that commute and may be
// repeated. Before is the document as it was read, which only says what there is
// no need to write: concurrent writers may go beyond MaxPending by what they have
// under way.
func update(before document, c event.Change) bson.D {
	o := operators{set: bson.D{{Key: "w", Value: c.Workspace}}}
	if c.User != "" {
		o.min("u", c.User)
	}
	if c.Subject != "" {
		o.min("s", c.Subject)
	}
	if c.Sent {
		// Whether everyone has opened is found out afterwards.
		o.set = append(o.set, bson.E{Key: "sent", Value: true}, bson.E{Key: "waiting", Value: true})
		o.unset = append(o.unset, bson.E{Key: "expire_at", Value: ""}, bson.E{Key: "seen", Value: ""})
		o.min("at", c.At)
	} else if !before.Sent {
		o.most = append(o.most, bson.E{Key: "seen", Value: seen(c.First, c.Clicks, c.Pending)})
	}
	for key, p := range c.Recipients {
		o.min("r."+string(key)+".e", p.Email)
		if p.Name != "" {
			o.min("r."+string(key)+".n", p.Name)
		}
	}
	for mark, firsts := range c.First {
		for key, at := range firsts {
			o.min("first."+string(mark)+"."+string(key), at)
		}
	}
	if !before.done() {
		o.clicks(before, c)
	}
	named := everyone(event.State{Recipients: c.Recipients, First: c.First, Clicks: c.Clicks})
	if len(named) > 0 {
		o.add = append(o.add, bson.E{Key: "k", Value: bson.D{{Key: "$each", Value: named}}})
	}
	if pending := newPending(before, c); len(pending) > 0 {
		o.add = append(o.add, bson.E{Key: "early", Value: bson.D{{Key: "$each", Value: binaries(pending)}}})
	}
	return o.update()
}

func (o *operators) min(path string, value any) {
	o.least = append(o.least, bson.E{Key: path, Value: value})
}

// clicks adds clicks, and takes off those that are not among the latest.
func (o *operators) clicks(before document, c event.Change) {
	for key, clicks := range c.Clicks {
		path := "clicks." + string(key) + "."
		adding := make(map[string]bool, len(clicks))
		for _, click := range clicks {
			id := click.ID.String()
			adding[id] = true
			o.set = append(o.set, bson.E{Key: path + id, Value: int64(click.Link)})
		}
		kept := latest(before.Clicks[key])
		for id := range before.Clicks[key] {
			if !slices.Contains(kept, id) && !adding[id] {
				o.unset = append(o.unset, bson.E{Key: path + id, Value: ""})
			}
		}
	}
}

// newPending are the pending ids of a change that the document has room for.
func newPending(before document, c event.Change) []event.ID {
	state := event.State{Pending: idsOf(before.Pending)}
	known := slices.Clone(state.Pending)
	state.Apply(event.Change{Pending: c.Pending})
	return slices.DeleteFunc(state.Pending, func(id event.ID) bool { return slices.Contains(known, id) })
}

func (o *operators) update() bson.D {
	u := bson.D{{Key: "$inc", Value: bson.D{{Key: "v", Value: int64(1)}}}}
	for _, each := range []struct {
		name string
		what bson.D
	}{{"$set", o.set}, {"$unset", o.unset}, {"$min", o.least}, {"$max", o.most}, {"$addToSet", o.add}} {
		if len(each.what) > 0 {
			u = append(u, bson.E{Key: each.name, Value: each.what})
		}
	}
	return u
}
