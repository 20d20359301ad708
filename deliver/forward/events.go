package forward

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"tidings/deliver"
	"tidings/event"
	"tidings/feed"
	"tidings/query"
)

// EventSource renders deliveries from the events that they tell of.
type EventSource struct {
	Events    Events
	Names     Names
	Searches  Searches
	Directory *deliver.Directory
	// Page is how people reach the page; "" leaves links out.
	Page string
}

// Content renders one, as of now: an event that was erased, or that the endpoint's search
// does not find any more, is not told.
func (s *EventSource) Content(ctx context.Context, d deliver.Delivery) (deliver.Content, string, error) {
	if d.Type == deliver.TestType {
		return deliver.Content{
			Sentence: "This is a test from Tidings", Subject: "If you can read it, the endpoint " + d.Endpoint + " works.",
			Time: time.UnixMilli(d.At).UTC(), Link: s.link("/"), Why: "Somebody pressed “Send a test”.",
		}, "", nil
	}
	found, err := s.Events.Get(ctx, d.Workspace, []event.ID{d.Event})
	if err != nil {
		return deliver.Content{}, "", err
	}
	if len(found) == 0 {
		return deliver.Content{}, "the event was erased", nil
	}
	e := found[0]
	why, err := s.check(ctx, d, e)
	if err != nil || why != "" {
		return deliver.Content{}, why, err
	}
	names, err := s.Names.Names(ctx, d.Workspace)
	if err != nil {
		return deliver.Content{}, "", err
	}
	item, err := json.Marshal(feed.ItemOf(e, nil, func(user string) string { return names[user] }))
	if err != nil {
		return deliver.Content{}, "", fmt.Errorf("render an event: %w", err)
	}
	person := event.Person{}
	if e.Recipient != nil {
		person = *e.Recipient
	}
	return deliver.Content{
		Sentence: Sentence(e), Subject: e.Subject, Person: person.Name, Email: person.Email, Owner: names[e.User], Time: time.Unix(e.Time, 0).UTC(), Item: item,
		Link: s.link(deliver.PathOf(e.Message)), Why: "Sent by the endpoint " + d.Endpoint + ".",
	}, "", nil
}

// check looks again whether the endpoint's search finds the event: an open may have turned
// out to be a scanner's since.
func (s *EventSource) check(ctx context.Context, d deliver.Delivery, e event.Event) (why string, err error) {
	kept, _, err := s.Directory.Get(ctx, deliver.EndpointKey{Workspace: d.Workspace, Endpoint: d.Endpoint})
	if err != nil {
		return "", err
	}
	if kept.Search == "" || d.Rule != "" {
		return "", nil
	}
	_, q, err := s.Searches.Understand(ctx, feed.PageRequest{Scope: feed.Scope{Workspace: d.Workspace}, Text: kept.Search})
	switch {
	case errors.Is(err, event.ErrUnavailable):
		return "", fmt.Errorf("understand the search of an endpoint: %w", err)
	case err != nil:
		return "the endpoint's search is not understood", nil
	}
	q.From, q.Until = 0, 0 // What was in time when it was decided is.
	switch {
	case q.Match(query.NewDocument(e), nil):
		return "", nil
	case e.Automated():
		return "it was withdrawn: a machine did it", nil
	case d.Replay:
		return "", nil // Whoever sends it again knows that the search is another now.
	}
	return "the endpoint's search does not find it any more", nil
}

func (s *EventSource) link(path string) string {
	if s.Page == "" {
		return ""
	}
	return s.Page + path
}

// phrases say what somebody did with a mail.
var phrases = map[event.Type]string{
	event.Delivery: "%s received", event.Open: "%s opened", event.Click: "%s clicked in", event.Download: "%s downloaded from",
	event.Reply: "%s replied to", event.Meeting: "%s answered an invitation in", event.Bounce: "%s did not get",
	event.Complaint: "%s complained about", event.Unsubscribe: "%s unsubscribed from",
}

// Sentence says in one line what happened.
func Sentence(e event.Event) string {
	who := "Somebody"
	if e.Recipient != nil {
		if who = e.Recipient.Name; who == "" {
			who = e.Recipient.Email
		}
	}
	subject := "your mail"
	if e.Subject != "" {
		subject = "“" + e.Subject + "”"
	}
	switch {
	case e.Type == event.Send:
		return "Sent: " + subject
	case e.Type == event.Custom && e.Title != "":
		return who + ": " + e.Title
	}
	phrase, ok := phrases[e.Type]
	if !ok {
		return fmt.Sprintf("%s: %s, about %s", who, e.Kind, subject)
	}
	return fmt.Sprintf(phrase, who) + " " + subject
}
