package storetest

import (
	"slices"

	"tidings/event"
	"tidings/feed"
)

// answerTimes are told of the events that match and of all events in the simplest way.
func answerTimes(scope feed.Scope, live, events []event.Event, known map[string]event.State) *feed.AnswerTimes {
	return &feed.AnswerTimes{Theirs: theirAnswers(scope, live, known), Ours: ourAnswers(scope, live, events)}
}

func theirAnswers(scope feed.Scope, live []event.Event, known map[string]event.State) feed.AnswerTime {
	type pair struct{ message, email string }
	sent := make(map[pair]int64)
	for _, e := range live {
		for _, person := range e.Recipients {
			at, again := sent[pair{e.Message, person.Email}]
			if e.Type == event.Send && (!again || e.Time < at) {
				sent[pair{e.Message, person.Email}] = e.Time
			}
		}
	}
	var delays []int64
	for pair, at := range sent {
		state := known[pair.message]
		if scope.Users != nil {
			state, _ = state.SeenBy(func(user string) bool { return slices.Contains(scope.Users, user) })
		}
		if replied, ok := state.First[event.MarkReplied][event.KeyOf(pair.email)]; ok && replied >= at {
			delays = append(delays, replied-at)
		}
	}
	return answerTime(delays, len(sent))
}

func ourAnswers(scope feed.Scope, live, events []event.Event) feed.AnswerTime {
	const longest = 30 * 24 * 60 * 60
	type pair struct{ user, email string }
	replies, sends := make(map[pair][]int64), make(map[pair][]int64)
	for _, e := range live {
		if e.Type == event.Reply && e.Recipient != nil {
			key := pair{e.User, e.Recipient.Email}
			replies[key] = append(replies[key], e.Time)
		}
	}
	for _, e := range events {
		if e.Type != event.Send || scope.Users != nil && !slices.Contains(scope.Users, e.User) {
			continue
		}
		for _, person := range e.Recipients {
			sends[pair{e.User, person.Email}] = append(sends[pair{e.User, person.Email}], e.Time)
		}
	}
	var delays []int64
	waits := 0
	for key, times := range replies {
		slices.Sort(times)
		slices.Sort(sends[key])
		since := int64(-longest - 1)
		for _, at := range times {
			answered := slices.ContainsFunc(sends[key], func(sent int64) bool { return sent > since && sent <= at })
			if !answered && at-since <= longest {
				continue // they wait already
			}
			since = at
			waits++
			next := slices.IndexFunc(sends[key], func(sent int64) bool { return sent > at })
			if next >= 0 && sends[key][next]-at <= longest {
				delays = append(delays, sends[key][next]-at)
			}
		}
	}
	return answerTime(delays, waits)
}

func answerTime(delays []int64, of int) feed.AnswerTime {
	n := len(delays)
	took := feed.AnswerTime{Answered: &n, Of: &of}
	if n > 0 {
		slices.Sort(delays)
		took.Median = &delays[n/2]
	}
	return took
}
