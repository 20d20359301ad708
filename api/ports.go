package api

import (
	"context"
	"encoding/json"
	"time"

	"tidings/account"
	"tidings/event"
	"tidings/feed"
	"tidings/query"
)

// Intake takes events in for good.
type Intake interface {
	// Publish returns nil once every event is durable. A TooMuch error says
	// that the backlog is over its bound, ErrUnavailable that nothing can be
	// made durable now; some of the events may be in all the same, and giving
	// them again is harmless.
	Publish(ctx context.Context, lane event.Lane, events []event.Event) error
}

// DeadLetters are the events that failed for good.
type DeadLetters interface {
	// DeadLetters lists a workspace's, oldest first, from behind the id after.
	DeadLetters(ctx context.Context, workspace string, after string, limit int) ([]event.DeadLetter, error)
	// DeadLetter returns one, or ErrNotFound.
	DeadLetter(ctx context.Context, workspace, id string) (event.DeadLetter, error)
	// Replay puts one back into the queue, its attempts forgotten, and then
	// takes it off the list. ErrNotFound when there is none.
	Replay(ctx context.Context, workspace, id string) error
	// Drop forgets one. ErrNotFound when there is none.
	Drop(ctx context.Context, workspace, id string) error
}

// DeadLetter is one event that failed for good. ID is the event's own.
type DeadLetter struct {
	ID       string
	At       time.Time
	Event    json.RawMessage
	Attempts []Attempt
}

// Attempt is one failure in a dead letter's history.
type Attempt struct {
	At    time.Time `json:"at"`
	Error string    `json:"error"`
}

// Records keeps small documents: those of package account, sources, tracking
// keys, settings.
type Records = account.Records

// Weeks describes the index.
type Weeks interface {
	// WeekInfos describes every week, newest first, with the events of all
	// workspaces. That is for the operator alone.
	WeekInfos(ctx context.Context) ([]event.WeekInfo, error)
	// WorkspaceEvents counts a workspace's events in each week that may hold
	// some; nil where the number is not known.
	WorkspaceEvents(ctx context.Context, workspace string) (map[event.Week]*int64, error)
}

// Eraser removes a person from a workspace for good.
type Eraser interface {
	Erase(ctx context.Context, workspace, email string) (Erased, error)
}

// Samples makes events to look around with, and takes them away again.
type Samples interface {
	// Sample is the same for the same now, and nothing of it is later.
	Sample(now time.Time) []event.Input
	// People are the canonical addresses that events of a sample name.
	People(events []event.Input) []string
	// Remove takes the events of one of these people out, and what is known of their
	// messages. It bars nobody, and may be repeated.
	Remove(ctx context.Context, workspace, email string) error
}

// Erasures knows who was erased.
type Erasures interface {
	// Erased reports which of the addresses, by workspace, were erased, and up to
	// when what happened stays out, Unix seconds.
	Erased(ctx context.Context, emails map[string][]string) (map[string]map[string]int64, error)
}

// Erased is what an erasure did, for its receipt.
type Erased struct {
	EventsDeleted   int
	SendsRewritten  int
	MessagesTouched int
	DeadLetters     int
	Endpoints       int
}

// Reports answers questions about all of what is in.
type Reports interface {
	// Stats counts what Feed.Page lists for the same question.
	Stats(ctx context.Context, request feed.StatsRequest) (feed.Stats, error)
	// Export gives all that Feed.Page lists for the same question to visit, a
	// bounded number at a time, and ends with the first error of visit. It visits none
	// after a search that found nothing.
	Export(ctx context.Context, request feed.ExportRequest, visit func([]feed.Item) error) error
	// PersonData gives all that is stored about a person, by canonical address, to
	// visit, as Export does.
	PersonData(ctx context.Context, workspace, email string, visit func([]feed.EventView) error) error
	// Evidence gives the sends, deliveries, opens and clicks of a workspace
	// since a time to visit, newest first, a bounded number at a time. It takes
	// a bounded time and returns how far back it has come: since, when that was
	// all.
	Evidence(ctx context.Context, workspace string, since time.Time, visit func([]event.Event)) (time.Time, error)
}

// Feed answers questions about what is in.
type Feed interface {
	// Page returns the newest events of a question, or those after its cursor.
	Page(ctx context.Context, request feed.PageRequest) (feed.Page, error)
	// Answer counts what a question asks for.
	Answer(ctx context.Context, request feed.AnswerRequest) (feed.Answer, error)
	// Message returns what is known of a message. ErrNotFound is also what the
	// reader may not see.
	Message(ctx context.Context, scope feed.Scope, id, recipients string) (feed.MessageView, error)
	// Timeline returns a message's events, newest first.
	Timeline(ctx context.Context, scope feed.Scope, id, cursor string, limit int) (feed.Page, error)
	// Event returns one event, or ErrNotFound.
	Event(ctx context.Context, scope feed.Scope, id event.ID) (feed.EventView, error)
	// Items returns those of the events that there are and the reader may see.
	Items(ctx context.Context, scope feed.Scope, ids []event.ID) (map[event.ID]feed.Item, error)
}

// Known tells which events are in.
type Known interface {
	// Known returns those of the ids whose events can be read.
	Known(ctx context.Context, workspace string, ids []event.ID) (map[event.ID]bool, error)
}

// Contacts knows the people outside whom the workspace writes to. Person and
// Company return ErrNotFound when the reader may see nothing of them.
type Contacts interface {
	// Person is one person, by canonical address.
	Person(ctx context.Context, scope feed.Scope, email string) (feed.PersonView, error)
	// Company is all people of a domain.
	Company(ctx context.Context, scope feed.Scope, domain string) (feed.CompanyView, error)
	// Nudges are those who let mail wait, Calls those who are worth a call now.
	Nudges(ctx context.Context, request feed.NudgeRequest) (feed.NudgeList, error)
	Calls(ctx context.Context, request feed.CallRequest) (feed.CallList, error)
	// Colleagues are the users whose mail the reader may see, by name.
	Colleagues(ctx context.Context, scope feed.Scope) ([]feed.User, error)
}

// Suggester helps people type a question.
type Suggester interface {
	// Suggest returns ways to go on with a text at a caret, of what the reader
	// may see.
	Suggest(ctx context.Context, request feed.SuggestRequest) (feed.Suggestions, error)
}

// Verdicts lets people override the rules.
type Verdicts interface {
	// Override keeps a person's verdict on an event, or takes it back where override
	// is nil. When it returns nil, that is durable, and outlasts a repetition of
	// the event; the index and the message's state follow before it returns, or
	// later, where later is true.
	Override(ctx context.Context, e event.Event, override *event.Override) (later bool, err error)
}

// LiveQuestions reads what a subscription asks as a page reads it, so that both
// hold the same events.
type LiveQuestions interface {
	// Understand joins the text and the filter with what the request's scope
	// may see.
	Understand(ctx context.Context, request feed.PageRequest) (feed.Understood, query.Query, error)
}

// exportRows writes items in one of the formats.
type exportRows interface {
	mediaType() string
	begin() error
	write(item *feed.Item) error
	flush() error
}
