package api_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"tidings/api"
	"tidings/event"
	"tidings/feed"
	"tidings/query"
)

// intake remembers what was published.
type intake struct {
	mu     sync.Mutex
	events []event.Event
	lanes  []event.Lane
	err    error
}

func (i *intake) Publish(_ context.Context, lane event.Lane, events []event.Event) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.err != nil {
		return i.err
	}
	i.events = append(i.events, events...)
	i.lanes = append(i.lanes, lane)
	return nil
}

func (i *intake) all() []event.Event {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.events)
}

// letters are dead letters in memory.
type letters struct {
	mu  sync.Mutex
	all map[string][]event.DeadLetter // by workspace
}

func (l *letters) add(workspace string, letter event.DeadLetter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all == nil {
		l.all = make(map[string][]event.DeadLetter)
	}
	kept := slices.DeleteFunc(l.all[workspace], func(d event.DeadLetter) bool { return d.ID == letter.ID })
	l.all[workspace] = append(kept, letter)
	slices.SortFunc(l.all[workspace], func(a, b event.DeadLetter) int { return strings.Compare(a.ID, b.ID) })
}

func (l *letters) DeadLetters(_ context.Context, workspace, after string, limit int) ([]event.DeadLetter, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	kept := l.all[workspace]
	for len(kept) > 0 && kept[0].ID <= after {
		kept = kept[1:]
	}
	return slices.Clone(kept[:min(limit, len(kept))]), nil
}

func (l *letters) DeadLetter(_ context.Context, workspace, id string) (event.DeadLetter, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, letter := range l.all[workspace] {
		if letter.ID == id {
			return letter, nil
		}
	}
	return event.DeadLetter{}, event.ErrNotFound
}

func (l *letters) Replay(ctx context.Context, workspace, id string) error {
	return l.Drop(ctx, workspace, id)
}

func (l *letters) Drop(ctx context.Context, workspace, id string) error {
	if _, err := l.DeadLetter(ctx, workspace, id); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all[workspace] = slices.DeleteFunc(l.all[workspace], func(d event.DeadLetter) bool { return d.ID == id })
	return nil
}

// reader is a feed over events in memory that remembers what it was asked.
type reader struct {
	mu     sync.Mutex
	events []event.Event
	asked  []feed.PageRequest
	scopes []feed.Scope
	nudges []feed.Nudge
	calls  []feed.Call
	err    error
}

func (r *reader) Find(_ context.Context, _ string, q query.Query, _ int) (found []event.Event, _ map[string]event.State, _ error) {
	for _, e := range r.events {
		if q.Match(query.NewDocument(e), nil) {
			found = append(found, e)
		}
	}
	return found, nil, nil
}

func (r *reader) FindEach(
	ctx context.Context, workspace string, q query.Query, atOnce int, visit func([]event.Event, map[string]event.State) (bool, error),
) error {
	found, states, err := r.Find(ctx, workspace, q, atOnce)
	if err == nil {
		_, err = visit(found, states)
	}
	return err
}

func (r *reader) Answer(context.Context, feed.AnswerRequest) (feed.Answer, error) {
	return feed.Answer{}, nil
}

func (r *reader) Page(_ context.Context, request feed.PageRequest) (feed.Page, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = append(r.asked, request)
	if r.err != nil {
		return feed.Page{}, r.err
	}
	if request.Cursor != "" {
		return feed.Page{}, event.Invalid("cursor", "is not a valid cursor")
	}
	var page feed.Page
	for _, e := range r.events {
		if e.Workspace == request.Workspace && (request.Users == nil || slices.Contains(request.Users, e.User)) {
			page.Items = append(page.Items, feed.ItemOf(e, nil, func(string) string { return "" }))
		}
	}
	return page, nil
}

func (r *reader) Get(_ context.Context, workspace string, ids []event.ID) (found []event.Event, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		if e.Workspace == workspace && slices.Contains(ids, e.ID) {
			found = append(found, e)
		}
	}
	return found, nil
}

func (r *reader) Items(ctx context.Context, scope feed.Scope, ids []event.ID) (map[event.ID]feed.Item, error) {
	found, err := r.Get(ctx, scope.Workspace, ids)
	items := make(map[event.ID]feed.Item)
	for _, e := range found {
		if scope.Users == nil || slices.Contains(scope.Users, e.User) {
			items[e.ID] = feed.ItemOf(e, nil, func(string) string { return "" })
		}
	}
	return items, err
}

func (r *reader) Message(_ context.Context, scope feed.Scope, id, _ string) (feed.MessageView, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.scopes = append(r.scopes, scope)
	for _, e := range r.events {
		if e.Workspace == scope.Workspace && e.Message == id {
			return feed.MessageView{Message: id}, nil
		}
	}
	return feed.MessageView{}, fmt.Errorf("message: %w", event.ErrNotFound)
}

func (r *reader) Person(_ context.Context, scope feed.Scope, email string) (feed.PersonView, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.scopes = append(r.scopes, scope)
	for _, e := range r.events {
		if e.Workspace == scope.Workspace && e.Recipient != nil && e.Recipient.Email == email {
			return feed.PersonView{Email: email, Domain: query.Domain(email)}, nil
		}
	}
	return feed.PersonView{}, fmt.Errorf("person: %w", event.ErrNotFound)
}

func (r *reader) Company(_ context.Context, scope feed.Scope, domain string) (feed.CompanyView, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.scopes = append(r.scopes, scope)
	for _, e := range r.events {
		if e.Workspace == scope.Workspace && e.Recipient != nil && query.Domain(e.Recipient.Email) == domain {
			return feed.CompanyView{Domain: domain}, nil
		}
	}
	return feed.CompanyView{}, fmt.Errorf("company: %w", event.ErrNotFound)
}

func (r *reader) Nudges(_ context.Context, request feed.NudgeRequest) (feed.NudgeList, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.scopes = append(r.scopes, request.Scope)
	var list feed.NudgeList
	for _, n := range r.nudges {
		if request.Only == nil || slices.Contains(request.Only, n.User.ID) {
			list.People = append(list.People, n)
		}
	}
	return list, nil
}

func (r *reader) Calls(_ context.Context, request feed.CallRequest) (feed.CallList, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.scopes = append(r.scopes, request.Scope)
	return feed.CallList{People: r.calls}, nil
}

func (r *reader) Colleagues(context.Context, feed.Scope) ([]feed.User, error) {
	return []feed.User{{ID: "u_ana", Name: "Ana"}}, nil
}

func (r *reader) Timeline(ctx context.Context, scope feed.Scope, id, _ string, _ int) (feed.Page, error) {
	_, err := r.Message(ctx, scope, id, "")
	return feed.Page{}, err
}

func (r *reader) Event(_ context.Context, scope feed.Scope, id event.ID) (feed.EventView, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		if e.Workspace == scope.Workspace && e.ID == id {
			return feed.EventView{Item: feed.ItemOf(e, nil, func(string) string { return "" })}, nil
		}
	}
	return feed.EventView{}, fmt.Errorf("event: %w", event.ErrNotFound)
}

// reports remembers what it was asked, and exports its items one by one.
type reports struct {
	mu     sync.Mutex
	stats  []feed.StatsRequest
	export []feed.ExportRequest
	items  []feed.Item
	events []event.Event
	// err comes after the items.
	err error
}

func (r *reports) Stats(_ context.Context, request feed.StatsRequest) (feed.Stats, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stats = append(r.stats, request)
	return feed.Stats{}, r.err
}

func (r *reports) Export(_ context.Context, request feed.ExportRequest, visit func([]feed.Item) error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.export = append(r.export, request)
	for i := range r.items {
		if err := visit(r.items[i : i+1]); err != nil {
			return err
		}
	}
	return r.err
}

func (r *reports) PersonData(_ context.Context, _, email string, visit func([]feed.EventView) error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, item := range r.items {
		item.Person = &event.Person{Email: email}
		if err := visit([]feed.EventView{{Item: item, Body: "all of it"}}); err != nil {
			return err
		}
	}
	return r.err
}

func (r *reports) Evidence(_ context.Context, workspace string, since time.Time, visit func([]event.Event)) (time.Time, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		if e.Workspace == workspace && e.Time >= since.Unix() {
			visit([]event.Event{e})
		}
	}
	return since, r.err
}

// Suggest suggests what it was asked for.
func (r *reader) Suggest(_ context.Context, request feed.SuggestRequest) (feed.Suggestions, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.scopes = append(r.scopes, request.Scope)
	return feed.Suggestions{
		Span: [2]int{0, request.At}, Items: []query.Suggestion{{Kind: "word", Text: request.Text, Count: 1}},
	}, r.err
}

type weeks struct{}

func (weeks) WeekInfos(context.Context) ([]event.WeekInfo, error) {
	week := event.WeekOf(noon.Unix())
	return []event.WeekInfo{{Week: week, Events: 3, Bytes: 4096}, {Week: week - 1, Events: 7, Bytes: 8192, Sealed: true}}, nil
}

// WorkspaceEvents has two events of acme, and of globex an unknown number in
// each week.
func (weeks) WorkspaceEvents(_ context.Context, workspace string) (map[event.Week]*int64, error) {
	week, two := event.WeekOf(noon.Unix()), int64(2)
	switch workspace {
	case "acme":
		return map[event.Week]*int64{week: &two}, nil
	case "globex":
		return map[event.Week]*int64{week: nil, week - 1: nil}, nil
	}
	return nil, nil
}

// eraser counts nothing and remembers whom.
type eraser struct {
	mu     sync.Mutex
	erased []string
}

func (e *eraser) Erase(_ context.Context, workspace, email string) (api.Erased, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.erased = append(e.erased, workspace+" "+email)
	return api.Erased{EventsDeleted: 2, SendsRewritten: 1, MessagesTouched: 3}, nil
}

// readiness has an index that is up and a stream that is as broken says.
func readiness(broken *error) func(context.Context) map[string]error {
	return func(context.Context) map[string]error {
		return map[string]error{"index": nil, "stream": *broken}
	}
}

// verdicts keeps overrides, and fails or delays when it is told to.
type verdicts struct {
	mu        sync.Mutex
	events    []event.Event
	overrides []*event.Override
	later     bool
	err       error
}

func (v *verdicts) Override(_ context.Context, e event.Event, overrides *event.Override) (bool, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.events, v.overrides = append(v.events, e), append(v.overrides, overrides)
	return v.later, v.err
}

// noSamples is a sample of nothing.
type noSamples struct{}

func (noSamples) Sample(time.Time) []event.Input               { return nil }
func (noSamples) People([]event.Input) []string                { return nil }
func (noSamples) Remove(context.Context, string, string) error { return nil }
