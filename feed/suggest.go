package feed

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"tidings/event"
	"tidings/query"
)

// Bounds of suggestions.
const (
	// suggestTime is how long the index is asked; what it has found by then is
	// all there is.
	suggestTime = 30 * time.Millisecond
	// suggestEvents are the newest events that are looked at, in at most
	// suggestWeeks. Where fewer than suggestEnough of them have the beginning of
	// the word, as many older ones that have it are asked for: what is seldom is
	// found quickly, and what is not would be found in too many.
	suggestEvents = 200
	suggestEnough = 20
	suggestWeeks  = 8
	// shortestAsked is the shortest beginning that the index is asked for.
	shortestAsked = 2
	// eachKind is how many suggestions of one kind there are at most.
	eachKind = 4
	// MaxSuggestions is how many there are at most.
	MaxSuggestions = 12
)

// SuggestRequest asks how to go on with a text at a caret.
type SuggestRequest struct {
	Scope
	Text string
	// At is the caret, in code points from 0 to the length of the text.
	At int
}

// Suggestions are ways to go on, the likeliest first.
type Suggestions struct {
	// Span is what each of them replaces, in code points.
	Span  [2]int             `json:"span" nullable:"false" doc:"what a suggestion replaces, [start, end) in Unicode code points"`
	Items []query.Suggestion `json:"items" nullable:"false"`
}

// Suggest completes what is typed at a caret: by operators, times and people of
// the directory, and by people, domains, subjects and words of the newest events
// that the reader may see. It is quick rather than complete.
func (r *Reader) Suggest(ctx context.Context, request SuggestRequest) (Suggestions, error) {
	c := query.CompleteAt(request.Text, request.At)
	who, err := r.people(ctx, request.Scope)
	if err != nil {
		return Suggestions{}, err
	}
	found := &suggested{completion: c, counts: make(map[query.Suggestion]int)}
	found.directory(who)
	if len(c.Prefix) >= shortestAsked {
		if err := r.recent(ctx, request.Scope, found); err != nil {
			return Suggestions{}, err
		}
	}
	return Suggestions{Span: c.Span, Items: found.ranked()}, nil
}

// recent looks through the newest events, and through older ones that have the
// beginning of the word, as far as time allows.
func (r *Reader) recent(ctx context.Context, scope Scope, found *suggested) error {
	where := found.where()
	if where == nil {
		return nil
	}
	now := r.clock()
	q := query.Query{From: max(0, now.Add(-Horizon).Unix()), Automated: query.AutomatedHide}
	if scope.Users != nil {
		q = q.Restrict(scope.Users)
	}
	s := scan{reader: r, scope: scope, query: q}
	weeks, err := s.weeks(ctx, now)
	if err != nil {
		return err
	}
	weeks = weeks[:min(suggestWeeks, len(weeks))]
	quick, cancel := r.timeout(ctx, suggestTime)
	defer cancel()
	enough, last, err := s.suggest(quick, weeks, found)
	if err == nil && !enough && !last.IsZero() {
		s.query.Where, s.before = query.AllOf(where, q.Where), last
		_, _, err = s.suggest(quick, weeks, found)
	}
	if err != nil && quick.Err() != nil && ctx.Err() == nil {
		return nil // Out of time.
	}
	return err
}

// suggest takes what the newest events of a search have to suggest. It says
// whether enough had something, and where the last one was when there may be more.
func (s *scan) suggest(ctx context.Context, weeks []event.Week, found *suggested) (enough bool, last Key, err error) {
	left, had := suggestEvents, 0
	for _, week := range weeks {
		hits, err := s.search(ctx, Search{
			Workspace: s.scope.Workspace, Query: s.query, Weeks: []event.Week{week}, Before: s.before, Limit: left,
		})
		if err != nil {
			return false, Key{}, fmt.Errorf("search: %w", err)
		}
		for _, hit := range hits {
			if found.event(hit.Event) {
				had++
			}
		}
		if left -= len(hits); left <= 0 {
			return had >= suggestEnough, hits[len(hits)-1].Key, nil
		}
	}
	return false, Key{}, nil
}

// suggested collects suggestions with how often each was met. Those that were
// met first come first among equals: they are the newest.
type suggested struct {
	completion query.Completion
	counts     map[query.Suggestion]int
	order      []query.Suggestion
	// met is how many were met in all.
	met int
}

func (s *suggested) add(suggestion query.Suggestion) {
	s.met++
	if s.counts[suggestion]++; s.counts[suggestion] == 1 {
		s.order = append(s.order, suggestion)
	}
}

// behind writes a value behind its operator, unless that is typed already.
func (s *suggested) behind(field, value string) string {
	if s.completion.Field != "" {
		return query.QuoteValue(value)
	}
	return field + ":" + query.QuoteValue(value)
}

// person writes an address. Behind "opened by" it stays what did it: no operator.
func (s *suggested) person(email string) string {
	if s.completion.Actor {
		return query.QuoteValue(email)
	}
	return s.behind("to", email)
}

// directory suggests users and teams whose name begins so.
func (s *suggested) directory(who *people) {
	c := s.completion
	if !c.Wants("from") || c.Actor || c.Prefix == "" && c.Field == "" && !c.Person {
		return
	}
	for id, name := range who.names {
		if beginsWith(name, c.Prefix) || strings.HasPrefix(strings.ToLower(id), c.Prefix) {
			if name == "" || !who.alone(name, id) {
				name = id
			}
			s.order = append(s.order, query.Suggestion{Kind: "user", Text: s.behind("from", name), Label: who.names[id]})
		}
	}
	for _, team := range who.teams {
		if beginsWith(team.Name, c.Prefix) {
			s.order = append(s.order, query.Suggestion{Kind: "team", Text: s.behind("from", team.Name), Label: team.Name})
		}
	}
	slices.SortFunc(s.order, func(a, b query.Suggestion) int { return cmp.Compare(a.Text, b.Text) })
}

// where is the condition that an event has something to suggest; nil when the
// index has nothing of the kind.
func (s *suggested) where() query.Expr {
	tokens := query.Analyse(s.completion.Prefix)
	if len(tokens) == 0 {
		return nil
	}
	begins := func(field query.TextField) query.Expr {
		all := query.And{query.Words{Field: field, Form: query.FormPrefix, Terms: []string{tokens[len(tokens)-1].Word}}}
		for _, token := range tokens[:len(tokens)-1] {
			all = append(all, query.Words{Field: field, Form: query.FormPhrase, Terms: []string{token.Word}})
		}
		return all
	}
	switch s.completion.Field {
	case "":
		if s.completion.Person {
			return begins(query.FieldPeople)
		}
		return query.Or{begins(query.FieldSubject), begins(query.FieldPeople)}
	case "to", "domain":
		return begins(query.FieldPeople)
	case "subject", "words", "body":
		return begins(query.FieldSubject)
	case "file":
		return begins(query.FieldFile)
	}
	return nil
}

// event takes what an event has to suggest, and reports whether it has anything.
func (s *suggested) event(e event.Event) bool {
	c, before := s.completion, s.met
	people := e.Recipients
	if e.Recipient != nil {
		people = []event.Person{*e.Recipient}
	}
	for _, person := range people[:min(len(people), MaxSuggestions)] {
		if c.Wants("to") && (beginsWith(person.Name, c.Prefix) || strings.HasPrefix(person.Email, c.Prefix)) {
			s.add(query.Suggestion{Kind: "person", Text: s.person(person.Email), Label: person.Name})
		}
		domain := query.Domain(person.Email)
		if c.Wants("domain") && domain != "" && strings.HasPrefix(domain, c.Prefix) {
			s.add(query.Suggestion{Kind: "domain", Text: s.behind("domain", domain)})
		}
	}
	switch c.Field {
	case "", "subject", "words", "body":
		if !c.Person {
			s.subject(e.Subject)
		}
	case "file":
		if beginsWith(e.File, c.Prefix) {
			s.add(query.Suggestion{Kind: "subject", Text: query.QuoteValue(e.File)})
		}
	}
	return s.met > before
}

// subject takes a subject and the word of it that begins so.
func (s *suggested) subject(subject string) {
	prefix := s.completion.Prefix
	if beginsWith(subject, prefix) {
		s.add(query.Suggestion{Kind: "subject", Text: s.behind("subject", subject), Label: subject})
	}
	for _, token := range query.Analyse(subject) {
		if strings.HasPrefix(token.Word, prefix) && token.Word != prefix && !strings.Contains(token.Word, "@") {
			s.add(query.Suggestion{Kind: "word", Text: token.Word})
			return
		}
	}
}

// ranked are the best suggestions: what needs no index first, where it is what
// the typed word most likely begins; then by how often each was met.
func (s *suggested) ranked() []query.Suggestion {
	slices.SortStableFunc(s.order, func(a, b query.Suggestion) int { return cmp.Compare(s.counts[b], s.counts[a]) })
	all := make([]query.Suggestion, 0, MaxSuggestions)
	kinds := make(map[string]int)
	add := func(suggestion query.Suggestion) {
		if kinds[suggestion.Kind]++; kinds[suggestion.Kind] <= eachKind && len(all) < MaxSuggestions {
			suggestion.Count = s.counts[suggestion]
			all = append(all, suggestion)
		}
	}
	known := s.completion.Known()
	direct := func(kind string) bool { return kind == "user" || kind == "team" }
	for _, suggestion := range known {
		if s.completion.Field != "" || suggestion.Kind != "time" {
			add(suggestion)
		}
	}
	for _, suggestion := range s.order {
		if direct(suggestion.Kind) {
			add(suggestion)
		}
	}
	for _, suggestion := range s.order {
		if !direct(suggestion.Kind) {
			add(suggestion)
		}
	}
	for _, suggestion := range known {
		if s.completion.Field == "" && suggestion.Kind == "time" {
			add(suggestion)
		}
	}
	return all
}

// beginsWith reports whether a text, or one of its words, begins with a prefix.
func beginsWith(text, prefix string) bool {
	text = strings.ToLower(text)
	return strings.HasPrefix(text, prefix) || strings.Contains(text, " "+prefix)
}
