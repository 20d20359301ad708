package columns

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tidings/event"
	"tidings/feed"
	"tidings/store/sqlite/rowids"
)

const testWeek = event.Week(2900)

// someEvents are columns of n events of few messages and people.
func someEvents(t *rapid.T, n int) []Event {
	events := make([]Event, n)
	for i := range events {
		e := event.Event{
			Type:    rapid.SampledFrom(event.Types).Draw(t, "type"),
			Message: rapid.SampledFrom([]string{"m-1", "m-2", ""}).Draw(t, "message"),
			User:    rapid.SampledFrom([]string{"", "u_ana"}).Draw(t, "user"),
			Link:    rapid.SampledFrom([]string{"", "https://acme.example"}).Draw(t, "link"),
			Verdict: event.Verdict{Is: rapid.SampledFrom([]string{"", event.Machine, "perhaps"}).Draw(t, "verdict")},
		}
		people := []event.Person{{Email: "jo@acme.example"}, {Email: "nobody"}}
		if e.Type == event.Send {
			e.Recipients = people[:rapid.IntRange(1, 2).Draw(t, "people")]
		} else {
			e.Recipient = &people[rapid.IntRange(0, 1).Draw(t, "person")]
		}
		if e.Type == event.Meeting {
			e.Meeting = &event.Appointment{Answer: rapid.SampledFrom([]string{"", "no"}).Draw(t, "answer")}
		}
		events[i] = Event{rapid.Int64Range(0, 30).Draw(t, "rowid"), e}
	}
	return events
}

func TestColumnsAreReadAsTheyWereStored(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := New(testWeek)
		f.Put(someEvents(t, rapid.IntRange(0, 20).Draw(t, "n")))
		f.Put(someEvents(t, rapid.IntRange(0, 5).Draw(t, "more")))
		doc, links := f.Encode()
		read, err := Decode(testWeek, doc, links)
		require.NoError(t, err)
		require.Equal(t, describe(f), describe(read))
		require.Equal(t, doc, read.encodeRows())
	})
}

// describe is what columns say, without their codes.
func describe(f *Columns) []string {
	lines := make([]string, len(f.rows))
	for i := range f.rows {
		row := &f.rows[i]
		answer := "none"
		if row.answer != noMeeting {
			answer = f.names[row.answer]
		}
		lines[i] = fmt.Sprint(row.Rowid, row.kind, row.automated, f.names[row.user], f.links[row.link],
			f.names[row.source], f.names[row.verdict], answer, f.names[f.message(row)])
		for _, code := range f.peopleIn(row) {
			p := f.pairs[code]
			lines[i] += fmt.Sprint(" ", f.names[p.recipient], f.names[p.domain], p.number)
		}
	}
	return lines
}

func TestWhatIsPutLastCountsAtItsRowid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, last := New(testWeek), make(map[int64]string)
		for range rapid.IntRange(1, 6).Draw(t, "batches") {
			batch := someEvents(t, rapid.IntRange(0, 8).Draw(t, "n"))
			f.Put(batch)
			for _, e := range batch {
				one := New(testWeek)
				one.Put([]Event{e})
				last[e.Rowid] = describe(one)[0]
			}
		}
		lines := describe(f)
		require.Len(t, lines, len(last))
		require.True(t, slices.IsSortedFunc(f.rows, byRowid))
		for i := range f.rows {
			require.Equal(t, last[f.rows[i].Rowid], lines[i])
		}
	})
}

func FuzzDecode(f *testing.F) {
	one := New(testWeek)
	jo := event.Person{Email: "jo@acme.example"}
	one.Put([]Event{{7, event.Event{Type: event.Open, Message: "m", Recipient: &jo}}})
	f.Add(one.encodeRows())
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, raw []byte) {
		read, err := decodeRows(testWeek, raw)
		if err != nil {
			require.ErrorIs(t, err, ErrDamaged)
			return
		}
		read.aggregate(0, rowids.End(testWeek), feed.AggregateRequest{Parts: 0xff}, everyRow)
	})
}

// A code behind the end of the names is damage in each column, and none is taken for
// another name.
func TestACodeThatNamesNothingIsDamage(t *testing.T) {
	for name, change := range map[string]func(f *Columns, r *row){
		"type":    func(_ *Columns, r *row) { r.kind = uint8(len(event.Types)) },
		"user":    func(f *Columns, r *row) { r.user = uint32(len(f.names)) },
		"link":    func(f *Columns, r *row) { r.link = uint32(f.linkCount) },
		"source":  func(f *Columns, r *row) { r.source = uint32(len(f.names)) },
		"verdict": func(f *Columns, r *row) { r.verdict = uint32(len(f.names)) },
		"answer":  func(f *Columns, r *row) { r.answer = uint32(len(f.names)) },
		"people":  func(_ *Columns, r *row) { r.people = 0 },
		"rowid":   func(_ *Columns, r *row) { r.Rowid = rowids.End(testWeek) },
	} {
		t.Run(name, func(t *testing.T) {
			f := New(testWeek)
			jo := event.Person{Email: "jo@acme.example"}
			f.Put([]Event{{7, event.Event{Type: event.Meeting, Message: "m", Recipient: &jo, Meeting: &event.Appointment{Answer: "no"}}}})
			f.Encode() // sorts the links
			_, err := decodeRows(testWeek, f.encodeRows())
			require.NoError(t, err)
			change(f, &f.rows[0])
			_, err = decodeRows(testWeek, f.encodeRows())
			require.ErrorIs(t, err, ErrDamaged)
		})
	}
}

func TestASealedWeekKnowsItsMostFrequentLinks(t *testing.T) {
	f, jo := New(testWeek), event.Person{Email: "jo@acme.example"}
	var events []Event
	for i := range 10 {
		for n := range i + 1 {
			e := event.Event{Type: event.Click, Message: "m", Recipient: &jo, Link: fmt.Sprintf("https://acme.example/%d", i)}
			events = append(events, Event{int64(100*i + n), e})
		}
	}
	f.Put(events)
	count := func() feed.Ranking {
		return f.aggregate(0, 10_000, feed.AggregateRequest{Parts: feed.PartLinks}, everyRow).Links
	}
	all := count()
	require.False(t, all.Cut)
	require.Len(t, all.Counts, 10)
	f.sortLinks(3, linkBytes)
	few := count()
	require.True(t, few.Cut, "and says that there are others")
	require.Equal(t, all.Sorted()[:3], few.Sorted())
	f.sortLinks(3, linkBytes)
	require.Equal(t, few, count(), "which may be done again")
	for bytes, kept := range map[int]int{len("https://acme.example/9") * 2: 2, len("https://acme.example/9")*2 - 1: 1, 0: 1} {
		f.sortLinks(3, bytes)
		short := count()
		require.True(t, short.Cut)
		require.Equal(t, all.Sorted()[:kept], short.Sorted(), "%d bytes of links", bytes)
		f.sortLinks(3, bytes)
		require.Equal(t, short, count())
		f = New(testWeek)
		f.Put(events)
	}
}
