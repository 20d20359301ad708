package event_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func limits() event.Limits { return event.Limits{Now: now} }

// read decodes an input and makes the event of it.
func read(t *testing.T, text string) (event.Event, error) {
	t.Helper()
	var in event.Input
	require.NoError(t, json.Unmarshal([]byte(text), &in))
	return in.Event("w", "api", limits())
}

func TestAGoodEventIsTakenAsItIs(t *testing.T) {
	e, err := read(t, `{"id":"evt-881","type":"open","time":"2026-11-16T10:30:00.9+01:00","message":"m-17",
		"recipient":{"email":" Jo@ACME.example ","name":"Jo Reyes"},"client":{"ip":"192.0.2.1","user_agent":""}}`)
	require.NoError(t, err)
	require.Equal(t, time.Date(2026, 11, 16, 9, 30, 0, 0, time.UTC).Unix(), e.Time)
	require.Equal(t, "jo@acme.example", e.Recipient.Email)
	require.Equal(t, "api", e.Source)
	require.Equal(t, "", *e.Client.UserAgent, "an agent sent empty is not one that was not given")
	require.Equal(t, "2026-w47", e.Week().String())
}

func TestTheSameEventHasTheSameID(t *testing.T) {
	text := `{"type":"open","time":1763285400,"message":"m-17","recipient":{"email":"jo@acme.example"}}`
	first, err := read(t, text)
	require.NoError(t, err)
	again, err := read(t, text)
	require.NoError(t, err)
	require.Equal(t, first.ID, again.ID)
	other, err := read(t, strings.Replace(text, "m-17", "m-18", 1))
	require.NoError(t, err)
	require.NotEqual(t, first.ID, other.ID)
}

func TestBadEventsAreRefusedByField(t *testing.T) {
	const rest = `"time":1763285400,"message":"m","recipient":{"email":"jo@acme.example"}`
	long := strings.Repeat("x", 5000)
	for name, c := range map[string]struct{ text, field string }{
		"no type":                {`{` + rest + `}`, "type"},
		"unknown type":           {`{"type":"opened",` + rest + `}`, "type"},
		"no time":                {`{"type":"open","message":"m","recipient":{"email":"jo@acme.example"}}`, "time"},
		"no message":             {`{"type":"open","time":1763285400,"recipient":{"email":"jo@acme.example"}}`, "message"},
		"long id":                {`{"id":"` + long[:201] + `","type":"open",` + rest + `}`, "id"},
		"control in id":          {`{"id":"a\u0000b","type":"open",` + rest + `}`, "id"},
		"long subject":           {`{"subject":"` + long + `","type":"open",` + rest + `}`, "subject"},
		"long link":              {`{"link":"` + long + `","type":"click",` + rest + `}`, "link"},
		"negative time":          {`{"type":"open","time":-1,"message":"m","recipient":{"email":"jo@acme.example"}}`, "time"},
		"time ahead":             {`{"type":"open","time":"2026-11-21T13:00:01Z","message":"m","recipient":{"email":"jo@acme.example"}}`, "time"},
		"year 2100":              {`{"type":"open","time":"2100-01-01T00:00:00Z","message":"m","recipient":{"email":"jo@acme.example"}}`, "time"},
		"no recipient":           {`{"type":"open","time":1763285400,"message":"m"}`, "recipient"},
		"recipients on an open":  {`{"type":"open",` + rest + `,"recipients":[{"email":"a@b.example"}]}`, "recipients"},
		"recipient on a send":    {`{"type":"send",` + rest + `,"recipients":[{"email":"a@b.example"}]}`, "recipient"},
		"send to nobody":         {`{"type":"send","time":1763285400,"message":"m"}`, "recipients"},
		"no address":             {`{"type":"open","time":1763285400,"message":"m","recipient":{"name":"Jo"}}`, "recipient.email"},
		"not an address":         {`{"type":"open","time":1763285400,"message":"m","recipient":{"email":"jo"}}`, "recipient.email"},
		"two addresses":          {`{"type":"open","time":1763285400,"message":"m","recipient":{"email":"a@b.example, c@d.example"}}`, "recipient.email"},
		"bad second recipient":   {`{"type":"send","time":1763285400,"message":"m","recipients":[{"email":"a@b.example"},{"email":"@"}]}`, "recipients[1].email"},
		"meeting on an open":     {`{"type":"open",` + rest + `,"meeting":{"answer":"yes"}}`, "meeting"},
		"answer":                 {`{"type":"meeting",` + rest + `,"meeting":{"answer":"perhaps"}}`, "meeting.answer"},
		"bounce on an open":      {`{"type":"open",` + rest + `,"bounce":{"kind":"hard"}}`, "bounce"},
		"bounce kind":            {`{"type":"bounce",` + rest + `,"bounce":{"kind":"squishy"}}`, "bounce.kind"},
		"address of a client":    {`{"type":"open",` + rest + `,"client":{"ip":"300.1.1.1"}}`, "client.ip"},
		"method of a client":     {`{"type":"open",` + rest + `,"client":{"method":"` + long + `"}}`, "client.method"},
		"name of a header":       {`{"type":"open",` + rest + `,"client":{"headers":{"X-Moz":"prefetch"}}}`, "client.headers"},
		"value of a header":      {`{"type":"open",` + rest + `,"client":{"headers":{"x-moz":"` + long + `"}}}`, "client.headers.x-moz"},
		"custom without a kind":  {`{"type":"custom","title":"Deal won",` + rest + `}`, "kind"},
		"custom without a title": {`{"type":"custom","kind":"deal",` + rest + `}`, "title"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := read(t, c.text)
			var field *event.FieldError
			require.ErrorAs(t, err, &field)
			require.Equal(t, c.field, field.Field)
			require.ErrorIs(t, err, event.ErrInvalid)
			require.NotEmpty(t, field.Problem)
		})
	}
}

func TestATimeOlderThanTheRetentionIsRefusedByName(t *testing.T) {
	at := event.Moment(now.Add(-31 * 24 * time.Hour).Unix())
	in := event.Input{Type: event.Open, Time: &at, Message: "m", Recipient: &event.Person{Email: "a@b.example"}}
	_, err := in.Event("w", "api", event.Limits{Now: now, Retention: 30 * 24 * time.Hour})
	var field *event.FieldError
	require.ErrorAs(t, err, &field)
	require.Equal(t, "time", field.Field)
	_, err = in.Event("w", "api", limits())
	require.NoError(t, err)
}

func TestALongBodyIsCutWithAMark(t *testing.T) {
	at := event.Moment(now.Unix())
	in := event.Input{
		Type: event.Send, Time: &at, Message: "m", Body: strings.Repeat("é", event.MaxBody),
		Recipients: []event.Person{{Email: "a@b.example"}},
	}
	e, err := in.Event("w", "api", limits())
	require.NoError(t, err)
	require.LessOrEqual(t, len(e.Body), event.MaxBody)
	require.True(t, utf8.ValidString(e.Body))
	require.True(t, strings.HasSuffix(e.Body, "[cut]"))
}

func TestARecipientNamedTwiceCountsOnce(t *testing.T) {
	e, err := read(t, `{"type":"send","time":1763285400,"message":"m","recipients":[{"email":"a@b.example"},{"email":"A@B.example"}]}`)
	require.NoError(t, err)
	require.Len(t, e.Recipients, 1)
}

func TestWaysOfWritingOnePersonAreOnePerson(t *testing.T) {
	for _, ways := range [][2]string{
		{"jo@bücher.example", "jo@xn--bcher-kva.example"},
		{"jo@dot.example", "jo@dot.example."},
		{"josé@nf.example", "josé@nf.example"},
		{`"jo smith"@ql.example`, `"Jo Smith"@QL.example.`},
	} {
		send, err := read(t, `{"type":"send","time":1763285400,"message":" <m@x> ","recipients":[{"email":"`+strings.ReplaceAll(ways[0], `"`, `\"`)+`"}]}`)
		require.NoError(t, err, ways[0])
		open, err := read(t, `{"type":"open","time":1763285400,"message":"m@x","recipient":{"email":"`+strings.ReplaceAll(ways[1], `"`, `\"`)+`"}}`)
		require.NoError(t, err, ways[1])
		require.Equal(t, send.Recipients[0].Email, open.Recipient.Email)
		require.Equal(t, event.KeyOf(ways[0]), event.KeyOf(ways[1]))
		require.Equal(t, send.Message, open.Message, "the brackets of a Message-ID are no part of it")
	}
}

func TestAnAddressIsKeptAsItCameAndMakesNoOtherEvent(t *testing.T) {
	one, err := read(t, `{"type":"open","time":1763285400,"message":"m","recipient":{"email":"Jo@X.example","written":"forged"}}`)
	require.NoError(t, err)
	require.Equal(t, event.Person{Email: "jo@x.example", Written: "Jo@X.example"}, *one.Recipient)
	other, err := read(t, `{"type":"open","time":1763285400,"message":"m","recipient":{"email":"jo@x.example"}}`)
	require.NoError(t, err)
	require.Equal(t, event.Person{Email: "jo@x.example"}, *other.Recipient)
	require.Equal(t, one.ID, other.ID)
}

// FuzzInput looks for an input that panics, or whose event does not survive
// being stored.
func FuzzInput(f *testing.F) {
	f.Add([]byte(`{"type":"open","time":1,"message":"m","recipient":{"email":"a@b.c"}}`))
	f.Add([]byte(`{"type":"send","time":"2026-11-16T09:30:00Z","message":"m/1","recipients":[{"email":"a@b.c","name":"é"}],"body":"x"}`))
	f.Add([]byte(`{"type":"meeting","time":1e3,"meeting":{"start":-5}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var in event.Input
		if json.Unmarshal(raw, &in) != nil {
			return
		}
		e, err := in.Event("w", "api", limits())
		if err != nil {
			if !errors.Is(err, event.ErrInvalid) {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		stored, err := json.Marshal(e)
		require.NoError(t, err)
		var back event.Event
		require.NoError(t, json.Unmarshal(stored, &back))
		require.Equal(t, e, back)
		require.Equal(t, e.ID.Seconds(), e.Time)
	})
}

func BenchmarkInputEvent(b *testing.B) {
	at := event.Moment(now.Unix())
	in := event.Input{
		ID: "evt-881", Type: event.Open, Time: &at, Message: "m-17", User: "u_ana",
		Recipient: &event.Person{Email: "jo@acme.example", Name: "Jo Reyes"},
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := in.Event("w", "api", limits()); err != nil {
			b.Fatal(err)
		}
	}
}
