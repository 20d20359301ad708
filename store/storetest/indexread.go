package storetest

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/feed"
	"tidings/query"
)

// word is the condition that a text has a word in any of its forms.
func word(text string) query.Expr {
	return query.Words{Form: query.FormStem, Terms: []string{query.Analyse(text)[0].Stem}}
}

func in(field query.TextField, form query.Form, terms ...string) query.Expr {
	return query.Words{Field: field, Form: form, Terms: terms}
}

func testSameSecond(t *testing.T, x indexTest) {
	events := opens(60, firstWeek.Start()+5, 0)
	x.create(t, events...)
	order := newestFirst(events)
	require.Equal(t, order, x.search(t, feed.Search{Workspace: workspace}))
	require.Equal(t, order, x.walk(t, feed.Search{Workspace: workspace, Weeks: allWeeks, Limit: 7}))
}

func testPage(t *testing.T, x indexTest) {
	events := opens(50, firstWeek.Start(), 30)
	x.create(t, events...)
	order := newestFirst(events)
	require.Equal(t, order[:20], x.search(t, feed.Search{Workspace: workspace, Limit: 20}))
	require.Equal(t, order, x.search(t, feed.Search{Workspace: workspace, Limit: 51}))
	require.Empty(t, x.search(t, feed.Search{Workspace: "nobody's"}))

	bounded := query.Query{From: events[10].Time, Until: events[20].Time}
	require.Equal(t, newestFirst(events[10:20]), x.search(t, feed.Search{Workspace: workspace, Query: bounded}))
	bounded = query.Query{From: events[20].Time, Until: events[20].Time}
	require.Empty(t, x.search(t, feed.Search{Workspace: workspace, Query: bounded}))
	bounded = query.Query{From: -1 << 62, Until: 1 << 62}
	require.Equal(t, order, x.search(t, feed.Search{Workspace: workspace, Query: bounded}))

	for _, before := range []feed.Key{{Seconds: 1}, {Seconds: -1 << 40, Tie: 1 << 63}} {
		require.Empty(t, x.search(t, feed.Search{Workspace: workspace, Before: before}))
	}
	far := feed.Key{Seconds: 1 << 40, Tie: 1<<64 - 1}
	require.Equal(t, order, x.search(t, feed.Search{Workspace: workspace, Before: far}))
}

// testOldest reads the oldest first, over weeks and page by page.
func testOldest(t *testing.T, x indexTest) {
	var events []event.Event
	for _, week := range []event.Week{allWeeks[3], allWeeks[2], allWeeks[0]} {
		for i, second := range []int64{week.Start(), week.Start() + 1, week.Start() + 1, week.Start() + 1, week.End() - 1} {
			events = append(events, named(event.Event{Time: second}, fmt.Sprint(week, i)))
		}
	}
	x.create(t, events...)
	order := newestFirst(events)
	slices.Reverse(order)
	weeks := slices.Clone(allWeeks)
	slices.Reverse(weeks)
	oldest := feed.Search{Workspace: workspace, Weeks: weeks, Oldest: true}
	require.Equal(t, order, x.search(t, oldest))
	oldest.Limit = 2
	require.Equal(t, order[:2], x.search(t, oldest))
	require.Equal(t, order, x.walk(t, oldest))
	oldest.Limit, oldest.Before = 20, feed.Key{Seconds: weeks[0].End() - 1, Tie: 1<<64 - 1}
	require.Equal(t, order[5:], x.search(t, oldest))
	oldest.Before = feed.Key{Seconds: 1 << 40}
	require.Empty(t, x.search(t, oldest))
	oldest.Before, oldest.Query = feed.Key{}, query.Query{From: weeks[1].Start() + 1, Until: weeks[3].End() - 1}
	require.Equal(t, order[6:14], x.search(t, oldest))
}

func testWeeks(t *testing.T, x indexTest) {
	var events []event.Event
	for _, week := range []event.Week{allWeeks[3], allWeeks[2], allWeeks[0]} { // one between is empty
		for i, second := range []int64{week.Start(), week.Start() + 1, week.End() - 1} {
			events = append(events, named(event.Event{Time: second}, fmt.Sprint(week, i)))
		}
	}
	x.create(t, events...)
	order := newestFirst(events)
	require.Equal(t, order, x.search(t, feed.Search{Workspace: workspace}))
	require.Equal(t, order, x.walk(t, feed.Search{Workspace: workspace, Weeks: allWeeks, Limit: 2}))
	require.Equal(t, newestFirst(events[3:6]), x.search(t, feed.Search{Workspace: workspace, Weeks: allWeeks[1:3]}))
	across := query.Query{From: allWeeks[2].Start() - 1, Until: allWeeks[2].Start() + 1}
	require.Equal(t, newestFirst(events[2:4]), x.search(t, feed.Search{Workspace: workspace, Query: across}))
	require.Empty(t, x.search(t, feed.Search{Workspace: workspace, Weeks: []event.Week{firstWeek - 100, 0}}))
	got, err := x.Get(context.Background(), workspace, order)
	require.NoError(t, err)
	require.ElementsMatch(t, events, got)
}

func testKeywords(t *testing.T, x indexTest) {
	send := named(event.Event{
		Type: event.Send, User: "u_ana", Message: "m/1 <a@b>", Source: "sendgrid",
		Recipients: []event.Person{{Email: "jo@acme.example"}, {Email: "kim@mail.acme.example"}},
	}, "send")
	open := named(event.Event{
		Type: event.Open, User: "u_Ana", Message: "M/1 <a@b>", Verdict: event.Verdict{Is: event.Human},
	}, "open")
	meeting := named(event.Event{Type: event.Meeting, Meeting: &event.Appointment{Answer: "no"}}, "meeting")
	x.create(t, send, open, meeting)
	for _, test := range []struct {
		name   string
		field  query.KeywordField
		values []string
		finds  []event.Event
	}{
		{"a type", query.FieldType, []string{"send"}, []event.Event{send}},
		{"several types", query.FieldType, []string{"send", "open", "click"}, []event.Event{send, open}},
		{"no type", query.FieldType, nil, nil},
		{"a user", query.FieldUser, []string{"u_ana"}, []event.Event{send}},
		{"a user in capitals", query.FieldUser, []string{"u_Ana"}, []event.Event{open}},
		{"no user", query.FieldUser, []string{""}, []event.Event{meeting}},
		{"the beginning of a user", query.FieldUser, []string{"u_"}, nil},
		{"a recipient", query.FieldRecipient, []string{"jo@acme.example"}, []event.Event{send, open, meeting}},
		{"another recipient of a send", query.FieldRecipient, []string{"kim@mail.acme.example"}, []event.Event{send}},
		{"a recipient in capitals", query.FieldRecipient, []string{"JO@acme.example"}, nil},
		{"a domain", query.FieldDomain, []string{"mail.acme.example"}, []event.Event{send}},
		{"a part of a domain", query.FieldDomain, []string{"example"}, nil},
		{"a message", query.FieldMessage, []string{"m/1 <a@b>"}, []event.Event{send}},
		{"a source", query.FieldSource, []string{"sendgrid"}, []event.Event{send}},
		{"a verdict", query.FieldVerdict, []string{"human"}, []event.Event{open}},
		{"not judged", query.FieldVerdict, []string{""}, []event.Event{send, meeting}},
		{"an answer", query.FieldAnswer, []string{"no", "maybe"}, []event.Event{meeting}},
	} {
		t.Run(test.name, func(t *testing.T) {
			where := query.Keyword{Field: test.field, Values: test.values}
			found := x.search(t, feed.Search{Workspace: workspace, Query: query.Query{Where: where}})
			require.Equal(t, newestFirst(test.finds), found)
		})
	}
}

func testWords(t *testing.T, x indexTest) {
	send := named(event.Event{
		Type: event.Send, Subject: "Pricing proposals for Zürich", Body: "The proposal's price: see Jo’s universe.",
		Recipients: []event.Person{{Email: "jo.reyes@acme.example", Name: "Jo Reyes"}},
	}, "send")
	click := named(event.Event{Type: event.Click, Link: "https://docs.acme.example/pricing/deck?x=1"}, "click")
	file := named(event.Event{Type: event.Download, File: "University deck.pdf"}, "file")
	custom := named(event.Event{Type: event.Custom, Kind: "stage", Title: "Deck agreed"}, "custom")
	x.create(t, send, click, file, custom)
	for _, test := range []struct {
		name  string
		where query.Expr
		finds []event.Event
	}{
		{"a word in any form", word("price"), []event.Event{send, click}},
		{"a word in one field", in(query.FieldLink, query.FormStem, "price"), []event.Event{click}},
		{"a stem of another word", in(query.FieldAny, query.FormStem, "univers"), []event.Event{send, file}},
		{"a word that is not there", word("invoice"), nil},
		{"folded", word("zurich"), []event.Event{send}},
		{"a title is a subject", in(query.FieldSubject, query.FormStem, "deck"), []event.Event{custom}},
		{"a phrase", in(query.FieldAny, query.FormPhrase, "pricing", "proposals"), []event.Event{send}},
		{"a phrase as written", in(query.FieldAny, query.FormPhrase, "pricing", "proposal"), nil},
		{"a phrase the other way round", in(query.FieldAny, query.FormPhrase, "proposals", "pricing"), nil},
		{"a phrase of one word", in(query.FieldAny, query.FormPhrase, "price"), []event.Event{send}},
		{"a phrase over two fields", in(query.FieldAny, query.FormPhrase, "zurich", "the"), nil},
		{"an address by its parts", in(query.FieldPeople, query.FormPhrase, "jo", "reyes", "acme", "example"), []event.Event{send}},
		{"a whole address", in(query.FieldPeople, query.FormPhrase, "jo.reyes@acme.example"), []event.Event{send}},
		{"a prefix", in(query.FieldAny, query.FormPrefix, "pric"), []event.Event{send, click}},
		{"a prefix does not meet other forms", in(query.FieldAny, query.FormPrefix, "pricing"), []event.Event{send, click}},
		{"a prefix of a stem alone", in(query.FieldBody, query.FormPrefix, "pricin"), nil},
		{"a prefix in one field", in(query.FieldFile, query.FormPrefix, "u"), []event.Event{file}},
		{"no term", query.Words{}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			found := x.search(t, feed.Search{Workspace: workspace, Query: query.Query{Where: test.where}})
			require.Equal(t, newestFirst(test.finds), found)
		})
	}
}

func testBoolean(t *testing.T, x indexTest) {
	texts := []string{"red", "green", "blue", "red green", "red green blue"}
	events := make(map[string]event.Event)
	for _, text := range texts {
		events[text] = named(event.Event{Subject: text}, text)
		x.create(t, events[text])
	}
	red, green, blue := word("red"), word("green"), word("blue")
	not := func(e query.Expr) query.Expr { return query.Not{Expr: e} }
	for _, test := range []struct {
		name  string
		where query.Expr
		finds []string
	}{
		{"and", query.And{red, green}, []string{"red green", "red green blue"}},
		{"or", query.Or{red, blue}, []string{"red", "blue", "red green", "red green blue"}},
		{"not", not(red), []string{"green", "blue"}},
		{"and not", query.And{red, not(green)}, []string{"red"}},
		{"only nots", query.And{not(red), not(blue)}, []string{"green"}},
		{"or not", query.Or{blue, not(green)}, []string{"red", "blue", "red green blue"}},
		{"not both", not(query.And{red, green}), []string{"red", "green", "blue"}},
		{"neither", not(query.Or{red, green}), []string{"blue"}},
		{"not not", not(not(red)), []string{"red", "red green", "red green blue"}},
		{"a group", query.And{red, query.Or{blue, not(green)}}, []string{"red", "red green blue"}},
		{"everything", query.And{}, texts},
		{"nothing", query.Or{}, nil},
		{"not everything", not(query.And{}), nil},
		{"not nothing", not(query.Or{}), texts},
		{"nothing in an or", query.Or{query.Or{}, blue}, []string{"blue", "red green blue"}},
		{"nothing in an and", query.And{red, query.Or{}}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			var expected []event.Event
			for _, text := range test.finds {
				expected = append(expected, events[text])
			}
			found := x.search(t, feed.Search{Workspace: workspace, Query: query.Query{Where: test.where}})
			require.Equal(t, newestFirst(expected), found)
		})
	}
}

func testAutomated(t *testing.T, x indexTest) {
	judged := func(kind event.Type, is string) event.Event {
		return named(event.Event{Type: kind, Subject: "Pricing", Verdict: event.Verdict{Is: is}}, string(kind)+is)
	}
	hidden := []event.Event{judged(event.Open, event.Machine), judged(event.Click, event.Machine)}
	shown := []event.Event{
		judged(event.Open, event.Human), judged(event.Open, event.Unknown), judged(event.Click, ""),
		judged(event.Download, event.Machine), judged(event.Reply, event.Machine), judged(event.Send, event.Machine),
	}
	both := append(slices.Clone(hidden), shown...)
	x.create(t, both...)
	for choice, expected := range map[query.Automated][]event.Event{
		"": shown, query.AutomatedHide: shown, query.AutomatedShow: both, query.AutomatedOnly: hidden,
	} {
		for _, where := range []query.Expr{nil, word("pricing"), query.Not{Expr: word("absent")}} {
			q := query.Query{Automated: choice, Where: where}
			require.Equal(t, newestFirst(expected), x.search(t, feed.Search{Workspace: workspace, Query: q}), "%q %v", choice, where)
		}
	}
}

func testRecipientsRefused(t *testing.T, x indexTest) {
	x.create(t, opens(1, firstWeek.Start(), 0)...)
	where := query.And{word("a"), query.Not{Expr: query.Recipients{Is: query.IsUnopened}}}
	_, err := x.Search(context.Background(), feed.Search{
		Workspace: workspace, Weeks: allWeeks, Limit: 10, Query: query.Query{Where: where},
	})
	require.ErrorIs(t, err, event.ErrInvalid)
}
