package query

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

const noon = 1763985600 // 2025-11-24T12:00:00Z

var (
	jo  = event.Person{Email: "jo@acme.example", Name: "Jo Reyes"}
	ana = event.Person{Email: "ana@globex.example", Name: "Ana Ünal"}
)

func sendEvent() event.Event {
	return event.Event{
		Type: event.Send, Time: noon, Message: "m-17", User: "u_ana", Source: "api",
		Recipients: []event.Person{jo, ana},
		Subject:    "Pricing proposal for Q3", Body: "Please find the prices attached.",
	}
}

func clickEvent() event.Event {
	return event.Event{
		Type: event.Click, Time: noon, Message: "m-17", User: "u_ana", Source: "sendgrid",
		Recipient: &jo, Subject: "Pricing proposal", Link: "https://docs.acme.example/deck",
		Verdict: event.Verdict{Is: event.Human},
	}
}

func meetingEvent() event.Event {
	return event.Event{
		Type: event.Meeting, Time: noon, Message: "m-18", Recipient: &jo,
		Meeting: &event.Appointment{Title: "Kick-off", Answer: "no"},
	}
}

func stemmed(text string) Words {
	token := Analyse(text)[0]
	return Words{Form: FormStem, Terms: []string{token.Stem}, Word: token.Word}
}

func TestMatch(t *testing.T) {
	machine := clickEvent()
	machine.Verdict.Is = event.Machine
	bounced := sendEvent()
	bounced.Verdict.Is = event.Machine
	custom := event.Event{Type: event.Custom, Time: noon, Recipient: &jo, Kind: "stage", Title: "Moved to interview"}
	tests := []struct {
		name  string
		query Query
		event event.Event
		want  bool
	}{
		{"everything", Query{}, sendEvent(), true},
		{"at its first second", Query{From: noon}, sendEvent(), true},
		{"before it", Query{From: noon + 1}, sendEvent(), false},
		{"until is left out", Query{Until: noon}, sendEvent(), false},
		{"just before until", Query{Until: noon + 1}, sendEvent(), true},
		{"a machine's click is hidden", Query{}, machine, false},
		{"and shown", Query{Automated: AutomatedShow}, machine, true},
		{"and alone", Query{Automated: AutomatedOnly}, machine, true},
		{"a person's click is not automated", Query{Automated: AutomatedOnly}, clickEvent(), false},
		{"a send is never automated", Query{}, bounced, true},
		{"type", Query{Where: Types(event.Open, event.Send)}, sendEvent(), true},
		{"another type", Query{Where: Types(event.Open)}, sendEvent(), false},
		{"user", Query{Where: Keyword{FieldUser, []string{"u_ana"}}}, clickEvent(), true},
		{"recipient", Query{Where: Keyword{FieldRecipient, []string{"jo@acme.example"}}}, clickEvent(), true},
		{"one recipient of a send", Query{Where: Keyword{FieldRecipient, []string{"ana@globex.example"}}}, sendEvent(), true},
		{"a part of an address", Query{Where: Keyword{FieldRecipient, []string{"acme.example"}}}, sendEvent(), false},
		{"domain", Query{Where: Keyword{FieldDomain, []string{"globex.example"}}}, sendEvent(), true},
		{"another domain", Query{Where: Keyword{FieldDomain, []string{"globex.example"}}}, clickEvent(), false},
		{"message", Query{Where: Keyword{FieldMessage, []string{"m-17"}}}, clickEvent(), true},
		{"source", Query{Where: Keyword{FieldSource, []string{"sendgrid"}}}, sendEvent(), false},
		{"verdict", Query{Where: Keyword{FieldVerdict, []string{event.Human}}}, clickEvent(), true},
		{"answer", Query{Where: Keyword{FieldAnswer, []string{"no"}}}, meetingEvent(), true},
		{"no answer without a meeting", Query{Where: Keyword{FieldAnswer, []string{""}}}, clickEvent(), false},
		{"an unknown field", Query{Where: Keyword{"colour", []string{""}}}, clickEvent(), false},
		{"a word by its stem", Query{Where: stemmed("prices")}, clickEvent(), true},
		{"a word of the body", Query{Where: stemmed("attachment")}, sendEvent(), true},
		{"a name without its accent", Query{Where: stemmed("unal")}, sendEvent(), true},
		{"a whole address", Query{Where: Words{Form: FormStem, Terms: []string{"jo@acme.example"}}}, clickEvent(), true},
		{"a word of a meeting", Query{Where: stemmed("kick")}, meetingEvent(), true},
		{"a word of a custom title", Query{Where: stemmed("interviews")}, custom, true},
		{"the right field", Query{Where: Words{Field: FieldLink, Form: FormPhrase, Terms: []string{"docs", "acme"}}}, clickEvent(), true},
		{"the wrong field", Query{Where: Words{Field: FieldSubject, Form: FormPhrase, Terms: []string{"docs", "acme"}}}, clickEvent(), false},
		{"a phrase", Query{Where: Words{Form: FormPhrase, Terms: []string{"pricing", "proposal"}}}, sendEvent(), true},
		{"a phrase in another order", Query{Where: Words{Form: FormPhrase, Terms: []string{"proposal", "pricing"}}}, sendEvent(), false},
		{"a phrase is not stemmed", Query{Where: Words{Form: FormPhrase, Terms: []string{"proposals"}}}, sendEvent(), false},
		{"a phrase within one field", Query{Where: Words{Form: FormPhrase, Terms: []string{"q3", "please"}}}, sendEvent(), false},
		{"a prefix", Query{Where: Words{Form: FormPrefix, Terms: []string{"propo"}}}, sendEvent(), true},
		{"a prefix is of the word, not of its stem", Query{Where: Words{Field: FieldSubject, Form: FormPrefix, Terms: []string{"pricing"}}}, sendEvent(), true},
		{"a prefix that is none", Query{Where: Words{Form: FormPrefix, Terms: []string{"roposal"}}}, sendEvent(), false},
		{"no terms", Query{Where: Words{}}, sendEvent(), false},
		{"not", Query{Where: Not{Types(event.Send)}}, sendEvent(), false},
		{"and", Query{Where: And{Types(event.Send), stemmed("price")}}, sendEvent(), true},
		{"and one that does not hold", Query{Where: And{Types(event.Send), stemmed("clown")}}, sendEvent(), false},
		{"or", Query{Where: Or{stemmed("clown"), stemmed("price")}}, sendEvent(), true},
		{"an empty and", Query{Where: And{}}, sendEvent(), true},
		{"an empty or", Query{Where: Or{}}, sendEvent(), false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			require.Equal(t, test.want, test.query.Match(NewDocument(test.event), nil))
		})
	}
}

// stateAfter is the state of the send after events of these types by jo.
func stateAfter(types ...event.Type) event.State {
	var s event.State
	s.Apply(event.ChangeOf(sendEvent()))
	for _, typ := range types {
		s.Apply(event.ChangeOf(event.Event{Type: typ, Time: noon + 60, Message: "m-17", Recipient: &jo}))
	}
	return s
}

func TestMatchRecipients(t *testing.T) {
	opened := stateAfter(event.Open)
	done := stateAfter(event.Open)
	done.Apply(event.ChangeOf(event.Event{Type: event.Open, Time: noon, Message: "m-17", Recipient: &ana}))
	done.Finish()
	stranger := stateAfter()
	stranger.Apply(event.ChangeOf(event.Event{
		Type: event.Open, Time: noon, Message: "m-17", Recipient: &event.Person{Email: "other@acme.example"},
	}))
	const day = 24 * 3600
	tests := []struct {
		name  string
		is    Recipients
		now   int64
		event event.Event
		state event.State
		want  bool
	}{
		{"nobody opened", Recipients{Is: IsUnopened}, 0, sendEvent(), stateAfter(), true},
		{"one of two opened", Recipients{Is: IsUnopened}, 0, sendEvent(), opened, true},
		{"everyone opened", Recipients{Is: IsUnopened}, 0, sendEvent(), done, false},
		{"opened by one", Recipients{Is: IsOpened}, 0, sendEvent(), opened, true},
		{"opened by everyone, times let go", Recipients{Is: IsOpened}, 0, sendEvent(), done, true},
		{"opened by nobody", Recipients{Is: IsOpened}, 0, sendEvent(), stateAfter(), false},
		{"opened by a stranger", Recipients{Is: IsOpened}, 0, sendEvent(), stranger, false},
		{"clicked", Recipients{Is: IsClicked}, 0, sendEvent(), stateAfter(event.Click), true},
		{"replied", Recipients{Is: IsReplied}, 0, sendEvent(), stateAfter(event.Reply), true},
		{"not unreplied when one replied", Recipients{Is: IsUnreplied}, 0, sendEvent(), stateAfter(event.Reply), false},
		{"unreplied", Recipients{Is: IsUnreplied}, 0, sendEvent(), opened, true},
		{"downloaded", Recipients{Is: IsDownloaded}, 0, sendEvent(), stateAfter(event.Download), true},
		{"bounced", Recipients{Is: IsBounced}, 0, sendEvent(), stateAfter(event.Bounce), true},
		{"not bounced", Recipients{Is: IsBounced}, 0, sendEvent(), opened, false},
		{"no such state", Recipients{Is: "asleep"}, 0, sendEvent(), opened, false},
		{"only sends", Recipients{Is: IsUnopened}, 0, clickEvent(), stateAfter(), false},
		{"old enough", Recipients{Is: IsUnopened, OlderThan: day}, noon + day, sendEvent(), stateAfter(), true},
		{"a second too young", Recipients{Is: IsUnopened, OlderThan: day}, noon + day - 1, sendEvent(), stateAfter(), false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			q := Query{Where: test.is, Now: test.now}
			require.Equal(t, test.want, q.Match(NewDocument(test.event), &test.state))
			require.False(t, q.Match(NewDocument(test.event), nil), "without a state")
			q.Where = Not{test.is}
			require.Equal(t, !test.want, q.Match(NewDocument(test.event), &test.state), "the opposite")
		})
	}
}

func TestCandidates(t *testing.T) {
	send, word := Types(event.Send), stemmed("pricing")
	unopened := Recipients{Is: IsUnopened}
	tests := []struct {
		name        string
		where, want Expr
		exact       bool
	}{
		{"nothing to weaken", And{word, Not{send}}, And{word, Not{send}}, true},
		{"alone", unopened, send, false},
		{"beside a word", And{word, unopened}, And{word, send}, false},
		{"an alternative", Or{word, unopened}, Or{word, send}, false},
		{"negated", Not{unopened}, nil, false},
		{"negated beside a word", And{word, Not{unopened}}, word, false},
		{"negated with a word", Not{And{word, unopened}}, nil, false},
		{"neither", Not{Or{word, unopened}}, Not{word}, false},
		{"twice negated", Not{Not{unopened}}, send, false},
		{"an alternative that always may", Or{word, Not{unopened}}, nil, false},
		{"a time as an alternative", Or{word, Time{From: 1}}, nil, false},
		{"a time in an alternative", Or{word, And{send, Time{From: 1}}}, Or{word, send}, false},
		{"a time that must not be", And{word, Not{Time{1, 2}}}, word, false},
		{"not what is everything", Not{Not{And{}}}, Not{Not{And{}}}, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, exact := Query{From: 1, Where: test.where}.Candidates()
			require.Equal(t, Query{From: 1, Where: test.want}, got)
			require.Equal(t, test.exact, exact)
		})
	}
	t.Run("an age bounds the time", func(t *testing.T) {
		got, _ := Query{Now: noon, Where: And{word, Recipients{Is: IsUnopened, OlderThan: 3600}}}.Candidates()
		require.Equal(t, Query{Until: noon - 3600 + 1, Where: And{word, send}}, got)
	})
	t.Run("an age in an alternative does not", func(t *testing.T) {
		got, _ := Query{Now: noon, Where: Or{word, Recipients{Is: IsUnopened, OlderThan: 3600}}}.Candidates()
		require.Equal(t, Query{Where: Or{word, send}}, got)
	})
}

func TestRestrict(t *testing.T) {
	require.True(t, Query{}.Restrict([]string{"u_bo", "u_ana"}).Match(NewDocument(sendEvent()), nil))
	require.False(t, Query{}.Restrict([]string{"u_bo"}).Match(NewDocument(sendEvent()), nil))
	require.False(t, Query{}.Restrict(nil).Match(NewDocument(sendEvent()), nil), "nobody's")
	require.False(t, Query{Where: Or{And{}}}.Restrict([]string{"u_bo"}).Match(NewDocument(sendEvent()), nil))
}

func TestFilter(t *testing.T) {
	tests := []struct {
		name   string
		filter Filter
		want   bool
	}{
		{"empty", Filter{}, true},
		{"type", Filter{Types: []event.Type{event.Click, event.Open}}, true},
		{"another type", Filter{Types: []event.Type{event.Send}}, false},
		{"user", Filter{Users: []string{"u_ana"}}, true},
		{"another user", Filter{Users: []string{"u_bo"}}, false},
		{"recipient in any case", Filter{Recipients: []string{"Jo@Acme.example"}}, true},
		{"another message", Filter{Messages: []string{"m-1", "m-2"}}, false},
		{"since", Filter{Since: noon}, true},
		{"since later", Filter{Since: noon + 1}, false},
		{"until", Filter{Until: noon}, false},
		{"all must hold", Filter{Users: []string{"u_ana"}, Types: []event.Type{event.Send}}, false},
		{"automated only", Filter{Automated: AutomatedOnly}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			q := test.filter.Apply(Query{Where: stemmed("pricing")})
			require.Equal(t, test.want, q.Match(NewDocument(clickEvent()), nil))
		})
	}
	t.Run("the narrower time wins", func(t *testing.T) {
		q := Filter{Since: 5, Until: 20}.Apply(Query{From: 7, Until: 10, Automated: AutomatedShow})
		require.Equal(t, Query{From: 7, Until: 10, Automated: AutomatedShow}, q)
		require.Equal(t, Query{From: 5, Until: 8}, Filter{Since: 5, Until: 8}.Apply(Query{From: 2}))
	})
}

func TestFingerprint(t *testing.T) {
	require.Equal(t, Fingerprint("a", "b"), Fingerprint("a", "b"))
	require.NotEqual(t, Fingerprint("a", "b"), Fingerprint("b", "a"))
	require.NotEqual(t, Fingerprint("ab"), Fingerprint("a", "b"))
	require.NotEqual(t, Fingerprint("a"), Fingerprint("a", ""))
}

func TestHighlights(t *testing.T) {
	e := clickEvent()
	e.Subject = "Nächste Preise — pricing, prices: the pricing proposal"
	e.File = "pricing.pdf"
	tests := []struct {
		name, text string
		want       map[string][][2]int
	}{
		{"nothing to find", "type:click", nil},
		{"a stem, behind wide characters", "subject:price", map[string][][2]int{"subject": {{17, 24}, {26, 32}, {38, 45}}}},
		{"a phrase is one span", `subject:"pricing proposal"`, map[string][][2]int{"subject": {{38, 54}}}},
		{"overlapping spans are one", `subject:"the pricing" subject:"pricing proposal"`, map[string][][2]int{"subject": {{34, 54}}}},
		{"a prefix shows the whole word", "subject:nach*", map[string][][2]int{"subject": {{0, 7}}}},
		{"several fields", "docs OR reyes OR pdf", map[string][][2]int{"link": {{8, 12}}, "people": {{3, 8}}, "file": {{8, 11}}}},
		{"nothing behind a minus", "-subject:pricing -(-file:pdf)", map[string][][2]int{"file": {{8, 11}}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			require.Equal(t, test.want, Highlights(e, Parse(test.text, Options{}).Query))
		})
	}
}
