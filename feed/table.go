package feed

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"tidings/event"
	"tidings/query"
	"tidings/query/times"
)

// tableRows is how many rows a table has that does not say.
const tableRows = 50

// AnswerTable counts what the feed lists by something: by company, by day.
type AnswerTable struct {
	By   string     `json:"by" enum:"person,company,message,subject,user,type,link,file,device,client,hour,weekday,day,week,month" doc:"what a row stands for"`
	Rows []TableRow `json:"rows" nullable:"false" doc:"those with the most events first (with the fewest, of the bottom ones); times from the earliest on, those without events left out"`
	// Total is how many rows there would be without the limit.
	Total int `json:"total" doc:"how many rows there are, shown or not"`
}

// TableRow is one row. Events are counted once in each row that they belong to: a
// send to two companies is in both rows.
type TableRow struct {
	Name   string `json:"name" doc:"what the row stands for: an address, a domain, the id of a message or a user, a date (the first day of weeks and months), an hour 00 to 23, a weekday in English; empty where the event does not say"`
	Label  string `json:"label,omitempty" doc:"for people to read, where it is not the name: a person's or a user's name, a message's subject"`
	Events int    `json:"events"`
	People int    `json:"people" doc:"how many people they are of"`
	Query  string `json:"query,omitempty" doc:"q of /v1/feed that lists the row's events; absent where none does"`
}

// tableBuilder counts events by a key.
type tableBuilder struct {
	asked query.Table
	zone  *time.Location
	names map[string]string
	rows  map[string]*tableRow
	// history is whether other events decide what is counted.
	history bool
	// nobody is whether what is counted are mails that nobody did something with.
	nobody bool
}

type tableRow struct {
	TableRow
	people map[string]bool
}

func newTable(asked query.Table, zone *time.Location, names map[string]string) *tableBuilder {
	return &tableBuilder{asked: asked, zone: zone, names: names, rows: make(map[string]*tableRow)}
}

// add counts an event that is about these people.
func (t *tableBuilder) add(e event.Event, people []event.Person) {
	seen := map[string]bool{}
	count := func(name, label string, of ...event.Person) {
		row := t.rows[name]
		if row == nil {
			row = &tableRow{TableRow: TableRow{Name: name}, people: make(map[string]bool)}
			t.rows[name] = row
		}
		row.Label = cmp.Or(row.Label, label)
		if !seen[name] {
			seen[name] = true
			row.Events++
		}
		for _, person := range of {
			row.people[person.Email] = true
		}
	}
	switch t.asked.Key() {
	case "person":
		for _, person := range people {
			count(person.Email, person.Name, person)
		}
	case "company":
		for _, person := range people {
			count(query.Domain(person.Email), "", person)
		}
	default:
		name, label := t.keyOf(e)
		count(name, label, people...)
	}
}

// keyOf is the row of an event, of keys that an event has one of.
func (t *tableBuilder) keyOf(e event.Event) (name, label string) {
	at := time.Unix(e.Time, 0).In(t.zone)
	switch t.asked.Key() {
	case "message":
		return e.Message, e.Subject
	case "subject":
		return e.Subject, ""
	case "user":
		return e.User, t.names[e.User]
	case "type":
		return string(e.Type), ""
	case "link":
		return e.Link, ""
	case "file":
		return e.File, ""
	case "device":
		return query.DeviceOf(e), ""
	case "client":
		return query.ClientOf(e), ""
	case "hour":
		return at.Format("15"), ""
	case "weekday":
		return at.Weekday().String(), ""
	case "day":
		return at.Format(time.DateOnly), ""
	case "week":
		return times.StartOfWeek(at, time.Monday).Format(time.DateOnly), ""
	}
	return at.Format("2006-01") + "-01", ""
}

// table is what was counted. text is the search behind it.
func (t *tableBuilder) table(text string) *AnswerTable {
	rows := make([]TableRow, 0, len(t.rows))
	for _, row := range t.rows {
		row.People = len(row.people)
		row.Query = t.queryOf(text, row.Name)
		rows = append(rows, row.TableRow)
	}
	byCount := func(a, b TableRow) int {
		return cmp.Or(cmp.Compare(b.Events, a.Events), strings.Compare(a.Name, b.Name))
	}
	if t.asked.Fewest {
		byCount = func(a, b TableRow) int {
			return cmp.Or(cmp.Compare(a.Events, b.Events), strings.Compare(a.Name, b.Name))
		}
	}
	limit := cmp.Or(t.asked.Limit, tableRows)
	ofTime := t.inTime()
	if ofTime && t.asked.Limit == 0 {
		slices.SortFunc(rows, t.earlier)
		limit = MaxAnswerPeople
	} else {
		slices.SortFunc(rows, byCount)
	}
	return &AnswerTable{By: t.asked.Key(), Total: len(rows), Rows: rows[:min(limit, len(rows))]}
}

// inTime reports whether the rows stand for times.
func (t *tableBuilder) inTime() bool {
	switch t.asked.Key() {
	case "hour", "weekday", "day", "week", "month":
		return true
	}
	return false
}

// earlier orders rows by time; the week begins on Monday.
func (t *tableBuilder) earlier(a, b TableRow) int {
	if t.asked.Key() != "weekday" {
		return strings.Compare(a.Name, b.Name)
	}
	number := func(name string) int {
		for day := range 7 {
			if time.Weekday((day+1)%7).String() == name {
				return day
			}
		}
		return 0
	}
	return cmp.Compare(number(a.Name), number(b.Name))
}

// queryOf is the search for a row's events, "" where the language has none.
func (t *tableBuilder) queryOf(text, name string) string {
	key := t.asked.Key()
	ofSeries := key == "person" || key == "company" || key == "message" || key == "user"
	if name == "" || t.history && !ofSeries {
		// A narrower search has other firsts and counts.
		return ""
	}
	value := query.QuoteValue(name)
	switch key {
	case "person":
		return toPerson(text, name, t.nobody)
	case "company":
		return toCompany(text, name, t.nobody)
	case "user":
		return narrowed(text, "(from:"+value+")")
	case "message", "type", "device", "client":
		// In brackets it is one more condition, not one more value.
		return narrowed(text, "("+key+":"+value+")")
	case "day", "week", "month":
		day, err := time.Parse(time.DateOnly, name)
		if err != nil {
			return ""
		}
		until := map[string]time.Time{"day": day.AddDate(0, 0, 1), "week": day.AddDate(0, 0, 7), "month": day.AddDate(0, 1, 0)}[key]
		return narrowed(text, "time:"+name+"/"+until.Format(time.DateOnly))
	}
	return ""
}
