package verdict_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/verdict"
)

const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0"

const gmailPrefetch = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) " +
	"Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0"

const gmailProxy = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"

const macMail = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"

// noon is when the messages of these tests arrive.
const noon = 1_795_262_400

// happened is an event at a number of seconds after noon.
func happened(t event.Type, after int64, client *event.Client) event.Event {
	e := event.Event{
		Workspace: "w", Message: "m", Type: t, Time: noon + after, User: "u_ana", Client: client,
		Recipient: &event.Person{Email: "jo@acme.example"}, Link: "https://a.example/",
	}
	e.ID = event.NewID(e.Time, "w", "api", true, nil)
	return e
}

func by(agent string) *event.Client { return &event.Client{UserAgent: &agent, IP: "192.0.2.1"} }

func with(agent, method, name, value string) *event.Client {
	client := by(agent)
	client.Method = method
	if name != "" {
		client.Headers = map[string]string{name: value}
	}
	return client
}

func at(ip, agent string) *event.Client { return &event.Client{UserAgent: &agent, IP: ip} }

// clicked is a click on another link at a number of seconds after noon.
func clicked(after int64, link string) event.Clicked {
	return event.ClickedOf(event.Event{ID: event.NewID(noon+after, "w", "api", true, []byte(link)), Link: link})
}

func TestRules(t *testing.T) {
	lists := t.TempDir()
	for name, content := range map[string]string{
		"scanner-networks.txt": "# ours\n198.51.100.0/24\n2001:db8:1::/48\n",
		"apple-networks.csv":   "203.0.113.0/27,GB,GB-EN,London,\n2001:db8:2::/64,US,,,\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(lists, name), []byte(content), 0o600))
	}
	configured, err := verdict.New(verdict.Config{Lists: lists})
	require.NoError(t, err)
	yes, no, arrived := true, false, verdict.Context{Arrived: noon}
	const later = 3600
	for _, c := range []struct {
		name     string
		e        event.Event
		known    verdict.Context
		is, rule string
	}{
		{"a browser", happened(event.Open, later, by(firefox)), arrived, event.Human, verdict.RulePerson},
		{"an address alone", happened(event.Click, later, &event.Client{IP: "192.0.2.1"}), arrived, event.Human, verdict.RulePerson},
		{"nothing known", happened(event.Open, later, nil), arrived, event.Unknown, verdict.RuleNoEvidence},
		{"nothing said", happened(event.Click, later, &event.Client{}), arrived, event.Unknown, verdict.RuleNoEvidence},
		{"a reply", happened(event.Reply, 1, nil), arrived, event.Human, verdict.RuleDeliberate},
		{"a send", event.Event{Type: event.Send}, arrived, "", ""},
		{"a delivery", happened(event.Delivery, 0, by("curl/8.5.0")), arrived, "", ""},

		{"the provider's flag", happened(event.Open, later, &event.Client{Automated: &yes, IP: "192.0.2.1"}), arrived, event.Machine, verdict.RuleProvider},
		{"the provider's word for a person", happened(event.Open, later, &event.Client{Automated: &no, IP: "192.0.2.1"}), arrived, event.Human, verdict.RulePerson},
		{
			"a person over the provider", happened(event.Open, later, &event.Client{Automated: &yes}),
			verdict.Context{Override: &event.Override{Is: event.Human}},
			event.Human, verdict.RuleOverride,
		},

		{"Sec-Purpose", happened(event.Open, later, with(firefox, "GET", "sec-purpose", "prefetch;prerender")), arrived, event.Machine, verdict.RulePrefetch},
		{"Purpose", happened(event.Click, later, with(firefox, "GET", "purpose", "Preview")), arrived, event.Machine, verdict.RulePrefetch},
		{"X-Moz", happened(event.Open, later, with(firefox, "GET", "x-moz", "prefetch")), arrived, event.Machine, verdict.RulePrefetch},
		{"another header", happened(event.Open, later, with(firefox, "GET", "x-other", "prefetch")), arrived, event.Human, verdict.RulePerson},
		{"HEAD on a link", happened(event.Click, later, with(firefox, "HEAD", "", "")), arrived, event.Machine, verdict.RulePrefetch},
		{"HEAD on a picture", happened(event.Open, later, with(firefox, "HEAD", "", "")), arrived, event.Human, verdict.RulePerson},

		{"a library", happened(event.Click, later, by("python-requests/2.28.2")), arrived, event.Machine, verdict.RuleScannerAgent},
		{"a library that downloads", happened(event.Download, later, by("python-requests/2.28.2")), arrived, event.Machine, verdict.RuleScannerAgent},
		{"a scanner of mail", happened(event.Open, later, by("Barracuda Sentinel (EE)")), arrived, event.Machine, verdict.RuleScannerAgent},
		{"an agent that was sent empty", happened(event.Open, later, by("")), arrived, event.Machine, verdict.RuleScannerAgent},
		{"Outlook", happened(event.Open, later, by("Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.16327; Pro)")), arrived, event.Human, verdict.RulePerson},

		{"a scanner's network", happened(event.Click, later, at("198.51.100.77", firefox)), arrived, event.Machine, verdict.RuleScannerNetwork},
		{"a scanner's network, mapped", happened(event.Click, later, at("::ffff:198.51.100.77", firefox)), arrived, event.Machine, verdict.RuleScannerNetwork},
		{"a scanner's network of IPv6", happened(event.Click, later, at("2001:db8:1:2::3", firefox)), arrived, event.Machine, verdict.RuleScannerNetwork},
		{"beside a scanner's network", happened(event.Click, later, at("198.51.101.0", firefox)), arrived, event.Human, verdict.RulePerson},

		{"Apple's proxy", happened(event.Open, later, at("203.0.113.31", "Mozilla/5.0")), arrived, event.Machine, verdict.RuleAppleProxy},
		{"Apple's proxy by IPv6", happened(event.Open, later, at("2001:db8:2::1", "Mozilla/5.0")), arrived, event.Machine, verdict.RuleAppleProxy},
		{"Apple's proxy as Mail", happened(event.Open, later, at("203.0.113.1", macMail)), arrived, event.Machine, verdict.RuleAppleProxy},
		{"Mail past Apple's proxy", happened(event.Open, later, at("203.0.113.32", macMail)), arrived, event.Human, verdict.RulePerson},
		{"Apple's agent without an address", happened(event.Open, later, at("", "Mozilla/5.0")), arrived, event.Unknown, verdict.RuleAppleProxy},
		{"a click through Apple's network", happened(event.Click, later, at("203.0.113.1", firefox)), arrived, event.Human, verdict.RulePerson},
		{"a click as Apple's proxy", happened(event.Click, later, at("203.0.113.1", "Mozilla/5.0")), arrived, event.Human, verdict.RulePerson},
		{"a browser in Apple's network", happened(event.Open, later, at("203.0.113.1", firefox)), arrived, event.Human, verdict.RulePerson},

		{"Gmail's prefetch", happened(event.Open, later, by(gmailPrefetch)), arrived, event.Machine, verdict.RuleGmailPrefetch},
		{"Gmail's proxy", happened(event.Open, later, by(gmailProxy)), arrived, event.Human, verdict.RulePerson},
		{"Gmail's proxy at once", happened(event.Open, 9, by(gmailProxy)), arrived, event.Machine, verdict.RuleGmailPrefetch},

		{"an open after 9 seconds", happened(event.Open, 9, by(firefox)), arrived, event.Machine, verdict.RuleTooSoon},
		{"an open after 10 seconds", happened(event.Open, 10, by(firefox)), arrived, event.Human, verdict.RulePerson},
		{"an open just before", happened(event.Open, -9, by(firefox)), arrived, event.Machine, verdict.RuleTooSoon},
		{"an open long before", happened(event.Open, -10, by(firefox)), arrived, event.Human, verdict.RulePerson},
		{"a click after 4 seconds", happened(event.Click, 4, by(firefox)), arrived, event.Machine, verdict.RuleTooSoon},
		{"a click after 5 seconds", happened(event.Click, 5, by(firefox)), arrived, event.Human, verdict.RulePerson},
		{"a download at once", happened(event.Download, 0, by(firefox)), arrived, event.Human, verdict.RulePerson},
		{"nobody knows when it arrived", happened(event.Open, 0, by(firefox)), verdict.Context{}, event.Human, verdict.RulePerson},
		{"nothing known, too soon", happened(event.Open, 1, nil), arrived, event.Machine, verdict.RuleTooSoon},

		{
			"two links within 3 seconds", happened(event.Click, later, by(firefox)),
			verdict.Context{Clicks: []event.Clicked{clicked(later+3, "https://b.example/")}},
			event.Machine, verdict.RuleBurst,
		},
		{
			"two links within 4 seconds", happened(event.Click, later, by(firefox)),
			verdict.Context{Clicks: []event.Clicked{clicked(later-4, "https://b.example/")}},
			event.Human, verdict.RulePerson,
		},
		{
			"one link twice", happened(event.Click, later, by(firefox)),
			verdict.Context{Clicks: []event.Clicked{clicked(later+1, "https://a.example/")}},
			event.Human, verdict.RulePerson,
		},
		{
			"an open beside two links", happened(event.Open, later, by(firefox)),
			verdict.Context{Clicks: []event.Clicked{clicked(later, "https://b.example/"), clicked(later, "https://c.example/")}},
			event.Human, verdict.RulePerson,
		},
		{"one of us", happened(event.Open, later, by(firefox)), verdict.Context{Internal: true}, event.Machine, verdict.RuleSelf},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := configured.Judge(c.e, c.known)
			require.Equal(t, c.is, got.Is)
			require.Equal(t, c.rule, got.Rule)
			if c.is != "" {
				require.Equal(t, verdict.Version, got.Version)
			}
			if c.rule == verdict.RuleAppleProxy {
				require.Equal(t, event.Unknown, rules(t).Judge(c.e, c.known).Is, "without the list nobody can tell")
			}
		})
	}
}

func TestWindowsAreSettings(t *testing.T) {
	r, err := verdict.New(verdict.Config{OpenWindow: 30 * time.Second, ClickWindow: 20 * time.Second, BurstWindow: 10 * time.Second})
	require.NoError(t, err)
	arrived := verdict.Context{Arrived: noon}
	require.Equal(t, verdict.RuleTooSoon, r.Judge(happened(event.Open, 29, by(firefox)), arrived).Rule)
	require.Equal(t, verdict.RuleTooSoon, r.Judge(happened(event.Click, 19, by(firefox)), arrived).Rule)
	near := verdict.Context{Clicks: []event.Clicked{clicked(90, "https://b.example/")}}
	require.Equal(t, verdict.RuleBurst, r.Judge(happened(event.Click, 100, by(firefox)), near).Rule)
	require.NotEqual(t, rules(t).Version(), r.Version(), "other windows may say something else")
	require.Equal(t, rules(t).Version(), rules(t).Version())
}

func TestOneOfUs(t *testing.T) {
	ip := mustAddress("192.0.2.7")
	internal := verdict.Internal{
		Emails:    map[string]string{"jo@acme.example": "u_ana", "li@acme.example": "u_li"},
		Addresses: map[address][]int64{ip: {noon / verdict.Day}},
	}
	days := func(n int64) int64 { return n * verdict.Day }
	client := at("::ffff:192.0.2.7", firefox)
	mine, theirs := happened(event.Open, 0, nil), happened(event.Open, 0, by(firefox))
	theirs.Recipient = &event.Person{Email: "li@acme.example"}
	require.True(t, internal.Includes(mine), "the sender in their own mailbox")
	require.False(t, internal.Includes(theirs), "a colleague who was written to is a recipient like others")
	for name, c := range map[string]struct {
		after int64
		made  bool
	}{
		"on the day": {0, true}, "the day after": {days(1), true}, "the day before": {-days(1), true},
		"two days after": {days(2), false}, "two days before": {-days(2), false},
	} {
		e := happened(event.Open, c.after, client)
		e.Recipient = &event.Person{Email: "kim@globex.example"}
		require.Equal(t, c.made, internal.Includes(e), name)
	}
}

func TestAListThatCannotBeReadIsRefusedByName(t *testing.T) {
	for name, c := range map[string]struct{ file, content, says string }{
		"a bad prefix":       {"scanner-networks.txt", "192.0.2.0/24\n192.0.2.0/33\n", "line 2"},
		"bad JSON":           {"apple-networks.json", `{"list": [`, "apple-networks.json"},
		"a short text":       {"agents.txt", "x\n", "line 1"},
		"a misspelt name":    {"scaner-networks.txt", "", "is not a list"},
		"a mapped address":   {"scanner-networks.txt", "::ffff:192.0.2.0/120\n", "line 1"},
		"an address of JSON": {"apple-networks.json", `{"list": ["nonsense"]}`, "is neither an address"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(dir, c.file), []byte(c.content), 0o600))
			_, err := verdict.New(verdict.Config{Lists: dir})
			require.ErrorContains(t, err, c.says)
		})
	}
	_, err := verdict.New(verdict.Config{Lists: filepath.Join(t.TempDir(), "nowhere")})
	require.Error(t, err)
}

func TestAListOfAgentsReplacesTheBuiltInOne(t *testing.T) {
	dir := t.TempDir()
	list := "# ours\n^oursift\n\"two words \"\nprobing!\n!harmless probing!\nends$\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "mail-scanners.txt"), []byte(list), 0o600))
	r, err := verdict.New(verdict.Config{Lists: dir})
	require.NoError(t, err)
	for agent, is := range map[string]string{
		"OurSift/1 (X)":                    event.Machine,
		"(X) Firefox oursift":              event.Human,
		"(X) two WORDS of us":              event.Machine,
		"(X) two words":                    event.Human,
		"(X) PROBING!":                     event.Machine,
		"(X) harmless probing!":            event.Human,
		"(X) harmless probing! & probing!": event.Machine,
		"(X) ends":                         event.Machine,
		"(X) ends not":                     event.Human,
		"Barracuda Sentinel (EE)":          event.Human,
	} {
		require.Equal(t, is, r.Judge(happened(event.Open, 3600, by(agent)), verdict.Context{}).Is, agent)
	}
}

func TestJudgingAgainKeepsWhatNobodyCanKnowAnyMore(t *testing.T) {
	r := rules(t)
	stored := happened(event.Click, 3600, by(firefox))
	for rule, is := range map[string]string{
		verdict.RuleBurst: event.Machine, verdict.RuleSelf: event.Machine, verdict.RuleScannerAgent: event.Human, verdict.RuleTooSoon: event.Human,
	} {
		stored.Verdict = event.Verdict{Is: event.Machine, Rule: rule, By: "rule", Version: 1}
		require.Equal(t, is, r.Again(stored, event.State{}, verdict.Internal{}).Is, rule)
	}
	stored.Verdict = event.Verdict{Is: event.Machine, Rule: verdict.RuleOverride, By: "person", Reason: "I saw it."}
	require.Equal(t, stored.Verdict, r.Again(stored, event.State{}, verdict.Internal{}))
}

// FuzzJudge looks for an agent, an address or a header that panics.
func FuzzJudge(f *testing.F) {
	r := rules(f)
	f.Add(firefox, "192.0.2.1", "prefetch", "GET")
	f.Add("Mozilla/5.0", "2001:db8::1%eth0", "", "HEAD")
	f.Add("a@b.", "::ffff:192.0.2.1", "\x00", "")
	f.Add("curl/", "not an address", "x", "y")
	f.Fuzz(func(t *testing.T, agent, ip, purpose, method string) {
		client := event.Client{UserAgent: &agent, IP: ip, Method: method, Headers: map[string]string{"purpose": purpose}}
		for _, kind := range []event.Type{event.Open, event.Click, event.Download} {
			v := r.Judge(happened(kind, 3600, &client), verdict.Context{})
			if v.Is == "" || v.Rule == "" || v != r.Judge(happened(kind, 3600, &client), verdict.Context{}) {
				t.Fatalf("%q: %v", agent, v)
			}
		}
	})
}

func BenchmarkJudge(b *testing.B) {
	r := rules(b)
	agents := []string{firefox, gmailProxy, macMail, "curl/8.5.0", gmailPrefetch}
	known := verdict.Context{Arrived: noon, Clicks: []event.Clicked{clicked(1, "https://b.example/")}}
	var events []event.Event
	for _, agent := range agents {
		events = append(events, happened(event.Open, 3600, by(agent)), happened(event.Click, 3600, by(agent)))
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		r.Judge(events[i%len(events)], known)
	}
}

// An override is of one event, and of nothing else of the same recipient.
func TestAnOverrideIsOfItsEventAlone(t *testing.T) {
	open, other := happened(event.Open, 3600, nil), happened(event.Open, 7200, nil)
	open.ID, other.ID = event.ID{1}, event.ID{2}
	var state event.State
	key := event.KeyOf(open.Recipient.Email)
	require.True(t, state.SetOverride(key, open.ID, &event.Override{Is: event.Human, User: "u_ana"}))
	require.Equal(t, "u_ana", verdict.ContextOf(open, state).Override.User)
	require.Nil(t, verdict.ContextOf(other, state).Override)
}
