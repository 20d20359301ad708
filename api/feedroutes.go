package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"tidings/event"
	"tidings/feed"
	"tidings/query"
)

// Bounds of a question.
const (
	maxQueryText = 2000
	maxValues    = 100
	maxValue     = 2000
)

// QuestionInput are the parameters of whatever asks for events. It is exported
// for huma, which looks into no other embedded struct.
type QuestionInput struct {
	Q         string   `query:"q" doc:"what was typed into the search box" maxLength:"2000"`
	Since     string   `query:"since" doc:"RFC 3339 or Unix seconds, inclusive; the horizon, 52 weeks back, when absent"`
	Until     string   `query:"until" doc:"RFC 3339 or Unix seconds, exclusive"`
	Type      []string `query:"type,explode" enum:"send,delivery,open,click,download,reply,meeting,bounce,complaint,unsubscribe,custom" maxItems:"100" doc:"any of these"`
	User      []string `query:"user,explode" maxItems:"100" doc:"of any of these users"`
	Recipient []string `query:"recipient,explode" maxItems:"100" doc:"to or by any of these addresses"`
	Message   []string `query:"message,explode" maxItems:"100" doc:"of any of these messages"`
	Automated string   `query:"automated" enum:"hide,show,only" doc:"opens and clicks that machines made; hidden when absent, unless the text says otherwise"`
	TZ        string   `query:"tz" doc:"IANA time zone that days begin in; the reader's setting when absent" maxLength:"100"`
}

// pageInput are the parameters of GET /v1/feed.
type pageInput struct {
	QuestionInput
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Cursor string `query:"cursor" doc:"next of the page before" maxLength:"200"`
}

type pageOutput struct{ Body feed.Page }

// answerInput are the parameters of GET /v1/answer.
type answerInput struct {
	QuestionInput
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"how many people"`
	Cursor string `query:"cursor" doc:"next of the answer before" maxLength:"200"`
}

type answerOutput struct{ Body feed.Answer }

type messageInput struct {
	ID         pathText `path:"id" doc:"the sender's own id of the message, percent-encoded"`
	Recipients string   `query:"recipients" doc:"rest.next of the recipients before" maxLength:"100"`
	TZ         string   `query:"tz" doc:"IANA time zone" maxLength:"100"`
}

type messageOutput struct{ Body feed.MessageView }

type timelineInput struct {
	ID     pathText `path:"id" doc:"the sender's own id of the message, percent-encoded"`
	Limit  int      `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Cursor string   `query:"cursor" doc:"next of the page before" maxLength:"200"`
}

type eventInput struct {
	ID pathText `path:"id" doc:"26 characters"`
}

type eventOutput struct{ Body feed.EventView }

func (s *Server) feedRoutes(docs huma.API) {
	handle(s, docs, route{
		id: "get-feed", audit: auditReads, embedded: true, inTurn: true, method: http.MethodGet, path: "/v1/feed", group: "Feed", may: readers(),
		summary: "A page of the feed, newest first",
		description: "Item ids never repeat between pages, whatever arrives meanwhile. A rare query returns what it found " +
			"within its time, with next set and reached telling how far it got.",
	}, s.getFeed)
	handle(s, docs, route{
		id: "get-answer", audit: auditReads, embedded: true, inTurn: true, method: http.MethodGet, path: "/v1/answer", group: "Feed", may: readers(),
		summary: "What a question comes to: one sentence with its counts, and the people behind it by company",
		description: "Counted over the events that GET /v1/feed lists for the same parameters, each number with the query " +
			"that lists what it counts. The first page of a question has the same as answer.",
	}, s.getAnswer)
	handle(s, docs, route{
		id: "get-message", audit: auditReads, embedded: true, inTurn: true, method: http.MethodGet, path: "/v1/messages/{id}", group: "Feed", may: readers(),
		summary:     "What is known of a message",
		description: "Lists the first 50 recipients, by address. With rest.next as recipients it lists the next of them, up to 200.",
	}, s.getMessage)
	handle(s, docs, route{
		id: "get-message-events", audit: auditReads, embedded: true, inTurn: true, method: http.MethodGet, path: "/v1/messages/{id}/events", group: "Feed", may: readers(),
		summary: "The events of a message, newest first, automated ones among them",
	}, s.getTimeline)
	handle(s, docs, route{
		id: "get-event", audit: auditReads, embedded: true, inTurn: true, method: http.MethodGet, path: "/v1/events/{id}", group: "Feed", may: readers(),
		summary: "One event with its raw evidence and its verdict",
	}, s.getEvent)
}

func (s *Server) getFeed(ctx context.Context, caller Caller, in *pageInput) (*pageOutput, error) {
	filter, err := in.filter()
	if err != nil {
		return nil, err
	}
	scope := caller.Scope()
	if scope.Zone, err = s.zone(ctx, caller, in.TZ); err != nil {
		return nil, err
	}
	page, err := s.Feed.Page(ctx, feed.PageRequest{
		Scope: scope, Text: in.Q, Filter: filter, Limit: in.Limit, Cursor: in.Cursor,
	})
	if err != nil {
		return nil, err
	}
	return &pageOutput{page}, nil
}

func (s *Server) getAnswer(ctx context.Context, caller Caller, in *answerInput) (*answerOutput, error) {
	filter, err := in.filter()
	if err != nil {
		return nil, err
	}
	scope := caller.Scope()
	if scope.Zone, err = s.zone(ctx, caller, in.TZ); err != nil {
		return nil, err
	}
	answer, err := s.Feed.Answer(ctx, feed.AnswerRequest{
		Scope: scope, Text: in.Q, Filter: filter, Limit: in.Limit, Cursor: in.Cursor,
	})
	if err != nil {
		return nil, err
	}
	return &answerOutput{answer}, nil
}

// filter reads the structured filters.
func (in *QuestionInput) filter() (query.Filter, error) {
	filter := query.Filter{
		Users: in.User, Recipients: in.Recipient, Messages: in.Message,
		Automated: query.Automated(in.Automated),
	}
	if !utf8.ValidString(in.Q) {
		return filter, located("query", event.Invalid("q", "is not valid UTF-8"))
	}
	for _, t := range in.Type {
		filter.Types = append(filter.Types, event.Type(t))
	}
	for name, values := range map[string][]string{"user": in.User, "recipient": in.Recipient, "message": in.Message} {
		for _, value := range values {
			if len(value) > maxValue || !utf8.ValidString(value) {
				return filter, located("query", event.Invalid(name, "is too long or not valid UTF-8"))
			}
		}
	}
	var err error
	if filter.Since, err = moment("since", in.Since); err != nil {
		return filter, err
	}
	if filter.Until, err = moment("until", in.Until); err != nil {
		return filter, err
	}
	if filter.Until != 0 && filter.Since >= filter.Until {
		return filter, located("query", event.Invalid("until", "must be after since"))
	}
	return filter, nil
}

// latest is the last second that an event's id can name.
const latest = 1<<32 - 1

// moment reads a time of a query, 0 when there is none.
func moment(name, text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return 0, located("query", event.Invalid(name,
				"is not a time: write RFC 3339, such as 2026-11-16T09:30:00Z (a plus sign as %2B), or Unix seconds"))
		}
		seconds = at.Unix()
	}
	if seconds < 1 || seconds > latest {
		return 0, located("query", event.Invalid(name, "must lie between 1970 and 2106"))
	}
	return seconds, nil
}

func (s *Server) getMessage(ctx context.Context, caller Caller, in *messageInput) (*messageOutput, error) {
	id, err := in.ID.decode("id")
	if err != nil {
		return nil, err
	}
	name := event.MessageName(id)
	view, err := s.Feed.Message(ctx, caller.Scope(), name, in.Recipients)
	if isGone(err) && name != id { // one from before brackets were taken off
		view, err = s.Feed.Message(ctx, caller.Scope(), id, in.Recipients)
	}
	if err != nil {
		return nil, err
	}
	return &messageOutput{view}, nil
}

func (s *Server) getTimeline(ctx context.Context, caller Caller, in *timelineInput) (*pageOutput, error) {
	id, err := in.ID.decode("id")
	if err != nil {
		return nil, err
	}
	name := event.MessageName(id)
	page, err := s.Feed.Timeline(ctx, caller.Scope(), name, in.Cursor, in.Limit)
	if name != id && (isGone(err) || err == nil && len(page.Items) == 0) {
		page, err = s.Feed.Timeline(ctx, caller.Scope(), id, in.Cursor, in.Limit)
	}
	if err != nil {
		return nil, err
	}
	return &pageOutput{page}, nil
}

func (s *Server) getEvent(ctx context.Context, caller Caller, in *eventInput) (*eventOutput, error) {
	id, err := eventID(in.ID)
	if err != nil {
		return nil, err
	}
	view, err := s.Feed.Event(ctx, caller.Scope(), id)
	if err != nil {
		return nil, err
	}
	return &eventOutput{view}, nil
}

// eventID reads the id of an event out of a path.
func eventID(part pathText) (event.ID, error) {
	text, err := part.decode("id")
	if err != nil {
		return event.ID{}, err
	}
	id, err := event.ParseID(text)
	var field *event.FieldError
	if errors.As(err, &field) {
		return id, badPath("id", field.Problem)
	}
	return id, err
}
