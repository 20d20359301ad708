package feed

import (
	"cmp"
	"slices"
	"time"

	"tidings/event"
	"tidings/query"
)

// Bounds of the lists in statistics.
const (
	topNames = 10
	topUsers = 100
)

// Stats are the numbers of the events that a feed lists for the same question.
// What was not asked for is absent.
type Stats struct {
	Since time.Time `json:"since" doc:"where the time begins that was asked for"`
	Until time.Time `json:"until" doc:"where it ends, exclusive; just behind now when it was left open"`
	Zone  string    `json:"tz" doc:"the zone of the series and the heatmap"`
	// Partial and Reached are as on a page.
	Partial bool      `json:"partial" doc:"not everything is counted: the time was enough only from reached on, or weeks cannot be read, see warnings"`
	Reached time.Time `json:"reached" doc:"how far back was counted"`
	// Warnings are as on a page.
	Warnings []string `json:"warnings,omitempty" doc:"what is missing, in words"`
	// Approximate is empty on an index that keeps whole sets.
	Approximate []string   `json:"approximate" nullable:"false" doc:"fields that are estimates, because there is too much to keep it one by one"`
	Query       Understood `json:"query" doc:"how the text was understood"`

	Totals     *Totals         `json:"totals,omitempty"`
	Unique     *Unique         `json:"unique,omitempty"`
	Rates      *Rates          `json:"rates,omitempty"`
	Automated  *AutomatedShare `json:"automated,omitempty"`
	Series     *Series         `json:"series,omitempty"`
	Heatmap    [][]int         `json:"heatmap,omitempty" doc:"events by weekday, Monday first, and hour of the day, in the zone: 7 rows of 24"`
	Recipients []Ranked        `json:"recipients,omitempty" doc:"the ten recipients who did the most themselves, by people: opens, clicks, downloads, replies, meetings, complaints and unsubscriptions"`
	Domains    []Ranked        `json:"domains,omitempty" doc:"the ten domains of recipients with the most events"`
	Links      []Ranked        `json:"links,omitempty" doc:"the ten links with the most events"`
	Messages   []RankedMessage `json:"messages,omitempty" doc:"the ten messages with the most events"`
	Users      []UserEvents    `json:"users,omitempty" doc:"events by whose message it is, the most first, at most 100 users"`
	Previous   *Previous       `json:"previous,omitempty" doc:"the latest time before of the same length and the same days of the week"`
	// AnswerTimes are there only where they are asked for.
	AnswerTimes *AnswerTimes `json:"answer_times,omitempty" doc:"how long people took to answer; only where it is asked for"`
}

// Totals are numbers of events.
type Totals struct {
	Events int                `json:"events" doc:"as many as the feed lists"`
	Types  map[event.Type]int `json:"types" doc:"by type, those without any left out"`
	// Rejected are those of the bounces that say nothing of an address.
	Rejected int `json:"rejected" doc:"those of the bounces whose mail the sender's side would not send: they are in no rate"`
}

// Unique are numbers of (message, recipient) pairs: a recipient counts once a
// message.
type Unique struct {
	Recipients int `json:"recipients" doc:"recipients of the sends"`
	Opens      int `json:"opens" doc:"recipients who opened a message"`
	Clicks     int `json:"clicks" doc:"recipients who clicked in a message"`
	Replies    int `json:"replies" doc:"recipients who replied to a message"`
	Bounces    int `json:"bounces" doc:"recipients a message did not reach"`
}

// Rates are shares of the recipients of the sends that are counted.
type Rates struct {
	Open   Rate `json:"open"`
	Click  Rate `json:"click"`
	Reply  Rate `json:"reply"`
	Bounce Rate `json:"bounce"`
}

// Rate is a share with what it is of.
type Rate struct {
	Rate  *float64 `json:"rate" doc:"count divided by of; null when there is nothing to divide by, or when it is not known"`
	Count int      `json:"count" doc:"how many of them did"`
	Of    int      `json:"of" doc:"how many there are"`
	// Denominator names what Of counts.
	Denominator string `json:"denominator" enum:"recipients,delivered" doc:"recipients of the counted sends, or those of them without a bounce"`
}

// AutomatedShare is how many opens and clicks machines made.
type AutomatedShare struct {
	Opens  int      `json:"opens" doc:"opens that machines made, hidden or not"`
	Clicks int      `json:"clicks" doc:"clicks that machines made, hidden or not"`
	Of     int      `json:"of" doc:"all opens and clicks, these among them"`
	Share  *float64 `json:"share" doc:"opens and clicks of machines divided by of; null when there are none"`
}

// Series is events over time.
type Series struct {
	Interval Interval `json:"interval" enum:"hour,day,week"`
	Points   []Point  `json:"points" nullable:"false" doc:"without gaps, oldest first"`
}

// Point is the events of an interval.
type Point struct {
	Start  time.Time          `json:"start" doc:"when the hour, the day or the week begins in the zone"`
	Events int                `json:"events"`
	Types  map[event.Type]int `json:"types" doc:"by type, those without any left out"`
}

// Ranked is a name with how many events it has.
type Ranked struct {
	Name   string `json:"name"`
	Events int    `json:"events"`
}

// RankedMessage is a message with how many events it has.
type RankedMessage struct {
	Message string     `json:"message"`
	Subject string     `json:"subject,omitempty" doc:"absent while the send itself is not known"`
	Sent    *time.Time `json:"sent,omitempty"`
	Events  int        `json:"events"`
}

// UserEvents is the events of a user's messages.
type UserEvents struct {
	User   *User              `json:"user,omitempty" doc:"absent for messages of nobody we know"`
	Events int                `json:"events"`
	Types  map[event.Type]int `json:"types"`
}

// Previous is what is compared with.
type Previous struct {
	Since   time.Time `json:"since"`
	Until   time.Time `json:"until"`
	Partial bool      `json:"partial" doc:"not all of it could be counted"`
	Totals  *Totals   `json:"totals"`
	Unique  *Unique   `json:"unique,omitempty"`
	Rates   *Rates    `json:"rates,omitempty"`
}

func totalsOf(t Aggregate) *Totals {
	return &Totals{Events: t.Events.Sum(), Types: typeCounts(t.Events)}
}

func uniqueOf(t Aggregate) *Unique {
	count := func(kind event.Type) int {
		n, _ := t.Pairs[kind].Len()
		return n
	}
	return &Unique{
		Recipients: count(event.Send), Opens: count(event.Open), Clicks: count(event.Click),
		Replies: count(event.Reply), Bounces: count(event.Bounce),
	}
}

// ratesOf are shares of the recipients of the sends that were counted, so that
// an event whose send is not among them raises no rate and none is above one.
func ratesOf(t Aggregate) *Rates {
	sent, bounced := t.Pairs[event.Send], t.Pairs[event.Bounce]
	rate := func(denominator string, without Pairs, kind event.Type) Rate {
		did, of, _ := share(sent, without, t.Pairs[kind])
		r := Rate{Count: did, Of: of, Denominator: denominator}
		r.Rate = ratio(did, of)
		return r
	}
	return &Rates{
		Open:   rate("delivered", bounced, event.Open),
		Click:  rate("delivered", bounced, event.Click),
		Reply:  rate("delivered", bounced, event.Reply),
		Bounce: rate("recipients", Pairs{}, event.Bounce),
	}
}

func automatedOf(t Aggregate, choice query.Automated) *AutomatedShare {
	a := &AutomatedShare{Opens: t.Automated.Of(event.Open), Clicks: t.Automated.Of(event.Click)}
	machines := a.Opens + a.Clicks
	a.Of = t.Events.Of(event.Open) + t.Events.Of(event.Click)
	if choice != query.AutomatedShow && choice != query.AutomatedOnly {
		a.Of += machines
	}
	a.Share = ratio(machines, a.Of)
	return a
}

func ratio(part, whole int) *float64 {
	if whole == 0 {
		return nil
	}
	r := float64(part) / float64(whole)
	return &r
}

// topOf are the first names of a ranking.
func topOf(r Ranking) []Ranked {
	top := make([]Ranked, 0, topNames)
	for _, count := range topCounts(r.Counts, func(string) bool { return true }) {
		top = append(top, Ranked(count))
	}
	return top
}

// topCounts are those with the most events among the names that are wanted.
func topCounts(counts []NameCount, wanted func(name string) bool) []NameCount {
	top := make([]NameCount, 0, topNames+1)
	for _, count := range counts {
		full := len(top) == topNames
		if full && count.Events < top[topNames-1].Events || !wanted(count.Name) {
			continue
		}
		at, _ := slices.BinarySearchFunc(top, count, compareCounts)
		if top = slices.Insert(top, at, count); full {
			top = top[:topNames]
		}
	}
	return top
}

func usersOf(counts []UserCount, names map[string]string) []UserEvents {
	users := make([]UserEvents, len(counts))
	for i, count := range counts {
		users[i] = UserEvents{Events: count.Events.Sum(), Types: typeCounts(count.Events)}
		if count.User != "" {
			users[i].User = &User{ID: count.User, Name: names[count.User]}
		}
	}
	id := func(u UserEvents) string {
		if u.User == nil {
			return ""
		}
		return u.User.ID
	}
	slices.SortFunc(users, func(a, b UserEvents) int {
		return cmp.Or(cmp.Compare(b.Events, a.Events), cmp.Compare(id(a), id(b)))
	})
	return users[:min(len(users), topUsers)]
}
