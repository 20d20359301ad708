package demo_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/demo"
	"tidings/event"
)

// now is a Wednesday.
var now = time.Date(2026, 11, 18, 15, 20, 30, 0, time.UTC)

const day = 24 * time.Hour

func TestHistoryIsTheSameForTheSameSeed(t *testing.T) {
	first := collect(7, now.Add(-10*day), now)
	require.Equal(t, first, collect(7, now.Add(-10*day), now))
	require.NotEqual(t, first, collect(8, now.Add(-10*day), now))
}

func TestHistoryIsTheSameHoweverItIsCut(t *testing.T) {
	whole := ids(collect(7, now.Add(-20*day), now))
	var pieces []string
	for _, cut := range []struct{ from, to time.Duration }{{20, 13}, {13, 12}, {12, 0}} {
		pieces = append(pieces, ids(collect(7, now.Add(-cut.from*day), now.Add(-cut.to*day)))...)
	}
	slices.Sort(whole)
	slices.Sort(pieces)
	require.Equal(t, whole, pieces)

	var later []event.Input
	for in := range demo.New(7, now.Add(9*day)).History(now.Add(-20*day), now) {
		later = append(later, in)
	}
	again := ids(later)
	slices.Sort(again)
	require.Equal(t, whole, again, "the past changed when the clock moved on")
}

func TestHistoryStaysWithinItsBoundsAndInOrder(t *testing.T) {
	from := now.Add(-15 * day)
	last := from.Unix()
	for _, in := range collect(3, from, now.Add(20*day)) {
		at := int64(*in.Time)
		require.GreaterOrEqual(t, at, last)
		require.Less(t, at, now.Unix())
		last = at
	}
	require.Empty(t, collect(3, now, now.Add(day)))
}

func TestEveryInputIsValidAndItsOwn(t *testing.T) {
	office := demo.New(1, now)
	trickle := office.Trickle(20)
	inputs := collect(1, now.Add(-40*day), now)
	inputs = append(inputs, run(trickle, now, 10*time.Minute)...)
	seen := make(map[event.ID]bool, len(inputs))
	for _, in := range inputs {
		e, err := in.Event("w", "test", event.Limits{Now: now.Add(10 * time.Minute)})
		require.NoErrorf(t, err, "%+v", in)
		require.Falsef(t, seen[e.ID], "twice: %s", in.ID)
		seen[e.ID] = true
		for _, text := range []string{in.Subject, in.Body, in.Link, in.File, in.Title} {
			require.NotContains(t, text, "{", "a placeholder was left open")
		}
	}
}

func TestRatiosAreBelievable(t *testing.T) {
	f := measure(collect(1, now.Add(-84*day), now))
	t.Logf("%+v", f)
	within := func(what string, low, high, got float64) {
		t.Helper()
		require.Truef(t, got >= low && got <= high, "%s is %.3f, not within %.2f and %.2f", what, got, low, high)
	}
	within("events a working day", 400, 900, f.workday)
	within("events a weekend day", 5, 150, f.weekend)
	within("people who open", 0.45, 0.70, f.share(event.Open))
	within("people who click", 0.10, 0.25, f.share(event.Click))
	within("people who reply", 0.05, 0.15, f.share(event.Reply))
	within("bounces", 0.01, 0.03, f.share(event.Bounce))
	within("complaints", 0.00001, 0.002, f.share(event.Complaint))
	within("unsubscribes", 0.00005, 0.01, f.share(event.Unsubscribe))
	within("downloads", 0.04, 0.25, f.share(event.Download))
	within("sends to one", 0.75, 0.95, f.sizes[1]/f.sends)
	within("sends to 24", 0.002, 0.05, f.sizes[24]/f.sends)
	within("opens by machines", 0.05, 0.35, f.automated)
	within("subjects", 300, 10000, float64(f.subjects))
	within("people", 350, 450, float64(f.people))
	within("companies", 55, 65, float64(f.domains))
	for _, kind := range event.Types {
		require.NotZerof(t, f.kinds[kind], "no %s in twelve weeks", kind)
	}
}

func TestNobodyReadsWhatWasNotSentOrDelivered(t *testing.T) {
	inputs := collect(5, now.Add(-60*day), now)
	sent := make(map[string]int64)
	delivered := make(map[string]int64)
	for _, in := range inputs {
		switch in.Type {
		case event.Send:
			sent[in.Message] = int64(*in.Time)
		case event.Delivery:
			delivered[in.Message+" "+in.Recipient.Email] = int64(*in.Time)
		}
	}
	older := 0
	for _, in := range inputs {
		if in.Type == event.Send {
			continue
		}
		if sent[in.Message] == 0 {
			// Sent before what was collected; nothing is, after so long a time.
			require.Less(t, int64(*in.Time), now.Add(-14*day).Unix(), in.ID)
			older++
			continue
		}
		require.Greater(t, int64(*in.Time), sent[in.Message], in.ID)
		if in.Type == event.Delivery || in.Type == event.Bounce {
			continue
		}
		at := delivered[in.Message+" "+in.Recipient.Email]
		require.NotZerof(t, at, "%s %s was never delivered", in.Type, in.ID)
		require.GreaterOrEqual(t, int64(*in.Time), at, in.ID)
	}
	require.Less(t, older, len(inputs)/10)
}

func TestDirectoryKnowsEverySender(t *testing.T) {
	directory := demo.New(1, now).Directory()
	require.Len(t, directory.Users, 12)
	require.Len(t, directory.Teams, 3)
	users := make(map[string]bool)
	for _, user := range directory.Users {
		users[user.ID] = true
	}
	for _, team := range directory.Teams {
		require.NotEmpty(t, team.Members)
		for _, member := range team.Members {
			require.True(t, users[member], member)
		}
	}
	for _, in := range collect(1, now.Add(-5*day), now) {
		require.True(t, users[in.User], in.User)
	}
}

func TestTrickleIsTheSameForTheSameSeed(t *testing.T) {
	first := run(demo.New(2, now).Trickle(5), now, 5*time.Minute)
	require.NotEmpty(t, first)
	require.Equal(t, first, run(demo.New(2, now).Trickle(5), now, 5*time.Minute))
}

func TestTrickleKeepsItsRateInTheLongRun(t *testing.T) {
	trickle := demo.New(2, now).Trickle(4)
	run(trickle, now, 40*time.Minute)
	events := len(run(trickle, now.Add(40*time.Minute), 30*time.Minute))
	require.InDelta(t, 4*30*60, events, 4*30*60*0.25)
}

func TestTrickleConcernsWhatWasSentLately(t *testing.T) {
	known := make(map[string]int64)
	for _, in := range collect(2, now.Add(-6*day), now) {
		if in.Type == event.Send {
			known[in.Message] = int64(*in.Time)
		}
	}
	kinds := make(map[event.Type]int)
	for _, in := range run(demo.New(2, now).Trickle(10), now, 20*time.Minute) {
		kinds[in.Type]++
		if in.Type == event.Send {
			known[in.Message] = int64(*in.Time)
			continue
		}
		at, ok := known[in.Message]
		require.Truef(t, ok, "%s %s is about a mail that nobody sent", in.Type, in.ID)
		require.GreaterOrEqual(t, int64(*in.Time), at)
	}
	for _, kind := range []event.Type{event.Send, event.Delivery, event.Open, event.Click, event.Reply} {
		require.NotZero(t, kinds[kind], kind)
	}
}

func TestTrickleDoesNotMakeUpForALongGap(t *testing.T) {
	trickle := demo.New(2, now).Trickle(2)
	run(trickle, now, 10*time.Minute)
	require.Less(t, len(trickle.Next(now.Add(8*time.Hour))), 2*60*30)
	for _, in := range trickle.Next(now.Add(8*time.Hour + 30*time.Second)) {
		require.LessOrEqual(t, int64(*in.Time), now.Add(8*time.Hour+30*time.Second).Unix())
	}
}

func collect(seed uint64, from, to time.Time) []event.Input {
	return slices.Collect(demo.New(seed, now).History(from, to))
}

// run calls Next once a second and checks that nothing comes early.
func run(trickle *demo.Trickle, from time.Time, length time.Duration) []event.Input {
	var all []event.Input
	for at := from; at.Before(from.Add(length)); at = at.Add(time.Second) {
		for _, in := range trickle.Next(at) {
			if int64(*in.Time) > at.Unix() {
				panic("an event of the future")
			}
			all = append(all, in)
		}
	}
	return all
}

func ids(inputs []event.Input) []string {
	all := make([]string, len(inputs))
	for i, in := range inputs {
		all[i] = in.ID
	}
	return all
}

// figures are what measure counts. Shares are of recipients, each counted once
// a mail, and leave machines out where they are easily told.
type figures struct {
	workday, weekend float64
	recipients       float64
	did              map[event.Type]float64
	kinds            map[event.Type]int
	sends            float64
	sizes            map[int]float64
	automated        float64
	subjects         int
	people, domains  int
}

func (f figures) share(t event.Type) float64 { return f.did[t] / f.recipients }

func measure(inputs []event.Input) figures {
	f := figures{did: make(map[event.Type]float64), kinds: make(map[event.Type]int), sizes: make(map[int]float64)}
	once := make(map[string]bool)
	delivered := make(map[string]int64)
	subjects, people, domains := make(map[string]bool), make(map[string]bool), make(map[string]bool)
	days := make(map[int64]float64)
	machines := 0.0
	for _, in := range inputs {
		f.kinds[in.Type]++
		days[int64(*in.Time)/86400]++
		if in.Type == event.Send {
			f.sends++
			f.sizes[len(in.Recipients)]++
			f.recipients += float64(len(in.Recipients))
			subjects[in.Subject] = true
			for _, person := range in.Recipients {
				people[person.Email] = true
				domains[person.Email[strings.LastIndexByte(person.Email, '@'):]] = true
			}
			continue
		}
		who := in.Message + " " + in.Recipient.Email
		if in.Type == event.Delivery {
			delivered[who] = int64(*in.Time)
		}
		if (in.Type == event.Open || in.Type == event.Click) && machine(in, delivered[who]) {
			machines++
			continue
		}
		if key := string(in.Type) + who; !once[key] {
			once[key] = true
			f.did[in.Type]++
		}
	}
	f.automated = machines / float64(f.kinds[event.Open]+f.kinds[event.Click])
	f.subjects, f.people, f.domains = len(subjects), len(people), len(domains)
	f.workday, f.weekend = byKindOfDay(days)
	return f
}

func byKindOfDay(days map[int64]float64) (workday, weekend float64) {
	var working, free float64
	for at, events := range days {
		switch time.Unix(at*86400, 0).UTC().Weekday() {
		case time.Saturday, time.Sunday:
			weekend += events
			free++
		default:
			workday += events
			working++
		}
	}
	return workday / working, weekend / free
}

// machine tells the machines that anybody can tell.
func machine(in event.Input, delivered int64) bool {
	agent := ""
	if in.Client != nil && in.Client.UserAgent != nil {
		agent = *in.Client.UserAgent
	}
	for _, name := range []string{"Barracuda", "python-requests", "Existence Discovery", "HeadlessChrome", "Chrome/42"} {
		if strings.Contains(agent, name) {
			return true
		}
	}
	flagged := in.Client != nil && in.Client.Automated != nil && *in.Client.Automated
	return flagged || int64(*in.Time)-delivered < 8
}
