package feed

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"tidings/event"
	"tidings/query"
)

// Bounds of answers.
const (
	// answerEvents is how many events an answer counts at most.
	answerEvents = 50_000
	// answerBesideTime is how long a page waits for the answer beside it.
	answerBesideTime = 250 * time.Millisecond
	// AnswerPeople and MaxAnswerPeople are how many people are listed.
	AnswerPeople    = 50
	MaxAnswerPeople = 500
)

// AnswerRequest is a question to be answered.
type AnswerRequest struct {
	Scope
	Text   string
	Filter query.Filter
	// Limit is how many people are listed, 1 to MaxAnswerPeople; 0 means
	// AnswerPeople. Cursor is Next of the answer before.
	Limit  int
	Cursor string
}

// Answer is a question's answer: one sentence with its counts, and the people
// behind it by company. It is counted over the events that the feed lists for the
// same question.
type Answer struct {
	Sentence  string            `json:"sentence" doc:"the answer in one sentence"`
	Counts    []AnswerCount     `json:"counts" nullable:"false" doc:"the numbers of the sentence, each with the query that lists what it counts"`
	Companies []AnsweredCompany `json:"companies" nullable:"false" doc:"people by the domain of their address, those with the most people first"`
	Table     *AnswerTable      `json:"table,omitempty" doc:"where the text asks for one: by company, top 10, most engaged"`
	Next      *string           `json:"next" doc:"cursor of the people after these; null when there are none"`
	Partial   bool              `json:"partial" doc:"not everything is counted: the time was enough only from reached on, or weeks cannot be read, see warnings"`
	Warnings  []string          `json:"warnings,omitempty" doc:"what is missing, in words"`
	Reached   time.Time         `json:"reached" doc:"how far back was counted"`
	Query     Understood        `json:"query" doc:"how the text was understood"`
}

// AnswerCount is a number with the query behind it.
type AnswerCount struct {
	Of    string `json:"of" enum:"events,messages,people,companies,complained,unsubscribed,bounced" doc:"complained, unsubscribed and bounced: of the people, those who have not opened or replied and are not waited for; the sentence counts them apart"`
	Count int    `json:"count"`
	Query string `json:"query" doc:"q of /v1/feed that lists what is counted"`
}

// AnsweredCompany is the people of one domain.
type AnsweredCompany struct {
	Domain string           `json:"domain"`
	Count  int              `json:"count" doc:"how many people, listed here or not"`
	Events int              `json:"events" doc:"how many events of the feed are about them"`
	Query  string           `json:"query"`
	People []AnsweredPerson `json:"people" nullable:"false"`
}

// AnsweredPerson is somebody whom the question is about.
type AnsweredPerson struct {
	Email    string    `json:"email"`
	Name     string    `json:"name,omitempty"`
	Events   int       `json:"events" doc:"how many events of the feed are about them"`
	Messages int       `json:"messages" doc:"of how many messages"`
	Last     time.Time `json:"last" doc:"when the newest of the events was"`
	State    []string  `json:"state" nullable:"false" doc:"how far they have come with these messages: opened, clicked, replied, bounced, complained, unsubscribed"`
	Query    string    `json:"query"`
}

// Answer counts what a question asks for.
func (r *Reader) Answer(ctx context.Context, request AnswerRequest) (Answer, error) {
	who, err := r.people(ctx, request.Scope)
	if err != nil {
		return Answer{}, err
	}
	skip, now := 0, r.clock()
	page := PageRequest{Scope: request.Scope, Text: request.Text, Filter: request.Filter}
	if request.Cursor != "" {
		if skip, now, err = parseAnswerCursor(request.Cursor); err != nil {
			return Answer{}, err
		}
	}
	understood, q, err := r.interpret(ctx, page, who, now)
	if err != nil {
		return Answer{}, err
	}
	found, err := r.answer(ctx, request.Scope, q, now, r.budget, newTable(understood.table, request.zone(), who.names))
	if err != nil {
		return Answer{}, err
	}
	return found.answer(request, understood, skip, now), nil
}

// answerBeside answers the question of a first page, in the little time that a
// page may wait for it.
func (r *Reader) answerBeside(ctx context.Context, p *pageScan, now time.Time) (*Answer, error) {
	asks := query.QuestionOf(p.request.Text) != query.NoQuestion || p.understood.table.Asked()
	if p.request.Cursor != "" || !asks {
		return nil, nil
	}
	table := newTable(p.understood.table, p.request.zone(), p.who.names)
	found, err := r.answer(ctx, p.request.Scope, p.scan.query, now, answerBesideTime, table)
	if errors.Is(err, event.ErrTooMuch) {
		return nil, nil // The page is there all the same.
	}
	if err != nil {
		return nil, err
	}
	answer := found.answer(AnswerRequest{Scope: p.request.Scope, Text: p.request.Text}, p.understood, 0, now)
	return &answer, nil
}

// answer says what was counted.
func (a *answered) answer(request AnswerRequest, understood Understood, skip int, now time.Time) Answer {
	found := a
	text := cmp.Or(understood.Showing, request.Text)
	answer := Answer{
		Partial: found.partial || len(found.damaged) > 0, Warnings: Warnings(found.damaged), Reached: time.Unix(found.reached, 0).UTC(), Query: understood,
		Sentence: found.sentence(query.QuestionOf(request.Text), understood.Chips, request.zone()),
		Counts:   found.counts(text, found.apart(understood.Chips)),
	}
	limit := request.Limit
	if limit <= 0 {
		limit = AnswerPeople
	}
	limit = min(limit, MaxAnswerPeople)
	if understood.table.Asked() {
		answer.Table = found.table.table(text)
	}
	var more bool
	answer.Companies, more = found.list(text, skip, limit)
	if more {
		next := fmt.Sprintf("%d.%d", skip+limit, now.Unix())
		answer.Next = &next
	}
	return answer
}

func parseAnswerCursor(text string) (skip int, now time.Time, err error) {
	first, second, _ := strings.Cut(text, ".")
	skip, err = strconv.Atoi(first)
	seconds, err2 := strconv.ParseInt(second, 10, 64)
	if err != nil || err2 != nil || skip < 0 || seconds < 0 {
		return 0, time.Time{}, event.Invalid("cursor", "is not a valid cursor")
	}
	return skip, time.Unix(seconds, 0), nil
}

// answered is what was counted for an answer.
type answered struct {
	events   int
	messages map[string]bool
	people   map[string]*answeredPerson
	// companies has how many events are about somebody of each domain: one to several
	// people of it counts once.
	companies   map[string]int
	first, last int64
	reached     int64
	partial     bool
	// damaged are weeks that could not be read.
	damaged event.DamagedWeeks
	table   *tableBuilder
	// nobody is whether it is about mails that nobody did something with.
	nobody bool
}

type answeredPerson struct {
	AnsweredPerson
	messages map[string]bool
	state    map[string]bool
	// why is why they are not waited for, "" where they are; waited is whether they
	// are with any of their messages.
	why    string
	waited bool
}

// answer reads every event of a question, as far as time and bounds allow.
func (r *Reader) answer(ctx context.Context, scope Scope, q query.Query, now time.Time, budget time.Duration, table *tableBuilder) (*answered, error) {
	a := &answered{messages: make(map[string]bool), people: make(map[string]*answeredPerson), companies: make(map[string]int), reached: q.From, table: table, nobody: q.AsksNobody()}
	table.history, table.nobody = q.History != nil, a.nobody
	s := scan{reader: r, scope: scope, query: q}
	weeks, err := s.weeks(ctx, now)
	if err != nil {
		return nil, err
	}
	began := r.clock()
	w := r.walkThrough(scope, q, weeks, readBatch)
	for more := len(weeks) > 0; more; {
		var hits []Hit
		if hits, more, err = w.next(ctx); err != nil {
			return nil, err
		}
		if err := w.read(ctx, hits); err != nil {
			return nil, err
		}
		for _, hit := range hits {
			a.add(q, hit.Event, w.stateOf(hit.Event))
		}
		if more && (r.clock().Sub(began) > budget || a.events >= answerEvents) {
			a.partial, a.reached = true, w.past
			break
		}
	}
	a.damaged = w.damaged
	return a, nil
}

// stateMarks are the states of a person that an answer shows.
var stateMarks = []struct {
	mark event.Mark
	name string
}{
	{event.MarkOpened, "opened"},
	{event.MarkClicked, "clicked"},
	{event.MarkReplied, "replied"},
	{event.MarkBounced, "bounced"},
	{event.MarkComplained, "complained"},
	{event.MarkUnsubscribed, "unsubscribed"},
}

func (a *answered) add(q query.Query, e event.Event, state *event.State) {
	a.events++
	a.messages[e.Message] = true
	if a.first == 0 || e.Time < a.first {
		a.first = e.Time
	}
	a.last = max(a.last, e.Time)
	about := q.PeopleOf(e, state)
	a.table.add(e, about)
	for i, person := range about {
		domain := query.Domain(person.Email)
		if !slices.ContainsFunc(about[:i], func(other event.Person) bool { return query.Domain(other.Email) == domain }) {
			a.companies[domain]++
		}
		known := a.people[person.Email]
		if known == nil {
			known = &answeredPerson{messages: make(map[string]bool), state: make(map[string]bool)}
			known.Email = person.Email
			a.people[person.Email] = known
		}
		known.Name = cmp.Or(known.Name, person.Name)
		known.Events++
		known.messages[e.Message] = true
		if e.At().After(known.Last) {
			known.Last = e.At()
		}
		if why := apartOf(state, person.Email); why != "" {
			known.why = cmp.Or(known.why, why)
		} else {
			known.waited = true
		}
		if state == nil {
			continue
		}
		for _, m := range stateMarks {
			_, has := state.First[m.mark][event.KeyOf(person.Email)]
			if has || state.Done && m.mark == event.MarkOpened {
				known.state[m.name] = true
			}
		}
	}
}

// byCompany are the people by their domain.
func (a *answered) byCompany() map[string][]*answeredPerson {
	companies := make(map[string][]*answeredPerson)
	for _, person := range a.people {
		domain := query.Domain(person.Email)
		companies[domain] = append(companies[domain], person)
	}
	return companies
}

// list gives limit people behind the first skip of them.
func (a *answered) list(text string, skip, limit int) (list []AnsweredCompany, more bool) {
	list = []AnsweredCompany{}
	companies := a.byCompany()
	domains := slices.SortedFunc(maps.Keys(companies), func(x, y string) int {
		return cmp.Or(cmp.Compare(len(companies[y]), len(companies[x])), strings.Compare(x, y))
	})
	for _, domain := range domains {
		people := companies[domain]
		slices.SortFunc(people, func(x, y *answeredPerson) int { return strings.Compare(x.Email, y.Email) })
		company := AnsweredCompany{
			Domain: domain, Count: len(people), Events: a.companies[domain], Query: toCompany(text, domain, a.nobody), People: []AnsweredPerson{},
		}
		for _, person := range people {
			switch {
			case skip > 0:
				skip--
				continue
			case limit == 0:
				more = true
				continue
			}
			limit--
			p := person.AnsweredPerson
			p.Messages, p.State, p.Query = len(person.messages), []string{}, toPerson(text, p.Email, a.nobody)
			for _, m := range stateMarks {
				if person.state[m.name] {
					p.State = append(p.State, m.name)
				}
			}
			company.People = append(company.People, p)
		}
		if len(company.People) > 0 {
			list = append(list, company)
		}
	}
	return list, more
}

// toPerson is a text for what of it is about one person, and toCompany for what is about
// one company. Where it asks what nobody did, that stays so.
func toPerson(text, email string, nobody bool) string {
	return narrowed(text, personOperator("to", nobody)+query.QuoteValue(email))
}

func toCompany(text, domain string, nobody bool) string {
	return narrowed(text, personOperator("domain", nobody)+query.QuoteValue(domain))
}

func personOperator(operator string, nobody bool) string {
	if nobody {
		operator = "among"
	}
	return operator + ":"
}

// narrowed is a text with one more condition.
func narrowed(text, condition string) string {
	lower := strings.ToLower(" " + text + " ")
	if strings.Contains(lower, " or ") || strings.Contains(lower, " oder ") || strings.Contains(text, "|") {
		text = "(" + text + ")"
	}
	return strings.TrimSpace(text + " " + condition)
}
