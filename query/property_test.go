package query

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tidings/event"
)

// What properties are drawn from: few enough values that conditions often hold.
var (
	someUsers    = []string{"u_ana", "u_bo", "u_cy"}
	someTexts    = []string{"", "Pricing proposal", "the prices — Ünal's deck", "東京 follow-up jo@acme.example", "proposal pricing"}
	somePeople   = []event.Person{jo, ana, {Email: "cy@acme.example"}}
	someMessages = []string{"m-1", "m-2"}
	someVerdicts = []string{"", event.Human, event.Machine, event.Unknown}
)

func drawEvent(t *rapid.T) event.Event {
	e := event.Event{
		Type:    rapid.SampledFrom(event.Types).Draw(t, "type"),
		Time:    noon + rapid.Int64Range(-5, 5).Draw(t, "time"),
		Message: rapid.SampledFrom(someMessages).Draw(t, "message"),
		User:    rapid.SampledFrom(someUsers).Draw(t, "user"),
		Subject: rapid.SampledFrom(someTexts).Draw(t, "subject"),
		Body:    rapid.SampledFrom(someTexts).Draw(t, "body"),
		Verdict: event.Verdict{Is: rapid.SampledFrom(someVerdicts).Draw(t, "verdict")},
	}
	if e.Type == event.Send {
		e.Recipients = rapid.SliceOfNDistinct(rapid.SampledFrom(somePeople), 1, 3, func(p event.Person) string { return p.Email }).Draw(t, "recipients")
	} else {
		e.Recipient = &somePeople[rapid.IntRange(0, 2).Draw(t, "recipient")]
	}
	return e
}

// drawState is a state of the event's message, or nil.
func drawState(t *rapid.T, e event.Event) *event.State {
	if rapid.IntRange(0, 4).Draw(t, "stateless") == 0 {
		return nil
	}
	var s event.State
	if e.Type == event.Send {
		s.Apply(event.ChangeOf(e))
	}
	for _, typ := range rapid.SliceOfN(rapid.SampledFrom([]event.Type{event.Open, event.Click, event.Reply, event.Bounce}), 0, 4).Draw(t, "acts") {
		person := &somePeople[rapid.IntRange(0, 2).Draw(t, "actor")]
		s.Apply(event.ChangeOf(event.Event{Type: typ, Time: noon, Recipient: person}))
	}
	if s.Complete() && rapid.Bool().Draw(t, "done") {
		s.Finish()
	}
	return &s
}

func drawExpr(t *rapid.T, depth int) Expr {
	kind := rapid.IntRange(0, 9).Draw(t, "kind")
	if depth == 0 {
		kind = rapid.IntRange(3, 9).Draw(t, "leaf")
	}
	parts := func() []Expr {
		all := make([]Expr, rapid.IntRange(0, 3).Draw(t, "parts"))
		for i := range all {
			all[i] = drawExpr(t, depth-1)
		}
		return all
	}
	word := func() Token {
		return rapid.SampledFrom(Analyse(strings.Join(someTexts, " "))).Draw(t, "word")
	}
	field := rapid.SampledFrom(append([]TextField{FieldAny}, TextFields...)).Draw(t, "field")
	switch kind {
	case 0:
		return And(parts())
	case 1:
		return Or(parts())
	case 2:
		return Not{drawExpr(t, depth-1)}
	case 3:
		return Types(rapid.SliceOfN(rapid.SampledFrom(event.Types), 0, 3).Draw(t, "types")...)
	case 4:
		return Keyword{FieldUser, rapid.SliceOfN(rapid.SampledFrom(someUsers), 0, 2).Draw(t, "users")}
	case 5:
		return Words{Field: field, Form: FormStem, Terms: []string{word().Stem}}
	case 6:
		return Words{Field: field, Form: FormPhrase, Terms: []string{word().Word, word().Word}}
	case 7:
		return Time{noon + rapid.Int64Range(-5, 0).Draw(t, "after"), noon + rapid.Int64Range(0, 5).Draw(t, "before")}
	}
	states := []RecipientState{IsUnopened, IsOpened, IsClicked, IsReplied, IsUnreplied, IsBounced}
	r := Recipients{Is: rapid.SampledFrom(states).Draw(t, "state"), OlderThan: rapid.Int64Range(0, 3).Draw(t, "age")}
	if rapid.IntRange(0, 2).Draw(t, "of a person") == 0 {
		r.Who = drawWho(t, 2)
	} else if r.OlderThan == 0 { // See ofActor.
		r.Actor = rapid.IntRange(0, 2).Draw(t, "actor") == 0
	}
	return r
}

// drawWho is a condition on one recipient.
func drawWho(t *rapid.T, depth int) Expr {
	kind := rapid.IntRange(0, 6).Draw(t, "who")
	if depth == 0 {
		kind = rapid.IntRange(3, 6).Draw(t, "who itself")
	}
	switch kind {
	case 0:
		return And{drawWho(t, depth-1), drawWho(t, depth-1)}
	case 1:
		return Or{drawWho(t, depth-1), drawWho(t, depth-1)}
	case 2:
		return Not{drawWho(t, depth-1)}
	case 3:
		return Keyword{FieldRecipient, []string{rapid.SampledFrom(somePeople).Draw(t, "person").Email}}
	case 4:
		return Keyword{FieldDomain, []string{Domain(rapid.SampledFrom(somePeople).Draw(t, "person").Email)}}
	case 5:
		return Words{Field: FieldPeople, Form: FormStem, Terms: []string{"jo"}}
	}
	bounds := Time{noon + rapid.Int64Range(-3, 0).Draw(t, "after"), noon + rapid.Int64Range(0, 3).Draw(t, "before")}
	return Recipients{Is: rapid.SampledFrom([]RecipientState{IsOpened, IsClicked, IsReplied, IsUnreplied}).Draw(t, "his state"), From: bounds.From, Until: bounds.Until}
}

func drawQuery(t *rapid.T) Query {
	q := Query{
		Automated: rapid.SampledFrom([]Automated{"", AutomatedHide, AutomatedShow, AutomatedOnly}).Draw(t, "automated"),
		Now:       noon + rapid.Int64Range(-3, 8).Draw(t, "now"),
		Where:     drawExpr(t, 3),
	}
	if rapid.Bool().Draw(t, "bounded") {
		q.From = noon + rapid.Int64Range(-5, 0).Draw(t, "from")
		q.Until = noon + rapid.Int64Range(0, 5).Draw(t, "until")
	}
	return q
}

func TestCandidatesHoldWhereTheQueryDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q, e := drawQuery(t), drawEvent(t)
		state := drawState(t, e)
		weak, exact := q.Candidates()
		if asksMore(weak.Where) {
			t.Fatalf("%+v asks what an index does not know", weak)
		}
		truth := q.Match(NewDocument(e), state)
		found := weak.Match(NewDocument(e), nil)
		if truth && !found {
			t.Fatalf("%+v is lost: %+v for %+v", e, weak, q)
		}
		if exact && truth != found {
			t.Fatalf("%+v is not exact for %+v", weak, q)
		}
		if found && q.Confirm(e, state) != truth {
			t.Fatalf("%+v is confirmed %v for %+v", e, !truth, q)
		}
	})
}

func TestRestrictShowsNoOthers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q, e := drawQuery(t), drawEvent(t)
		state := drawState(t, e)
		users := rapid.SliceOfN(rapid.SampledFrom(someUsers), 0, 2).Draw(t, "mine")
		mine := slices.Contains(users, e.User)
		if got, want := q.Restrict(users).Match(NewDocument(e), state), mine && q.Match(NewDocument(e), state); got != want {
			t.Fatalf("restricted to %v: %v, not %v", users, got, want)
		}
		weak, _ := q.Restrict(users).Candidates()
		if !mine && weak.Match(NewDocument(e), nil) {
			t.Fatalf("candidates of %v hold an event of %s", users, e.User)
		}
	})
}

// drawText is a search made of what the language is made of.
func drawText(t *rapid.T) string {
	pieces := []string{
		"pricing", "Deck", "follow-up", "été", "東京", "jo@acme.com", "jane@acme", `"exact phrase"`, `"a`, "pri*", "docs.ac*", "jo@a*",
		"from:me", "from:u_bo", `from:"Bo Sales"`, "to:jo", "to:jo@acme.com", `to:"< jo@acme.com"`, `to:"x jo@acme.com"`, "to:re*", "domain:acme.com",
		"type:open", "type:click", "is:send", "is:unopened", "unopened:>3d", "unopened:>0h", "subject:deck", `subject:"a b"`, "file:a.b*",
		"opened:2026-03-05/2026-03-07", "replied:../2026-03-05", "is:opened", "is:clicked", "-is:replied", "is:unreplied", "-to:jo",
		"answer:yes", "verdict:machine", "verdict:human", "source:api", `message:"a (b)"`, "message:m*",
		"since:2026-03-05", "before:1w", "on:2026-03-05", "automated:show", "automated:hide", "automated:only",
		"opens", "opened", "sent", "who", "hasn't", "not", "replied", "no", "reply", "unopened", "from", "to", "by", "acme", "Jo Reyes",
		"ana", "my", "team's", "i", "the", "anything but", "yesterday", "last", "week", "since", "monday", "between", "3", "and", "9",
		"november", "2026", "march", "may", "3pm", "ago", "days", "meetings", "declined", "real", "bots", "emails", "clicks", "link",
		"for", "or", "did", "send", "words:opens", "words:the", "everyone", "before", "lunch", "3/5", "-", "@",
		"type:colour", "foo:bar", "from:", "🎉", "\xff", "*", "(", "(", ")", ")", "-", "-", " OR ", " OR ", " ", " ", " ", ":", "@", "'s", "’s",
	}
	var text strings.Builder
	for range rapid.IntRange(0, 25).Draw(t, "pieces") {
		text.WriteString(rapid.SampledFrom(pieces).Draw(t, "piece"))
		if rapid.IntRange(0, 3).Draw(t, "glued") > 0 {
			text.WriteByte(' ')
		}
	}
	return text.String()
}

func TestPrintedQueriesParseToThemselves(t *testing.T) {
	opts := options(t)
	rapid.Check(t, func(t *rapid.T) { checkParse(t, drawText(t), opts) })
}

// TestOperatorsMeanWhatTheyMatch holds the whole way from text to match against
// conditions written by hand.
func TestOperatorsMeanWhatTheyMatch(t *testing.T) {
	opts := options(t)
	meanings := map[string]func(event.Event) bool{
		"type:open":            func(e event.Event) bool { return e.Type == event.Open },
		"from:me":              func(e event.Event) bool { return e.User == "u_ana" },
		"message:m-1":          func(e event.Event) bool { return e.Message == "m-1" },
		"subject:proposals":    func(e event.Event) bool { return strings.Contains(e.Subject, "roposal") },
		`subject:"proposal p"`: func(event.Event) bool { return false },
		"subject:prop*":        func(e event.Event) bool { return strings.Contains(e.Subject, "roposal") },
		"to:cy@acme.example": func(e event.Event) bool {
			return slices.ContainsFunc(people(e), func(p event.Person) bool { return p.Email == "cy@acme.example" })
		},
		"verdict:human": func(e event.Event) bool { return e.Verdict.Is == event.Human },
	}
	operators := make([]string, 0, len(meanings))
	for operator := range meanings {
		operators = append(operators, operator)
	}
	slices.Sort(operators)
	rapid.Check(t, func(t *rapid.T) {
		e := drawEvent(t)
		one, two := rapid.SampledFrom(operators).Draw(t, "one"), rapid.SampledFrom(operators).Draw(t, "two")
		a, b := meanings[one](e), meanings[two](e)
		for text, want := range map[string]bool{
			one:                                  a,
			"-" + one:                            !a,
			fmt.Sprintf("(%s) (%s)", one, two):   a && b,
			fmt.Sprintf("%s OR %s", one, two):    a || b,
			fmt.Sprintf("-(%s OR %s)", one, two): !a && !b,
			fmt.Sprintf("-(-%s %s)", one, two):   a || !b,
		} {
			if one == two && strings.Contains(text, "-(-") {
				continue
			}
			if got := Parse(text+" automated:show", opts).Query.Match(NewDocument(e), nil); got != want {
				t.Fatalf("%q is %v for %+v", text, got, e)
			}
		}
	})
}

// checkParse holds what is true of any text.
func checkParse(t interface {
	Helper()
	Fatalf(format string, args ...any)
}, text string, opts Options,
) {
	t.Helper()
	r := Parse(text, opts)
	printed := Canonical(r.Query)
	again := Parse(printed, opts)
	if len(printed) <= MaxText && !hasCutCode(r.Query) && !reflect.DeepEqual(r.Query, again.Query) {
		t.Fatalf("%q\nis          %+v\nis printed  %q\nand then is %+v", text, r.Query, printed, again.Query)
	}
	if leaves := leafCount(r.Query.Where); leaves > MaxClauses {
		t.Fatalf("%q has %d clauses", text, leaves)
	}
	end, runes := 0, []rune(text)
	for i, chip := range r.Chips {
		same := i > 0 && chip.Span == r.Chips[i-1].Span // "reopened" is opened, and again.
		if chip.Span[0] < end && !same || chip.Span[1] <= chip.Span[0] || chip.Span[1] > len(runes) {
			t.Fatalf("%q: chip %+v is out of place", text, chip)
		}
		if got := string(runes[chip.Span[0]:chip.Span[1]]); got != string([]rune(chip.Text)) || chip.Field == "" {
			t.Fatalf("%q: chip %+v shows %q", text, chip, got)
		}
		end = chip.Span[1]
	}
	NewDocument(event.Event{Subject: text, Recipient: &jo})
	Highlights(event.Event{Subject: text, Link: printed, Recipient: &jo}, r.Query)
}

// hasCutCode reports whether a word is what is left of a run, cut or without its marks, and
// would be an opaque code if it stood alone: no text says such a word.
func hasCutCode(q Query) bool {
	has := false
	walk(q.Where, true, func(leaf Expr, _ bool) {
		w, ok := leaf.(Words)
		has = has || ok && slices.ContainsFunc(w.Terms, func(term string) bool { return isOpaque(term) })
	})
	return has
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`from:me to:jo@acme.com -type:click "exact phrase" pric* OR (a b)`, `is:unopened unopened:>3d since:2026-03-05`,
		`-(a OR -b) ((type:open) type:click)`, `“x” automated:show verdict:machine`, `to:"< a@b.c" time:2026-01-01/.. `,
		"who hasn't opened the pricing proposal since Monday", "my team's sends between 3 and 9 november", "sent over 3 days ago, no reply",
		"anything but clicks from acme or globex 11am-2pm on fri", "did ana send \"x\" before lunch to:jo", "real opens only, no bots 3/5/2026 12:30 pm",
		"message:\"a (b)\" \xff:\x00", `on:2026-03-05T09:00:00Z answer:no 東京* é`, `-on:2026-03-05 OR before:1w`,
	} {
		f.Add(seed)
	}
	opts := Options{
		Now: time.Unix(noon, 0), Zone: time.FixedZone("somewhere", 20700), Me: "u_ana",
		Directory: names{"Bo Sales": "u_bo"},
	}
	f.Fuzz(func(t *testing.T, text string) { checkParse(t, text, opts) })
}

// What a query holds for it may hold for, whatever the words are.
func TestWhatMatchesMayMatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := Query{Where: drawExpr(t, 3), Automated: rapid.SampledFrom([]Automated{"", AutomatedShow, AutomatedOnly}).Draw(t, "automated")}
		e := drawEvent(t)
		if q.Match(NewDocument(e), drawState(t, e)) && !q.MayMatch(&e) {
			t.Fatalf("%#v holds for %#v, and is said not to", q, e)
		}
	})
}

// A query that asks for no words is told so by an event whose texts nobody has analysed.
func TestAQueryWithoutWordsNeedsNone(t *testing.T) {
	asking := 0
	rapid.Check(t, func(t *rapid.T) {
		e, q := drawEvent(t), drawQuery(t)
		if q.AsksWords() {
			asking++
			return
		}
		s := drawState(t, e)
		if got, want := q.Match(Document{Event: e}, s), q.Match(NewDocument(e), s); got != want {
			t.Fatalf("%v without words, %v with them: %#v", got, want, q)
		}
	})
	if asking == 0 {
		t.Fatal("no query asked for words")
	}
}
