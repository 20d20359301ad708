package verdict_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tidings/event"
	"tidings/verdict"
)

// mailing is what happened to mails to one domain, one recipient each.
type mailing struct {
	domain string
	events []event.Event
}

func (m *mailing) happen(t event.Type, number int, after int64, ip string) event.ID {
	email := fmt.Sprintf("p%d@%s", number%5, m.domain)
	e := event.Event{
		Workspace: "w", Message: fmt.Sprintf("m-%d", number), Type: t, Time: noon + int64(number)*3600 + after, User: "u_ana",
	}
	if t == event.Send {
		e.Recipients = []event.Person{{Email: email}}
	} else {
		e.Recipient = &event.Person{Email: email}
	}
	if ip != "" {
		e.Client = at(ip, firefox)
	}
	e.ID = event.NewID(e.Time, "w", "api", true, fmt.Append(nil, t, number, after, ip, m.domain))
	m.events = append(m.events, e)
	return e.ID
}

// mails is a domain where mails are delivered and some of them scanned soon.
func mails(domain string, delivered, scanned int, after int64, ips ...string) *mailing {
	m := &mailing{domain: domain}
	for i := range delivered {
		m.happen(event.Delivery, i, 0, "")
		if i < scanned {
			m.happen([]event.Type{event.Open, event.Click}[i%2], i, after, ips[i%len(ips)])
		}
	}
	return m
}

func learn(events ...[]event.Event) []verdict.Suggestion {
	var l verdict.Learner
	for _, some := range events {
		l.Add(some)
	}
	return l.Suggestions()
}

func TestScannersAreSuggested(t *testing.T) {
	prefix := netip.MustParsePrefix
	network := "192.0.2.9"
	for _, c := range []struct {
		name     string
		m        *mailing
		networks []verdict.LearnedNetwork // none: nothing is suggested
	}{
		{"all mails soon, from one network", mails("a.example", 20, 20, 2, network), []verdict.LearnedNetwork{{Network: prefix("192.0.2.0/24"), Mails: 20}}},
		{"nine of ten", mails("a.example", 20, 18, 59, network), []verdict.LearnedNetwork{{Network: prefix("192.0.2.0/24"), Mails: 18}}},
		{"fewer than nine of ten", mails("a.example", 20, 17, 2, network), nil},
		{"a minute later", mails("a.example", 20, 20, 60, network), nil},
		{"before the delivery, by another clock", mails("a.example", 20, 20, -20, network), []verdict.LearnedNetwork{{Network: prefix("192.0.2.0/24"), Mails: 20}}},
		{"too few mails", mails("a.example", 19, 19, 2, network), nil},
		{"four networks", mails("a.example", 20, 20, 2, "192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8:1:2::3"), []verdict.LearnedNetwork{
			{Network: prefix("192.0.2.0/24"), Mails: 5},
			{Network: prefix("198.51.100.0/24"), Mails: 5},
			{Network: prefix("203.0.113.0/24"), Mails: 5},
			{Network: prefix("2001:db8:1::/48"), Mails: 5},
		}},
		{"five networks", mails("a.example", 20, 20, 2, "192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8:1::1", "2001:db8:2::1"), nil},
		{"no addresses", mails("a.example", 20, 20, 2, ""), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := learn(c.m.events)
			if c.networks == nil {
				require.Empty(t, found)
				return
			}
			require.Len(t, found, 1)
			require.Equal(t, c.networks, found[0].Networks)
			require.Equal(t, "a.example", found[0].Domain)
			require.Equal(t, 20, found[0].Mails)
			require.Equal(t, 5, found[0].People)
			require.Len(t, found[0].Examples, 3)
		})
	}
}

func TestASuggestionSaysWhatSpeaksAgainstIt(t *testing.T) {
	m := mails("a.example", 30, 30, 3, "192.0.2.9")
	m.happen(event.Click, 4, 4000, "192.0.2.200")
	m.happen(event.Open, 4, 4000, "198.51.100.1") // of another network
	found := learn(m.events)
	require.Len(t, found, 1)
	require.Equal(t, 1, found[0].Networks[0].Later)
	require.Equal(t, 30, found[0].Scanned)

	// A person is known to sit there.
	i := slices.IndexFunc(m.events, func(e event.Event) bool { return e.Type == event.Open })
	m.events[i].Verdict = event.Verdict{Is: event.Human, By: "person", Rule: verdict.RuleOverride}
	require.Empty(t, learn(m.events))
}

func TestWhatIsLearnedFrom(t *testing.T) {
	t.Run("the send where no delivery is known", func(t *testing.T) {
		m := mails("a.example", 30, 30, 3, "192.0.2.9")
		for i := range m.events {
			if e := &m.events[i]; e.Type == event.Delivery {
				e.Type, e.Recipients, e.Recipient = event.Send, []event.Person{*e.Recipient}, nil
			}
		}
		require.Len(t, learn(m.events), 1)
	})
	t.Run("nothing whose arrival is not known", func(t *testing.T) {
		m := mails("a.example", 30, 30, 3, "192.0.2.9")
		m.events = slices.DeleteFunc(m.events, func(e event.Event) bool { return e.Type == event.Delivery })
		require.Empty(t, learn(m.events))
	})
	t.Run("not two people alone", func(t *testing.T) {
		m := mails("a.example", 30, 30, 3, "192.0.2.9")
		for i := range m.events {
			m.events[i].Recipient = &event.Person{Email: fmt.Sprintf("%d@a.example", m.events[i].Time/3600%2)}
		}
		require.Empty(t, learn(m.events))
	})
}

// A scanner is found among others whatever comes in which order and how often,
// and nobody else's domain is.
func TestLearningDependsOnNoOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var events []event.Event
		var want []string
		for i := range rapid.IntRange(1, 4).Draw(t, "domains") {
			domain := fmt.Sprintf("d%d.example", i)
			delivered := rapid.IntRange(1, 40).Draw(t, "delivered")
			scanned := rapid.IntRange(0, delivered).Draw(t, "scanned")
			after := rapid.Int64Range(0, 90).Draw(t, "after")
			m := mails(domain, delivered, scanned, after, "192.0.2.1", "198.51.100.1")
			for range rapid.IntRange(0, 5).Draw(t, "later") {
				m.happen(event.Click, rapid.IntRange(0, delivered-1).Draw(t, "mail"), 5000, "203.0.113.1")
			}
			events = append(events, m.events...)
			if delivered >= 20 && 10*scanned >= 9*delivered && after < 60 {
				want = append(want, domain)
			}
		}
		found := learn(events)
		var domains []string
		for _, suggestion := range found {
			domains = append(domains, suggestion.Domain)
		}
		require.Equal(t, want, domains)

		shuffled := rapid.Permutation(events).Draw(t, "order")
		again := rapid.SliceOfN(rapid.SampledFrom(events), 0, 20).Draw(t, "again")
		half := len(shuffled) / 2
		require.Equal(t, found, learn(shuffled[:half], again, shuffled[half:]))
	})
}

func TestAnAdoptedScanner(t *testing.T) {
	internal := verdict.Internal{Scanners: map[string][]netip.Prefix{"acme.example": {
		netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8:1::/48"),
	}}}
	elsewhere := happened(event.Click, 3600, at("192.0.2.7", firefox))
	elsewhere.Recipient = &event.Person{Email: "jo@sub.acme.example"}
	for name, c := range map[string]struct {
		e    event.Event
		rule string
	}{
		"a click":               {happened(event.Click, 3600, at("192.0.2.7", firefox)), verdict.RuleScannerDomain},
		"an open":               {happened(event.Open, 3600, at("::ffff:192.0.2.7", firefox)), verdict.RuleScannerDomain},
		"a download over IPv6":  {happened(event.Download, 3600, at("2001:db8:1:2::3", firefox)), verdict.RuleScannerDomain},
		"a mail that just came": {happened(event.Open, 1, at("192.0.2.7", firefox)), verdict.RuleScannerDomain},
		"a known scanner":       {happened(event.Click, 3600, at("192.0.2.7", "curl/8.5.0")), verdict.RuleScannerAgent},
		"another network":       {happened(event.Click, 3600, at("192.0.3.7", firefox)), verdict.RulePerson},
		"another domain":        {elsewhere, verdict.RulePerson},
		"no address":            {happened(event.Click, 3600, by("")), verdict.RuleScannerAgent},
		"no evidence":           {happened(event.Click, 3600, nil), verdict.RuleNoEvidence},
		"an address of no kind": {happened(event.Click, 3600, at("here", firefox)), verdict.RulePerson},
	} {
		known := verdict.Context{Arrived: noon, Scanner: internal.Scanner(c.e)}
		require.Equal(t, c.rule, rules(t).Judge(c.e, known).Rule, name)
	}
	override := &event.Override{Is: event.Human, Reason: "I saw it."}
	click := happened(event.Click, 3600, at("192.0.2.7", firefox))
	require.Equal(t, verdict.RuleOverride, rules(t).Judge(click, verdict.Context{Override: override, Scanner: true}).Rule)

	// Judging again follows the scanners of today: one taken back is forgotten.
	click.Verdict = rules(t).Again(click, event.State{}, internal)
	require.Equal(t, verdict.RuleScannerDomain, click.Verdict.Rule)
	require.Equal(t, verdict.RulePerson, rules(t).Again(click, event.State{}, verdict.Internal{}).Rule)
}
