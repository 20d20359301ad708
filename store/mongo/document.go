package mongo

import (
	"maps"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"tidings/event"
)

// document is the state of a message as it is stored. What is empty is left
// out: $min would keep it for ever.
type document struct {
	// ID is the workspace, a bar, which no workspace has, and the message.
	ID        string                        `bson:"_id"`
	Workspace string                        `bson:"w"`
	Sent      bool                          `bson:"sent,omitempty"`
	User      string                        `bson:"u,omitempty"`
	Subject   string                        `bson:"s,omitempty"`
	At        *int64                        `bson:"at,omitempty"`
	People    map[event.RecipientKey]person `bson:"r,omitempty"`
	// Parts and Senders are there where several users have sent the message. They
	// are written by comparing and setting alone.
	Parts   []sentPart                      `bson:"by,omitempty"`
	Senders map[event.RecipientKey][]string `bson:"rs,omitempty"`
	// First is by mark and recipient; see released.
	First   map[event.Mark]map[event.RecipientKey]int64 `bson:"first,omitempty"`
	Pending []bson.Binary                               `bson:"early,omitempty"`
	// Clicks are hashes of links by recipient and event. There may be more than
	// the latest; the next write takes them off.
	Clicks    map[event.RecipientKey]map[string]int64    `bson:"clicks,omitempty"`
	Overrides map[event.RecipientKey]map[string]override `bson:"ov,omitempty"`
	// Version rises with each write, also with one that another has made too.
	Version int64 `bson:"v"`
	Expire  int64 `bson:"expire_at,omitempty"`
	// Finished is when it was reduced, until its sends are out of the index.
	Finished int64 `bson:"finished,omitempty"`
	// Seen is the latest time of an event, while no send is known.
	Seen int64 `bson:"seen,omitempty"`
	// Aliases and To are as in event.State, written by comparing and setting alone.
	// Seen is then how long the name is kept.
	Aliases []string `bson:"aliases,omitempty"`
	To      string   `bson:"to,omitempty"`

	// Waiting is set with each send and taken off a complete one, so that it is
	// on every send that somebody has not opened.
	Waiting bool `bson:"waiting,omitempty"`
	// Keys are those of everyone who is named, for erasing them.
	Keys []event.RecipientKey `bson:"k,omitempty"`
}

type person struct {
	Email string `bson:"e"`
	Name  string `bson:"n,omitempty"`
}

type sentPart struct {
	User    string `bson:"u,omitempty"`
	Subject string `bson:"s,omitempty"`
	At      int64  `bson:"at"`
	Version int64  `bson:"v"`
}

type override struct {
	Is     string `bson:"is"`
	Reason string `bson:"reason,omitempty"`
	User   string `bson:"user,omitempty"`
}

// released takes the place of first opens that are not kept any more. It is smaller
// than any time, so an open that comes again does not bring them back. A message
// whose recipients all have it is done, until a piece of its send names another.
const released = -1

func idOf(key event.MessageKey) string { return key.Workspace + "|" + key.Message }

// state reads a document.
func (d document) state() event.State {
	s := event.State{
		MessageKey: event.MessageKey{Workspace: d.Workspace, Message: d.ID[len(d.Workspace)+1:]},
		Sent:       d.Sent, User: d.User, Subject: d.Subject, Version: d.Version, Expire: d.Expire,
		First:   make(map[event.Mark]map[event.RecipientKey]int64, len(d.First)),
		Pending: idsOf(d.Pending), Done: d.done(), Aliases: d.Aliases, To: d.To,
	}
	if d.To != "" {
		s.At = d.Seen
	}
	if d.At != nil {
		s.At = *d.At
	}
	if len(d.People) > 0 {
		s.Recipients = make(map[event.RecipientKey]event.Person, len(d.People))
	}
	for key, p := range d.People {
		s.Recipients[key] = event.Person{Email: p.Email, Name: p.Name}
	}
	for mark, firsts := range d.First {
		hidden := s.Done && (mark == event.MarkOpened || mark == event.MarkMachineOpened)
		if hidden || len(firsts) == 0 {
			continue
		}
		s.First[mark] = make(map[event.RecipientKey]int64, len(firsts))
		for key, at := range firsts {
			s.First[mark][key] = max(at, 0)
		}
	}
	if len(d.Parts) > 0 {
		s.Senders, s.Parts = d.Senders, make(map[string]event.Part, len(d.Parts))
	}
	for _, p := range d.Parts {
		s.Parts[p.User] = event.Part{Subject: p.Subject, At: p.At, Version: p.Version}
	}
	d.judged(&s)
	s.Rekey()
	return s
}

// done reports whether the first opens of everyone were let go.
func (d document) done() bool {
	for key := range d.People {
		if d.First[event.MarkOpened][key] != released {
			return false
		}
	}
	return d.Sent && len(d.People) > 0
}

// judged reads what verdicts need.
func (d document) judged(s *event.State) {
	for key, clicks := range d.Clicks {
		if s.Done || len(clicks) == 0 {
			continue
		}
		if s.Clicks == nil {
			s.Clicks = make(map[event.RecipientKey][]event.Clicked, len(d.Clicks))
		}
		for _, id := range latest(clicks) {
			if parsed, err := event.ParseID(id); err == nil {
				s.Clicks[key] = append(s.Clicks[key], event.Clicked{ID: parsed, Link: uint32(clicks[id])})
			}
		}
	}
	for key, overrides := range d.Overrides {
		if s.Overrides == nil {
			s.Overrides = make(map[event.RecipientKey]map[event.ID]event.Override, len(d.Overrides))
		}
		s.Overrides[key] = make(map[event.ID]event.Override, len(overrides))
		for id, each := range overrides {
			if parsed, err := event.ParseID(id); err == nil {
				s.Overrides[key][parsed] = event.Override(each)
			}
		}
	}
}

// latest are the ids of the clicks that count. The text of ids is in their order.
func latest(clicks map[string]int64) []string {
	ids := slices.Sorted(maps.Keys(clicks))
	return ids[max(0, len(ids)-event.MaxClicks):]
}

// documentOf writes a state. Done ones are finished now.
func documentOf(s event.State, now time.Time) document {
	d := document{
		ID: idOf(s.MessageKey), Workspace: s.Workspace, Sent: s.Sent, User: s.User, Subject: s.Subject,
		First: s.First, Pending: binaries(s.Pending), Version: s.Version, Expire: s.Expire,
		Waiting: s.Sent && !s.Complete(), Keys: everyone(s), Senders: s.Senders,
		Aliases: s.Aliases, To: s.To,
	}
	for _, user := range slices.Sorted(maps.Keys(s.Parts)) {
		p := s.Parts[user]
		d.Parts = append(d.Parts, sentPart{user, p.Subject, p.At, p.Version})
	}
	if s.Sent {
		d.At = &s.At
	} else {
		d.Seen = s.Latest()
	}
	if len(s.Recipients) > 0 {
		d.People = make(map[event.RecipientKey]person, len(s.Recipients))
	}
	opened := make(map[event.RecipientKey]int64, len(s.Recipients))
	for key, p := range s.Recipients {
		d.People[key], opened[key] = person{Email: p.Email, Name: p.Name}, released
	}
	if s.Done {
		d.Finished = now.Unix()
		d.First = maps.Clone(emptied(s.First))
		d.First[event.MarkOpened] = opened
	}
	for key, clicks := range s.Clicks {
		d.Clicks = emptied(d.Clicks)
		d.Clicks[key] = make(map[string]int64, len(clicks))
		for _, click := range clicks {
			d.Clicks[key][click.ID.String()] = int64(click.Link)
		}
	}
	for key, overrides := range s.Overrides {
		d.Overrides = emptied(d.Overrides)
		d.Overrides[key] = make(map[string]override, len(overrides))
		for id, each := range overrides {
			d.Overrides[key][id.String()] = override(each)
		}
	}
	return d
}

// emptied makes sure that there is a map to write to.
func emptied[K comparable, V any](m map[K]V) map[K]V {
	if m == nil {
		return make(map[K]V)
	}
	return m
}

// seen is the latest time among what is known without a send.
func seen(
	first map[event.Mark]map[event.RecipientKey]int64, clicks map[event.RecipientKey][]event.Clicked, pending []event.ID,
) int64 {
	latest := int64(0)
	for _, firsts := range first {
		for _, at := range firsts {
			latest = max(latest, at)
		}
	}
	for _, each := range clicks {
		for _, click := range each {
			latest = max(latest, click.ID.Seconds())
		}
	}
	for _, id := range pending {
		latest = max(latest, id.Seconds())
	}
	return latest
}

// everyone are the keys that a state names.
func everyone(s event.State) []event.RecipientKey {
	named := make(map[event.RecipientKey]bool, len(s.Recipients))
	note := func(key event.RecipientKey) { named[key] = true }
	for key := range s.Recipients {
		note(key)
	}
	for _, firsts := range s.First {
		for key := range firsts {
			note(key)
		}
	}
	for key := range s.Clicks {
		note(key)
	}
	for key := range s.Overrides {
		note(key)
	}
	return slices.Sorted(maps.Keys(named))
}

func binaries(ids []event.ID) []bson.Binary {
	out := make([]bson.Binary, len(ids))
	for i, id := range ids {
		out[i] = bson.Binary{Data: id[:]}
	}
	return out
}

// idsOf are ids in their order.
func idsOf(stored []bson.Binary) []event.ID {
	var ids []event.ID
	for _, id := range stored {
		if len(id.Data) == len(event.ID{}) {
			ids = append(ids, event.ID(id.Data))
		}
	}
	slices.SortFunc(ids, func(a, b event.ID) int { return slices.Compare(a[:], b[:]) })
	return ids
}
