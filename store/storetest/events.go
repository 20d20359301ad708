package storetest

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"tidings/event"
	"tidings/query"
)

// firstWeek is where the suites' events begin; they are of a few weeks around
// the turn of an ISO year, with an empty week between.
var firstWeek = event.WeekOf(time.Date(2026, time.December, 15, 0, 0, 0, 0, time.UTC).Unix())

// allWeeks are the weeks of the suites' events, newest first.
var allWeeks = []event.Week{firstWeek + 3, firstWeek + 2, firstWeek + 1, firstWeek}

const workspace = "w-acme"

// named gives an event its id; key tells events of one time apart.
func named(e event.Event, key string) event.Event {
	if e.Workspace == "" {
		e.Workspace = workspace
	}
	if e.Source == "" {
		e.Source = "api"
	}
	if e.Message == "" {
		e.Message = "m-1"
	}
	if e.Time == 0 {
		e.Time = firstWeek.Start() + 1000
	}
	if e.Type == "" {
		e.Type = event.Open
	}
	if e.Type == event.Send && e.Recipients == nil {
		e.Recipients = []event.Person{{Email: "jo@acme.example", Name: "Jo Reyes"}}
	}
	if e.Type != event.Send && e.Recipient == nil {
		e.Recipient = &event.Person{Email: "jo@acme.example", Name: "Jo Reyes"}
	}
	e.ID = event.NewID(e.Time, e.Workspace, e.Source, true, []byte(key))
	return e
}

// opens makes n opens, each a number of seconds after the one before.
func opens(n int, start, apart int64) []event.Event {
	events := make([]event.Event, n)
	for i := range events {
		events[i] = named(event.Event{Time: start + int64(i)*apart}, fmt.Sprintf("open-%d-%d", start, i))
	}
	return events
}

// newestFirst are the ids of events in the order of a feed.
func newestFirst(events []event.Event) []event.ID {
	sorted := slices.SortedFunc(slices.Values(events), func(a, b event.Event) int {
		return cmp.Or(cmp.Compare(b.Time, a.Time), cmp.Compare(b.ID.Tie(), a.ID.Tie()))
	})
	ids := make([]event.ID, len(sorted))
	for i, e := range sorted {
		ids[i] = e.ID
	}
	return ids
}

// The vocabulary of generated events is small, so that queries meet them, and
// has what the analysis does: stems that are words, stems that are other
// words', folded letters, addresses, possessives, scripts without spaces.
var (
	vocabulary = []string{
		"pricing", "price", "prices", "PRICED", "proposal", "proposals", "universe", "university", "univers",
		"meeting", "meet", "Zürich", "zurich", "café", "Jo's", "it", "is", "2026", "v2", "会議", "naïve",
		"jo@acme.example", "jo.reyes+crm@mail.acme.example", "o'brien@acme.example", "acme", "docs.acme.example/deck",
		"=", "~", ":", "_", "*", `"`, "AND", "NOT", "ﬁnance", "ΣΟΦΟΣ", "σοφος", "İstanbul", "e\u0301te",
	}
	emails = []string{
		"jo@acme.example", "jo.reyes+crm@mail.acme.example", "ana@globex.example", "o'brien@acme.example",
		"üni@zürich.example", "a-very-long-address-beyond-any-bound@sub.domain.acme.example",
	}
	names    = []string{"", "Jo Reyes", "Ana Müller", "Jo", "Price"}
	users    = []string{"", "u_ana", "u_Ana", "u_jo", "a user with a very long id, beyond any bound"}
	messages = []string{"m-1", "m-2", "M-1", "<20261201.1@mail.example>"}
	sources  = []string{"api", "sendgrid", "API"}
	verdicts = []string{"", event.Human, event.Machine, event.Unknown}
	answers  = []string{"", "yes", "no", "maybe"}
)

// genText makes a text of the vocabulary.
func genText(most int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		text := ""
		for range rapid.IntRange(0, most).Draw(t, "words") {
			text += rapid.SampledFrom(vocabulary).Draw(t, "word") +
				rapid.SampledFrom([]string{" ", " ", ", ", "\n", ". ", "-"}).Draw(t, "between")
		}
		return text
	})
}

func genPerson() *rapid.Generator[event.Person] {
	return rapid.Custom(func(t *rapid.T) event.Person {
		return event.Person{
			Email: rapid.SampledFrom(emails).Draw(t, "email"),
			Name:  rapid.SampledFrom(names).Draw(t, "name"),
		}
	})
}

// genTime makes times of three of the weeks, many of them at the edges of a
// week and many the same.
func genTime() *rapid.Generator[int64] {
	return rapid.Custom(func(t *rapid.T) int64 {
		week := rapid.SampledFrom([]event.Week{allWeeks[0], allWeeks[2], allWeeks[3]}).Draw(t, "week")
		return week.Start() + rapid.OneOf(
			rapid.SampledFrom([]int64{0, 1, week.End() - week.Start() - 1}),
			rapid.Int64Range(100, 103),
			rapid.Int64Range(0, week.End()-week.Start()-1),
		).Draw(t, "second")
	})
}

// genEvent makes an event of a workspace.
func genEvent(workspace string) *rapid.Generator[event.Event] {
	return rapid.Custom(func(t *rapid.T) event.Event {
		e := event.Event{
			Workspace: workspace,
			Type:      rapid.SampledFrom(event.Types).Draw(t, "type"),
			Time:      genTime().Draw(t, "time"),
			Message:   rapid.SampledFrom(messages).Draw(t, "message"),
			User:      rapid.SampledFrom(users).Draw(t, "user"),
			Source:    rapid.SampledFrom(sources).Draw(t, "source"),
			Subject:   genText(4).Draw(t, "subject"),
			Verdict:   event.Verdict{Is: rapid.SampledFrom(verdicts).Draw(t, "verdict")},
		}
		switch e.Type {
		case event.Send:
			e.Recipients = rapid.SliceOfNDistinct(genPerson(), 1, 3, func(p event.Person) string { return p.Email }).Draw(t, "to")
			e.Body = genText(12).Draw(t, "body")
		case event.Meeting:
			e.Meeting = &event.Appointment{
				Title:  genText(3).Draw(t, "title"),
				Answer: rapid.SampledFrom(answers).Draw(t, "answer"),
			}
		case event.Click:
			e.Link = "https://" + genText(2).Draw(t, "link")
		case event.Download:
			e.File = genText(2).Draw(t, "file")
		case event.Reply:
			e.Body = genText(12).Draw(t, "body")
		case event.Custom:
			e.Kind, e.Title = "stage", genText(3).Draw(t, "title")
		}
		if e.Type != event.Send {
			person := genPerson().Draw(t, "person")
			e.Recipient = &person
		}
		return named(e, rapid.StringN(0, 20, 20).Draw(t, "key"))
	})
}

// genQuery makes a query that an index can be asked.
func genQuery() *rapid.Generator[query.Query] {
	edge := rapid.OneOf(rapid.Just(int64(0)), rapid.Just(int64(0)), genTime())
	return rapid.Custom(func(t *rapid.T) query.Query {
		q := query.Query{
			From: edge.Draw(t, "from"), Until: edge.Draw(t, "until"),
			Automated: rapid.SampledFrom([]query.Automated{
				"", query.AutomatedHide, query.AutomatedShow, query.AutomatedShow, query.AutomatedOnly,
			}).Draw(t, "automated"),
		}
		if rapid.IntRange(0, 9).Draw(t, "everything") > 0 {
			q.Where = genExpr(3).Draw(t, "where")
		}
		return q
	})
}

func genExpr(depth int) *rapid.Generator[query.Expr] {
	if depth == 0 {
		return rapid.OneOf(genKeyword(), genWords(), genWords())
	}
	inner := rapid.Deferred(func() *rapid.Generator[query.Expr] { return genExpr(depth - 1) })
	return rapid.OneOf(
		genKeyword(), genWords(),
		rapid.Map(rapid.SliceOfN(inner, 0, 3), func(parts []query.Expr) query.Expr { return query.And(parts) }),
		rapid.Map(rapid.SliceOfN(inner, 0, 3), func(parts []query.Expr) query.Expr { return query.Or(parts) }),
		rapid.Map(inner, func(part query.Expr) query.Expr { return query.Not{Expr: part} }),
	)
}

func genKeyword() *rapid.Generator[query.Expr] {
	types := make([]string, len(event.Types))
	for i, kind := range event.Types {
		types[i] = string(kind)
	}
	domains := make([]string, len(emails))
	for i, email := range emails {
		domains[i] = query.Domain(email)
	}
	values := map[query.KeywordField][]string{
		query.FieldType: types, query.FieldUser: users, query.FieldRecipient: emails, query.FieldDomain: domains,
		query.FieldMessage: messages, query.FieldSource: sources, query.FieldVerdict: verdicts, query.FieldAnswer: answers,
	}
	fields := []query.KeywordField{
		query.FieldType, query.FieldUser, query.FieldRecipient, query.FieldDomain,
		query.FieldMessage, query.FieldSource, query.FieldVerdict, query.FieldAnswer,
	}
	return rapid.Custom(func(t *rapid.T) query.Expr {
		field := rapid.SampledFrom(fields).Draw(t, "field")
		value := rapid.OneOf(rapid.SampledFrom(values[field]), rapid.SampledFrom(values[field]), rapid.Just("nobody"))
		return query.Keyword{Field: field, Values: rapid.SliceOfN(value, 0, 3).Draw(t, "values")}
	})
}

// genWords asks for words as a parser does, and for some that it would not.
func genWords() *rapid.Generator[query.Expr] {
	fields := append([]query.TextField{query.FieldAny, query.FieldAny}, query.TextFields...)
	return rapid.Custom(func(t *rapid.T) query.Expr {
		w := query.Words{Field: rapid.SampledFrom(fields).Draw(t, "field")}
		tokens := query.Analyse(rapid.SampledFrom(vocabulary).Draw(t, "text") + " " + genText(2).Draw(t, "more"))
		if len(tokens) == 0 {
			return w
		}
		switch rapid.IntRange(0, 3).Draw(t, "form") {
		case 0:
			w.Form, w.Terms = query.FormStem, []string{tokens[0].Stem}
		case 1:
			w.Form, w.Terms = query.FormStem, []string{tokens[0].Word}
		case 2:
			w.Form = query.FormPhrase
			for _, token := range tokens {
				w.Terms = append(w.Terms, token.Word)
			}
		case 3:
			runes := []rune(tokens[0].Word)
			end := rapid.IntRange(1, len(runes)).Draw(t, "end")
			w.Form, w.Terms = query.FormPrefix, []string{string(runes[:end])}
		}
		return w
	})
}
