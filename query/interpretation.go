package query

import (
	"slices"
	"strings"
	"time"

	"tidings/event"
)

// interpret says chips in English: "opens or clicks from me, to jo, since
// 2026-11-09".
func interpret(chips []Chip, me string) string {
	head := ""
	var rest []string
	acted := slices.ContainsFunc(chips, func(c Chip) bool {
		_, state := stateOf(event.Type(c.Value))
		return c.Field == "type" && !c.Not && (state || c.Value == string(event.Unsubscribe) || c.Value == string(event.Complaint))
	})
	counted := slices.ContainsFunc(chips, Chip.ofHistory)
	for i, chip := range chips {
		together := chips[i : i+1]
		if chip.Group != 0 {
			if slices.ContainsFunc(chips[:i], chip.sameGroup) {
				continue
			}
			together = groupOf(chip, chips[i:])
		}
		text := sayAny(together, me, acted, counted)
		switch {
		case head == "" && allTypes(together):
			head = text
		default:
			rest = append(rest, text)
		}
	}
	if head == "" {
		head = "everything"
		if !counted && slices.ContainsFunc(chips, func(c Chip) bool { return c.ofState() && allOfState(groupOf(c, chips)) }) {
			head = "sends" // Nothing else has such a state.
		}
	}
	if len(rest) == 0 {
		return head
	}
	return head + " " + strings.Join(rest, ", ")
}

// groupOf are the chips of a chip's group.
func groupOf(chip Chip, chips []Chip) []Chip {
	n := 0
	for n < len(chips) && chip.sameGroup(chips[n]) {
		n++
	}
	if !slices.ContainsFunc(chips[n:], chip.sameGroup) {
		return chips[:n] // They stand side by side.
	}
	return slices.DeleteFunc(slices.Clone(chips), func(c Chip) bool { return !chip.sameGroup(c) })
}

func (c Chip) sameGroup(other Chip) bool { return c.Group == other.Group }

func allTypes(chips []Chip) bool {
	for _, chip := range chips {
		if chip.Field != "type" || chip.Not {
			return false
		}
	}
	return true
}

// ofState reports whether the chip asks for a state, which sends alone have.
func (c Chip) ofState() bool {
	switch c.Field {
	case "is":
		return true
	case "unopened", "opened", "clicked", "replied", "downloaded", "bounced":
		return !c.Not
	}
	return false
}

func allOfState(chips []Chip) bool {
	return len(chips) > 0 && chips[0].Group == 0 || !slices.ContainsFunc(chips, func(c Chip) bool { return !c.ofState() })
}

// ofHistory reports whether the chip makes a History.
func (c Chip) ofHistory() bool {
	switch c.Field {
	case "times", "nth", "pause", "took", "quiet":
		return true
	}
	return false
}

// sayActor says the state of those who did something.
func sayActor(chip Chip) string {
	state, ok := strings.CutPrefix(chip.Value, "un")
	if ok != chip.Not {
		return "by people who have not " + state
	}
	return "by people who have " + state
}

// sayAny says chips of which one is enough. acted is whether recipients are those
// who acted, counted whether states are theirs.
func sayAny(chips []Chip, me string, acted, counted bool) string {
	chips = eachValue(chips)
	text := make([]string, len(chips))
	for i, chip := range chips {
		if counted && chip.Field == "is" {
			text[i] = sayActor(chip)
			continue
		}
		text[i] = say(chip, me)
		if acted && chip.Field == "to" {
			text[i] = "from " + chip.Value
		}
		if denied := sayDenied(chip); denied != "" {
			text[i] = denied
			continue
		}
		if chip.Not {
			text[i] = "not " + text[i]
		}
	}
	return strings.Join(text, " or ")
}

// eachValue makes a chip of each value of from:ana,ben.
func eachValue(chips []Chip) []Chip {
	lists := func(c Chip) bool { return takesList(c.Field) && strings.Contains(c.Value, ",") }
	if !slices.ContainsFunc(chips, lists) {
		return chips
	}
	var each []Chip
	for _, chip := range chips {
		switch {
		case !lists(chip):
			each = append(each, chip)
		case chip.Not:
			chip.Value = strings.ReplaceAll(chip.Value, ",", " or ") // "not from ana or ben"
			each = append(each, chip)
		default:
			for value := range strings.SplitSeq(chip.Value, ",") {
				chip.Value = value
				each = append(each, chip)
			}
		}
	}
	return each
}

func say(chip Chip, me string) string {
	switch chip.Field {
	case "type":
		return plural(event.Type(chip.Value))
	case "from":
		if chip.Value == me {
			return "from me"
		}
		return "from " + chip.Value
	case "to":
		return "to " + chip.Value
	case "among":
		return "among others to " + chip.Value
	case "domain":
		return "at " + chip.Value
	case "is":
		return sayState(RecipientState(chip.Value))
	case "opened", "clicked", "replied", "downloaded", "bounced":
		return sayState(RecipientState(chip.Field)) + " " + sayTime(chip.Value)
	case "unopened":
		return "unopened for more than " + strings.TrimPrefix(chip.Value, ">")
	case "time":
		return sayTime(chip.Value)
	case "times":
		return "done " + chip.Value + " times by one person with one mail"
	case "nth":
		if chip.Value == "1" {
			return "the first time"
		}
		return "time number " + chip.Value
	case "pause":
		return "after a pause of " + strings.TrimPrefix(chip.Value, ">") + " or more"
	case "took":
		if within, ok := strings.CutPrefix(chip.Value, "<"); ok {
			return "within " + within + " of sending"
		}
		return strings.TrimPrefix(chip.Value, ">") + " or more after sending"
	case "quiet":
		if length, ok := strings.CutPrefix(chip.Value, ">"); ok {
			return "by people who have been quiet for " + length
		}
		return "by people who have been quiet since " + chip.Value
	case "by", "top", "bottom", "order":
		return sayTable(chip)
	case "device":
		return "on a " + chip.Value
	case "client":
		return "in " + chip.Value
	case "words":
		return "with " + chip.Value
	case "answer":
		return "answered " + chip.Value
	case "bounce":
		return "bounced, " + chip.Value
	case "verdict":
		if chip.Value == event.Unknown {
			return "made by a person or a machine"
		}
		return "made by a " + strings.Replace(chip.Value, event.Human, "person", 1)
	case "automated":
		return sayAutomated(Automated(chip.Value))
	}
	return "with " + chip.Field + " " + chip.Value
}

// sayTable says how what is found is counted and listed.
func sayTable(chip Chip) string {
	switch chip.Field {
	case "by":
		return "counted by " + chip.Value
	case "top":
		return "the " + chip.Value + " with the most"
	case "bottom":
		return "the " + chip.Value + " with the fewest"
	}
	return "the " + chip.Value + " first"
}

func sayState(is RecipientState) string {
	switch is {
	case IsUnopened:
		return "not opened by everyone"
	case IsUnreplied:
		return "replied to by nobody"
	case IsReplied:
		return "replied to by someone"
	case IsBounced:
		return "bounced for someone"
	}
	return string(is) + " by someone"
}

// sayDenied says a state that must not hold, "" for other chips: what somebody is not is what
// nobody is.
func sayDenied(chip Chip) string {
	if !chip.Not {
		return ""
	}
	switch chip.Field {
	case "is":
		switch is := RecipientState(chip.Value); is {
		case IsUnopened:
			return "opened by everyone"
		case IsUnreplied:
			return sayState(IsReplied)
		case IsReplied:
			return sayState(IsUnreplied)
		case IsBounced:
			return "bounced for nobody"
		default:
			return chip.Value + " by nobody"
		}
	}
	return ""
}

func sayAutomated(a Automated) string {
	switch a {
	case AutomatedShow:
		return "with what machines did"
	case AutomatedOnly:
		return "by machines alone"
	}
	return "without what machines did"
}

func plural(t event.Type) string {
	switch t {
	case event.Delivery:
		return "deliveries"
	case event.Reply:
		return "replies"
	case event.Custom:
		return "custom events"
	}
	if strings.HasSuffix(string(t), "h") {
		return string(t) + "es"
	}
	return string(t) + "s"
}

// sayTime says an interval as it stands on a chip.
func sayTime(interval string) string {
	from, until, _ := strings.Cut(interval, "/")
	switch {
	case from == ".." && until == "..":
		return "at any time"
	case from == "..":
		return "before " + until
	case until == "..":
		return "since " + from
	}
	day, err := time.Parse(time.DateOnly, from)
	if err == nil && day.AddDate(0, 0, 1).Format(time.DateOnly) == until {
		return "on " + from
	}
	return "from " + from + " until " + until
}
