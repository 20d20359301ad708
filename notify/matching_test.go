package notify

import (
	"fmt"
	"testing"
	"time"

	"tidings/event"
	"tidings/query"
)

// BenchmarkDecideOf100Candidates is what one event costs whose owner and a colleague have
// fifty rules each, as many as one may: all hundred are asked, five of them find it, and it
// is decided for both. Nothing is read or written.
func BenchmarkDecideOf100Candidates(b *testing.B) {
	now := time.Date(2026, 11, 18, 10, 0, 0, 0, time.UTC)
	lee := event.Person{Email: "lee.marvin@dox.example", Name: "Lee Marvin"}
	e := event.Event{
		ID: event.NewID(now.Unix(), "w", "test", true, []byte("e")), Workspace: "w", Type: event.Open, Time: now.Unix(), Message: "m_1",
		Subject: "Re: Your proposal for the pricing of next year", Body: "Dear Lee, here is what we spoke of on Tuesday, with the terms that you asked for.",
		User: "u_ana", Recipient: &lee, Recipients: []event.Person{lee},
		Verdict: event.Verdict{Is: event.Human, Rule: "r"},
	}
	people := []string{"u_ana", "u_jo"}
	rules := make(map[string][]understood)
	for i := range 100 {
		owner := people[i%2]
		text := []string{"opens from company%d.example", "opened subject:renewal%d", `"pricing of year%d"`, "opens from kim%d@dox.example proposal", "terms tuesday%d"}[i%5]
		if text = fmt.Sprintf(text, i); i%20 == 0 {
			text = []string{"opens from dox.example", "subject:proposal", `"pricing of next year"`, "opens from lee.marvin@dox.example", "terms tuesday"}[i/20]
		}
		rule := Rule{Name: fmt.Sprint("rule ", i), Owner: owner, Ask: Ask{Q: text, Enabled: true, Cell: Cell{Often: Every, Channels: []Channel{InPage, Mail}}}}
		rules[owner] = append(rules[owner], understood{Rule: rule, query: query.Parse(text, query.Options{Now: now, Me: owner}).Query})
	}
	t := event.Trigger{Kind: event.AnnounceEvent, Event: e}
	settings := Settings{Zone: "Europe/Lisbon", Quiet: &Quiet{Days: map[time.Weekday][]Range{time.Wednesday: {{"18:30", "08:00"}}}}}
	for b.Loop() {
		d := query.DocumentLater(e)
		found := 0
		for _, user := range people {
			f := Context{User: user, Visible: true, Scope: scopeOf(user, e), Fresh: Fresh, Rules: matches(rules[user], d, false)}
			if found += len(f.Rules); !Decide(t, settings, f, now).Tells() && user == "u_ana" {
				b.Fatal("nobody was told")
			}
		}
		if found != 5 {
			b.Fatalf("%d rules find it", found)
		}
	}
}
