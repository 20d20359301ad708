package mailbox

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

func TestAddresses(t *testing.T) {
	tests := []struct {
		name, list, want string
		unnamed          bool
	}{
		{"bare", "Jo@Client.example", "jo@client.example", false},
		{"named", "R-help <r-help@r-project.org.invalid>", "r-help@r-project.org.invalid (R-help)", false},
		{"several", "a@x.example, B <b@x.example>,,c@x.example", "a@x.example b@x.example (B) c@x.example", false},
		{"quoted comma", `"Lind, Bo" <bo@x.example>, a@x.example`, "bo@x.example (Lind, Bo) a@x.example", false},
		{"comma without quotes", "Lind, Bo <bo@x.example>, a@x.example", "bo@x.example (Lind, Bo) a@x.example", false},
		{"comment as name", "bo@x.example (Bo Lind)", "bo@x.example (Bo Lind)", false},
		{"group", "Team: a@x.example, B <b@x.example>;", "a@x.example b@x.example (B)", false},
		{"empty group", "undisclosed-recipients:;", "", true},
		{"empty group without semicolon", "Undisclosed recipients: ", "", true},
		{"nothing", " \t", "", true},
		{"a word", "Undisclosed-Recipient", "", false},
		{"no local part", "@netnoteinc.com", "", false},
		{"empty quotes", `""@argote.ch`, "", false},
		{"address as name", "jo@x.example <jo@x.example>", "jo@x.example", false},
		{"another address as name", "list@x.example <jo@y.example>", "jo@y.example (list@x.example)", false},
		{"single quotes", "'jo@x.example' <jo@x.example>", "jo@x.example", false},
		{"brackets in a name", "AT [moth/x.example]  <t@x.example>", "t@x.example (AT [moth/x.example])", false},
		{"many ats in a name", "luke@ey m@ili@g off uiow@@edu <u9@l.invalid>", "u9@l.invalid (luke@ey m@ili@g off uiow@@edu)", false},
		{"dots in a name", "Cheryl L. Southard <cld@x.example>", "cld@x.example (Cheryl L. Southard)", false},
		{"open quote", `"Jo <jo@x.example>, bo@x.example`, "jo@x.example (Jo) bo@x.example", false},
		{"open bracket", "Jo <jo@x.example", "jo@x.example (Jo)", false},
		{"semicolons", "jo@x.example; bo@x.example", "jo@x.example bo@x.example", false},
		{"mailto", "<mailto:jo@x.example>", "jo@x.example", false},
		{"an archive's at", "jo.r at x.example (Jo Reyes)", "jo.r@x.example (Jo Reyes)", false},
		{"encoded name", "=?iso-8859-1?Q?Andr=E9_D=2C?= <a@x.example>", "a@x.example (André D)", false},
		{"encoded name in a broken list", "=?utf-8?Q?Andr=C3=A9?= x@y <a@x.example>", "a@x.example (André x@y)", false},
		{"bad beside good", "@x.example, a b@c d, jo@x.example", "b@c (a d) jo@x.example", false},
		{"space in quoted local part", `"Jo reyes"@x.example, bo@x.example`, `"jo reyes"@x.example bo@x.example`, false},
		{"raw latin1", "Andr\xe9 <a@x.example>", "a@x.example (André)", false},
		{"too long", strings.Repeat("a", 330) + "@x.example", "", false},
		{"all of it encoded", "=?utf-8?Q?Andr=C3=A9_=3Ca=40x.example=3E?=", "a@x.example (André)", false},
		{"an address encoded in base64", "=?utf-8?B?YUB4LmV4YW1wbGU=?=", "a@x.example", false},
		{"no address encoded", "=?utf-8?Q?Andr=C3=A9?=", "", false},
		{"domain literal", "jo@[192.0.2.1]", "jo@[192.0.2.1]", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			people, named := addresses(test.list)
			require.Equal(t, !test.unnamed, named)
			var got []string
			for _, p := range people {
				got = append(got, p.Email)
				if p.Name != "" {
					got = append(got, "("+p.Name+")")
				}
			}
			require.Equal(t, test.want, strings.Join(got, " "))
		})
	}
}

func TestDates(t *testing.T) {
	tests := []struct{ text, want string }{
		{"Mon, 16 Nov 2026 10:30:00 +0100", "2026-11-16T09:30:00Z"},
		{"Mon, 16 Nov 2026 10:30:00 +0100 (CET)", "2026-11-16T09:30:00Z"},
		{"16 Nov 2026 09:30 GMT", "2026-11-16T09:30:00Z"},
		{"Mon, 16 Nov 2026 04:30:00 EST", "2026-11-16T09:30:00Z"},
		{"Mon, 16 Nov 2026 10:30:00 CET", "2026-11-16T09:30:00Z"},
		{"Mon, 16 Nov 2026 09:30:00 XYZ", "2026-11-16T09:30:00Z"},
		{"Mon, 16 Nov 2026 11:30:00 GMT+0200", "2026-11-16T09:30:00Z"},
		{"Mon, 16 Nov 2026 11:30:00 GMT+02:00", "2026-11-16T09:30:00Z"},
		{"Mon, 16 Nov 26 09:30:00 +0000", "2026-11-16T09:30:00Z"},
		{"Tue, 16 Nov 2026 09:30:00 +0000", "2026-11-16T09:30:00Z"},
		{"Mon Nov 16 09:30:00 2026", "2026-11-16T09:30:00Z"},
		{"Mon Nov 16 09:30:00 UTC 2026", "2026-11-16T09:30:00Z"},
		{"Monday, 16 November 2026 09:30:00 +0000", "2026-11-16T09:30:00Z"},
		{"Mon, 16 Nov 2026 09.30.00 +0000", "2026-11-16T09:30:00Z"},
		{"Mon, 16 Nov 2026 09:30:00", "2026-11-16T09:30:00Z"},
		{"Nov 16, 2026 9:30:00 AM", "2026-11-16T09:30:00Z"},
		{"2026-11-16T10:30:00.123+01:00", "2026-11-16T09:30:00Z"},
		{"2026-11-16 09:30:00", "2026-11-16T09:30:00Z"},
		{"yesterday", ""},
		{"", ""},
		{"Mon, 16 Nov 2026", ""},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			at, ok := parseDate(test.text)
			require.Equal(t, test.want != "", ok)
			if ok {
				require.Equal(t, test.want, at.UTC().Truncate(time.Second).Format(time.RFC3339))
			}
		})
	}
}

func TestMessageIDs(t *testing.T) {
	tests := []struct{ name, field, want string }{
		{"usual", " <a.b%2F@x.example> ", "a.b%2F@x.example"},
		{"without brackets", "a@x.example", "a@x.example"},
		{"without at", "<x>", "x"},
		{"the first of several", "<a@x> <b@x>", "a@x"},
		{"a sentence", "Your message of Mon, from Jo <jo@x.example>, <a@x.example>", "a@x.example"},
		{"a sentence without id", "your mail of Monday", ""},
		{"space within", "<a b@x>", ""},
		{"control character", "<a\x01@x>", ""},
		{"not UTF-8", "<a\xff@x>", ""},
		{"too long", "<" + strings.Repeat("a", 2001) + ">", ""},
		{"nothing", "<>", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			require.Equal(t, test.want, messageID(test.field))
		})
	}
}

func TestHTMLText(t *testing.T) {
	tests := []struct{ name, html, want string }{
		{"inline", "a<b>b</b> <i> c </i>d", "ab c d"},
		{"entities", "&lt;b&gt; &amp; &eacute;&nbsp;x", "<b> & é x"},
		{"blocks", "<div>a</div><div>b</div><p>c</p>d", "a\nb\n\nc\n\nd"},
		{"breaks", "a<br>b<br/><br />c<br><br><br>d", "a\nb\n\nc\n\nd"},
		{"hidden", "<title>t</title><style>s</style><script>x<b>y</b></script>z", "z"},
		{"script in template", "<template><script>a</script>b</template>c", "c"},
		{"never closed", "<p>a<b", "a"},
		{"comment", "a<!-- b -->c", "ac"},
		{"cells", "<tr><td>a</td><td>b</td></tr><tr><td>c</td></tr>", "a b\nc"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			require.Equal(t, test.want, htmlText(test.html))
		})
	}
}

func TestLineEnds(t *testing.T) {
	for given, want := range map[string]string{
		"a\r\nb\nc\r\r\nd": "a\nb\nc\nd",
		"a\rb\r\rc":        "a\rb\rc",
		"a\r":              "a",
		"":                 "",
	} {
		// A byte at a time, so that every end is cut in two.
		got, err := io.ReadAll(iotest.OneByteReader(&lineFeeds{reader: iotest.OneByteReader(strings.NewReader(given))}))
		require.NoError(t, err)
		require.Equal(t, want, string(got))
	}
}

// ask makes a mail with a number of recipients, every second of them twice.
func ask(recipients int) string {
	var to []string
	for i := range recipients {
		to = append(to, fmt.Sprintf("p%d@client.example", i))
		if i%2 == 0 {
			to = append(to, fmt.Sprintf("Person <P%d@client.example>", i))
		}
	}
	return "Date: Mon, 16 Nov 2026 09:30:00 +0000\nFrom: Ana@acme.example\nMessage-ID: <many@acme.example>\n" +
		"In-Reply-To: <first@acme.example>\nTo: " + strings.Join(to, ",\n ") + "\n\nx\n"
}

func TestASendToMoreThanAThousandIsInPieces(t *testing.T) {
	for recipients, pieces := range map[int]int{1: 1, 1000: 1, 1001: 2, 2500: 3} {
		t.Run(fmt.Sprint(recipients), func(t *testing.T) {
			path := write(t, t.TempDir(), "many.eml", []byte(ask(recipients)))
			inputs := readAll(t, path, Options{})[0].inputs
			require.Len(t, inputs, pieces+1)
			seen, keys := map[string]bool{}, map[string]bool{}
			for i, in := range inputs[:pieces] {
				require.Equal(t, event.Send, in.Type)
				require.Equal(t, "many@acme.example", in.Message)
				require.Equal(t, i == 0, in.ID == "mail:many@acme.example:send")
				keys[in.ID] = true
				for _, person := range in.Recipients {
					require.False(t, seen[person.Email])
					seen[person.Email] = true
				}
			}
			require.Len(t, keys, pieces)
			require.Len(t, seen, recipients)
			require.Equal(t, "Person", inputs[0].Recipients[0].Name)
			require.Equal(t, event.Reply, inputs[pieces].Type)
			if pieces > 1 {
				require.Equal(t, "mail:many@acme.example:send:2", inputs[1].ID)
			}
		})
	}
}

func TestWhoseMailItIs(t *testing.T) {
	path := write(t, t.TempDir(), "one.eml", []byte(ask(1)))
	bySender := readAll(t, path, Options{})[0].inputs
	require.Equal(t, "ana@acme.example", bySender[0].User)
	require.Empty(t, bySender[1].User, "the owner of the original is looked up")
	named := readAll(t, path, Options{Owner: Owner{Users: map[string]string{"ana@acme.example": "u_ana"}}})[0].inputs
	require.Len(t, named, 1, "what it answers is nobody's of ours")
	require.Equal(t, "u_ana", named[0].User)
	others := readAll(t, path, Options{Owner: Owner{Users: map[string]string{"bo@acme.example": "u_bo"}}})[0].inputs
	require.Empty(t, others, "who wrote it is none of ours")

	events := readAll(t, "testdata/events.ndjson", Options{User: "u_bo"})
	require.Equal(t, "u_ana", events[0].inputs[0].User, "an event that names its user keeps it")
	require.Equal(t, "u_bo", events[1].inputs[0].User)
}

func TestALongBodyShowsItsCut(t *testing.T) {
	text := ask(1) + strings.Repeat("Grüße\r\n", event.MaxBody)
	in := readAll(t, write(t, t.TempDir(), "long.eml", []byte(text)), Options{})[0].inputs[0]
	require.LessOrEqual(t, len(in.Body), maxText)
	e, err := in.Event("acme", "import", event.Limits{Now: now()})
	require.NoError(t, err)
	require.True(t, strings.HasSuffix(e.Body, "[cut]"))
}

func TestALineTooLongIsRefusedAndPassedOver(t *testing.T) {
	lines := bytes.Split(bytes.TrimSpace(contentOf(t, "testdata/mail.jsonl")), []byte("\n"))
	long := append([]byte(`{"body":"`), bytes.Repeat([]byte("x"), maxLine)...)
	content := bytes.Join([][]byte{lines[0], append(long, `"}`...), lines[1]}, []byte("\n"))
	all := readAll(t, write(t, t.TempDir(), "long.jsonl", content), Options{})
	require.Len(t, all, 3)
	require.Equal(t, TooLong, all[1].code())
	require.EqualValues(t, 2, all[1].refused.Line)
	require.NotNil(t, all[2].inputs)
}

func TestMemoryDoesNotGrowWithTheMail(t *testing.T) {
	head := strings.Replace(ask(1), "\n\nx\n", "\nContent-Type: multipart/mixed; boundary=b\n\n", 1)
	attachment := "--b\nContent-Type: application/zip\nContent-Transfer-Encoding: base64\n\n" +
		strings.Repeat(strings.Repeat("QUJD", 19)+"\n", 32<<20/77)
	mails := map[string]string{
		"text first": head + "--b\n\nthe text\n" + attachment + "--b--\n\n",
		"text last":  head + attachment + "--b\n\nthe text\n--b--\n\n",
	}
	for name, text := range mails {
		t.Run(name, func(t *testing.T) {
			path := write(t, t.TempDir(), "big.mbox", []byte("From - Mon Nov 16 09:30:00 2026\n"+text))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			all := readAll(t, path, Options{})
			runtime.ReadMemStats(&after)
			require.Len(t, all, 1)
			require.Equal(t, "the text", all[0].inputs[0].Body)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(4<<20))
		})
	}
}

func TestAHostileHeaderCostsNoMoreThanItsLength(t *testing.T) {
	head := "Date: Mon, 16 Nov 2026 09:30:00 +0000\nFrom: a@acme.example\nTo: jo@client.example\n"
	headers := map[string]string{
		"a field many times":  strings.Repeat("To: a\n", maxHeader/6),
		"words that are none": "Bcc: " + strings.Repeat("a@ ", maxHeader/3) + "\n",
		"names with commas":   "Cc: " + strings.Repeat("a, ", maxHeader/3) + "\n",
		"brackets":            "Cc: " + strings.Repeat("<", maxHeader) + "\n",
		"encoded words":       "Subject: " + strings.Repeat("=?utf-8?Q?a?= ", maxHeader/14) + "\n",
		"parameters":          "Content-Type: text/plain" + strings.Repeat(";\nx", maxHeader/3) + "\n",
		"a long date":         "Resent-Date: x\nDate: " + strings.Repeat("(", maxHeader) + "\n",
		"more than is kept":   strings.Repeat("X-Long: "+strings.Repeat("x", 1000)+"\n", 4000),
	}
	for name, hostile := range headers {
		t.Run(name, func(t *testing.T) {
			path := write(t, t.TempDir(), "hostile.eml", []byte(head+hostile+"\nbody\n"))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			all := readAll(t, path, Options{Format: EML})
			runtime.ReadMemStats(&after)
			require.Empty(t, all[0].code())
			require.Equal(t, "body", all[0].inputs[0].Body)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(100*maxHeader))
		})
	}
}

func TestARefusalSaysWhereAndWhyAndNothingElse(t *testing.T) {
	refusals := map[Code]int{}
	for _, r := range readAll(t, "testdata/mail.jsonl", Options{}) {
		if r.refused != nil {
			refusals[r.refused.Code]++
			require.NotContains(t, r.refused.Error(), "@")
		}
	}
	require.Equal(t, map[Code]int{Unreadable: 2, BadRecipients: 1, NoDate: 1, NoRecipient: 1, NoSender: 1}, refusals)

	refused := Refusal{Path: "in.mbox", Record: 3, Offset: 548, Code: NoDate, Detail: "it has none"}
	require.Equal(t, "in.mbox: record 3, byte 548: without a usable date: it has none", refused.Error())
}

func TestProgressEndsAtTheWhole(t *testing.T) {
	for name, path := range collection(t) {
		t.Run(name, func(t *testing.T) {
			r := open(t, path, Options{})
			require.Positive(t, r.Progress().Total)
			require.NotEmpty(t, readRest(t, r))
			progress := r.Progress()
			require.Equal(t, progress.Total, progress.Done)
			if strings.HasPrefix(name, "mbox") {
				require.Equal(t, progress.Total, r.Position().Bytes)
			}
		})
	}
}

func BenchmarkReadMbox(b *testing.B) {
	var box bytes.Buffer
	for _, path := range []string{"plain", "nested", "html-only", "encoded-words", "base64"} {
		box.WriteString("From - Mon Nov 16 09:30:00 2026\n")
		box.Write(contentOf(b, filepath.Join("testdata/eml", path+".eml")))
		box.WriteString(strings.Repeat("Some more of a body, as mails have it.\n", 50))
	}
	path := write(b, b.TempDir(), "bench.mbox", bytes.Repeat(box.Bytes(), 2000))
	b.SetBytes(int64(box.Len() * 2000))
	for b.Loop() {
		drain(b, open(b, path, Options{}))
	}
}
