package demo

import (
	"slices"
	"time"

	"tidings/event"
)

// Sample is a part of History to look around with: the mails that one colleague has sent to
// few people in [from, to), and all that came of them, in the order of time.
func (o *Office) Sample(from, to time.Time, colleague string, people int) []event.Input {
	var out []event.Input
	known, kept := map[string]bool{}, map[string]bool{}
	for in := range o.History(from, to) {
		if in.Type == event.Send && in.User == colleague {
			added := slices.DeleteFunc(addressesOf(in), func(email string) bool { return known[email] })
			if kept[in.Message] = len(known)+len(added) <= people; kept[in.Message] {
				for _, email := range added {
					known[email] = true
				}
			}
		}
		if kept[in.Message] {
			out = append(out, in)
		}
	}
	return out
}

// addressesOf are those that an event names.
func addressesOf(in event.Input) []string {
	var out []string
	if in.Recipient != nil {
		out = append(out, in.Recipient.Email)
	}
	for _, person := range slices.Concat(in.Recipients, in.Candidates) {
		out = append(out, person.Email)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// People are the addresses that events name, in order.
func People(events []event.Input) []string {
	var out []string
	for _, in := range events {
		out = append(out, addressesOf(in)...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
