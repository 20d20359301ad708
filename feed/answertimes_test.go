package feed_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/feed"
)

// answerTimes says how long they and we took, in hours, as "theirs 2 (1 of 3), ours – (0 of 0)".
func (f *fixture) answerTimes(request feed.StatsRequest) string {
	request.Fields = []feed.StatsField{feed.FieldAnswerTimes}
	times := f.stats(request).AnswerTimes
	text := func(took feed.AnswerTime) string {
		if took.Of == nil {
			return "not known"
		}
		hours := "–"
		if took.Median != nil {
			hours = fmt.Sprint(float64(*took.Median) / 3600)
		}
		return fmt.Sprintf("%s (%d of %d)", hours, *took.Answered, *took.Of)
	}
	return fmt.Sprintf("theirs %s, ours %s", text(times.Theirs), text(times.Ours))
}

func TestHowLongAnswersTake(t *testing.T) {
	ago := func(hours float64) time.Time { return now.Add(-time.Duration(hours * float64(time.Hour))) }
	by := func(user string, e event.Event) event.Event { e.User = user; return e }
	many := make([]event.Person, 51)
	for i := range many {
		many[i] = event.Person{Email: fmt.Sprintf("p%d@many.example", i)}
	}
	many[0] = jo
	day := 24.0
	for name, test := range map[string]struct {
		events []event.Event
		text   string
		want   string
	}{
		"nothing was sent": {nil, "", "theirs – (0 of 0), ours – (0 of 0)"},
		"nobody answered":  {[]event.Event{send("a", ago(9), jo, li)}, "", "theirs – (0 of 2), ours – (0 of 0)"},
		"they did, and wait": {
			[]event.Event{send("a", ago(9), jo, li), did(event.Reply, "a", ago(6), jo)}, "", "theirs 3 (1 of 2), ours – (0 of 1)",
		},
		"we did, too": {
			[]event.Event{send("a", ago(9), jo), did(event.Reply, "a", ago(6), jo), send("b", ago(4), jo)}, "", "theirs 3 (1 of 2), ours 2 (1 of 1)",
		},
		"their first reply counts": {
			[]event.Event{send("a", ago(9), jo), did(event.Reply, "a", ago(6), jo), did(event.Reply, "a", ago(5), jo), send("b", ago(4), jo)},
			"",
			"theirs 3 (1 of 2), ours 2 (1 of 1)",
		},
		"they wait anew after our answer": {
			[]event.Event{send("a", ago(9), jo), did(event.Reply, "a", ago(8), jo), send("b", ago(7), jo), did(event.Reply, "a", ago(6), jo), send("c", ago(1), jo)},
			"",
			"theirs 1 (1 of 3), ours 5 (2 of 2)",
		},
		"of three the middle one": {
			[]event.Event{
				send("a", ago(9), jo, li, cy), did(event.Reply, "a", ago(8), jo), did(event.Reply, "a", ago(7), li), did(event.Reply, "a", ago(1), cy),
			}, "", "theirs 2 (3 of 3), ours – (0 of 3)",
		},
		"to somebody else is no answer": {
			[]event.Event{send("a", ago(9), jo), did(event.Reply, "a", ago(6), jo), send("b", ago(4), li)}, "", "theirs 3 (1 of 2), ours – (0 of 1)",
		},
		"a colleague's mail is no answer": {
			[]event.Event{send("a", ago(9), jo), did(event.Reply, "a", ago(6), jo), by("u_ben", send("b", ago(4), jo))}, "", "theirs 3 (1 of 2), ours – (0 of 1)",
		},
		"a mailing is no answer": {
			[]event.Event{send("a", ago(9), jo), did(event.Reply, "a", ago(6), jo), send("b", ago(4), many...)}, "", "theirs 3 (1 of 52), ours – (0 of 1)",
		},
		"a month later is no answer": {
			[]event.Event{send("a", ago(99*day), jo), did(event.Reply, "a", ago(98*day), jo), send("b", ago(60*day), jo)}, "", "theirs 24 (1 of 2), ours – (0 of 1)",
		},
		"they wrote again after a month": {
			[]event.Event{
				send("a", ago(99*day), jo), did(event.Reply, "a", ago(98*day), jo), did(event.Reply, "a", ago(60*day), jo), send("b", ago(59*day), jo),
			}, "", "theirs 24 (1 of 2), ours 24 (1 of 2)",
		},
		"their clock is behind ours": {
			[]event.Event{send("a", ago(9), jo), did(event.Reply, "a", ago(10), jo)}, "", "theirs – (0 of 1), ours 1 (1 of 1)",
		},
		"an answer in the same second is none": {
			[]event.Event{send("a", ago(9), jo), did(event.Reply, "a", ago(6), jo), send("b", ago(6), jo)}, "", "theirs 3 (1 of 2), ours – (0 of 1)",
		},
		"an answer that the question does not find": {
			[]event.Event{send("a", ago(9), jo), did(event.Reply, "a", ago(6), jo), send("b", ago(4), jo)}, "message:a", "theirs 3 (1 of 1), ours 2 (1 of 1)",
		},
		"sends alone": {
			[]event.Event{send("a", ago(9), jo), did(event.Reply, "a", ago(6), jo), send("b", ago(4), jo)}, "type:send", "theirs 3 (1 of 2), ours – (0 of 0)",
		},
		"replies alone": {
			[]event.Event{send("a", ago(9), jo), did(event.Reply, "a", ago(6), jo), send("b", ago(4), jo)}, "type:reply", "theirs – (0 of 0), ours 2 (1 of 1)",
		},
		"mail of nobody we know": {
			[]event.Event{by("", send("a", ago(9), jo)), by("", did(event.Reply, "a", ago(6), jo)), by("", send("b", ago(4), jo))},
			"",
			"theirs 3 (1 of 2), ours 2 (1 of 1)",
		},
		"by one who does, of several": {
			[]event.Event{send("a", ago(9), jo), by("u_ben", send("b", ago(9), li)), did(event.Reply, "a", ago(6), jo), by("u_ben", did(event.Reply, "b", ago(5), li))},
			"from:u_ben", "theirs 4 (1 of 1), ours – (0 of 1)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, t.TempDir())
			defer f.close()
			f.put(test.events...)
			require.Equal(t, test.want, f.answerTimes(feed.StatsRequest{Text: test.text}))
		})
	}
}

func TestAnswersAreOfWhatTheReaderMaySee(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	reply := did(event.Reply, "a", now.Add(-6*time.Hour), jo)
	f.put(send("a", now.Add(-9*time.Hour), jo), reply, send("b", now.Add(-4*time.Hour), jo))
	member := feed.Scope{Workspace: "w", Users: []string{"u_ben"}}
	require.Equal(t, "theirs – (0 of 0), ours – (0 of 0)", f.answerTimes(feed.StatsRequest{Scope: member}))
}

func TestAnswersThatTakeTooLongToReadAreNotKnown(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	f.put(send("a", now.Add(-9*24*time.Hour), jo), did(event.Reply, "a", now.Add(-6*time.Hour), jo))
	f.store.took = 3 * time.Second
	stats := f.stats(feed.StatsRequest{Fields: []feed.StatsField{feed.FieldAnswerTimes}})
	require.Equal(t, &feed.AnswerTimes{}, stats.AnswerTimes)
}

func TestAnswerTimesAreReadOnlyWhereTheyAreAskedFor(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	f.put(send("a", now.Add(-9*time.Hour), jo))
	require.Nil(t, f.stats(feed.StatsRequest{}).AnswerTimes)
}
