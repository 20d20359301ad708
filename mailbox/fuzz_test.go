package mailbox

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

// inMemory is a file that was never on a disk.
func inMemory(content []byte) *file {
	return &file{path: "fuzz", in: bufio.NewReaderSize(bytes.NewReader(content), 4<<10)}
}

// everything reads a source to its end, which must be where the content ends.
func everything(t *testing.T, s source) []record {
	t.Helper()
	var all []record
	for {
		found, err := readNext(s)
		inputs := found.Events
		var refused *Refusal
		switch {
		case errors.Is(err, io.EOF):
			return all
		case errors.As(err, &refused):
		case err != nil:
			require.ErrorIs(t, err, event.ErrInvalid)
			return all
		}
		requireValid(t, inputs)
		all = append(all, record{inputs, refused})
	}
}

// readNext is what the next record of a source means.
func readNext(s source) (Record, error) {
	return (&Reader{options: fuzzOptions(), source: s}).Read()
}

func fuzzOptions() Options { return Options{Now: now, Decode: decodeEvent} }

func FuzzMessage(f *testing.F) {
	for _, path := range messages(f) {
		f.Add(contentOf(f, path))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		read := func() ([]event.Input, *Refusal) {
			m, err := readMail(bytes.NewReader(content))
			if err != nil {
				require.ErrorIs(t, err, errNoMail)
				return nil, nil
			}
			found, err := Read(m, Owner{Now: now()})
			var refused *Refusal
			if !errors.As(err, &refused) {
				require.NoError(t, err)
			}
			return found.Events, refused
		}
		inputs, refused := read()
		requireValid(t, inputs)
		again, refusedAgain := read()
		requireEqual(t, []record{{inputs, refused}}, []record{{again, refusedAgain}})
	})
}

func FuzzMbox(f *testing.F) {
	f.Add(contentOf(f, "testdata/mbox/variants.mbox"))
	f.Add([]byte("From a Mon Nov 16 09:30:00 2026\r\nContent-Length: 3\r\n\r\nab\r\nFrom b Mon Nov 16 09:30:00 2026\r\nx: y\r\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		whole := &mbox{file: inMemory(content), options: fuzzOptions()}
		all := everything(t, whole)
		if len(all) == 0 {
			return
		}
		require.EqualValues(t, len(content), whole.position().Bytes)

		// From behind any record the rest is the same.
		walked := &mbox{file: inMemory(content), options: fuzzOptions()}
		for i := range all {
			_, _ = walked.next()
			resumed := &mbox{file: inMemory(content), options: fuzzOptions()}
			resumed.file.zipped = true
			require.NoError(t, resumed.resume(walked.position()))
			requireEqual(t, all[i+1:], append([]record{}, everything(t, resumed)...))
		}
	})
}

func FuzzLines(f *testing.F) {
	f.Add(contentOf(f, "testdata/mail.jsonl"), true)
	f.Add(contentOf(f, "testdata/events.ndjson"), false)
	f.Fuzz(func(t *testing.T, content []byte, mails bool) {
		read := func() (*lines, []record) {
			l := &lines{file: inMemory(content), decode: mailOfLine}
			if mails {
				return l, everything(t, l)
			}
			// Whether an event is good is for the API to say.
			l.decode = func(line []byte) (item, *Refusal) {
				_, refused := eventOfLine(fuzzOptions())(line)
				return item{mail: &Mail{To: []event.Person{{Email: "a@x.example"}}}}, refused
			}
			return l, everything(t, l)
		}
		l, all := read()
		require.EqualValues(t, len(content), l.position().Bytes)
		require.EqualValues(t, len(all), l.position().Records)
		_, again := read()
		requireEqual(t, all, again)
	})
}

func FuzzAddresses(f *testing.F) {
	for _, seed := range []string{
		`"Lind, Bo" <bo@x.example>, a@x.example`, "undisclosed-recipients:;", "jo at x.example (Jo)",
		"=?utf-8?Q?Andr=C3=A9?= <a@x.example>; 'b@x' <b@x>", `"open <c@x.example>`, "İ@x.example <mailto:q@[::1]>",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, list string) {
		people, named := addresses(list)
		require.True(t, named || len(people) == 0)
		for _, person := range people {
			seconds := event.Moment(0)
			requireValid(t, []event.Input{{
				Type: event.Reply, Time: &seconds, Message: "m", Recipient: &person,
			}})
			require.Equal(t, strings.ToLower(person.Email), person.Email)
		}
	})
}

func FuzzHTML(f *testing.F) {
	f.Add([]byte("<p>a<b>b</b><style>x</style>&eacute;</p><br>\xff"))
	f.Fuzz(func(t *testing.T, content []byte) {
		text := htmlText(string(content))
		require.True(t, utf8.ValidString(text))
		require.LessOrEqual(t, len(text), maxText)
	})
}

func FuzzDate(f *testing.F) {
	f.Add("Mon, 16 Nov 2026 10:30:00 +0100 (CET)")
	f.Add("Nov 16, 2026 9:30:00 PM")
	f.Fuzz(func(t *testing.T, text string) {
		if at, ok := parseDate(text); ok {
			require.False(t, at.IsZero() && text == "")
		}
	})
}
