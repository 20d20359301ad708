package mailbox

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"mime/quotedprintable"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"tidings/event"
)

var whole = flag.Bool("whole", false, "read all of the real mail, and not one in twenty")

// sharedMail lists files of real mail, or skips the test.
func sharedMail(t testing.TB) []string {
	t.Helper()
	paths, err := filepath.Glob("../../shared/data/mail/*.jsonl.gz")
	require.NoError(t, err)
	if len(paths) == 0 {
		t.Skip("skipped: no shared data")
	}
	if *whole {
		return paths
	}
	dir := t.TempDir()
	for i, path := range paths {
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		for n, line := range unzippedLines(t, path) {
			if n%20 == 0 {
				_, err := w.Write(append(line, '\n'))
				require.NoError(t, err)
			}
		}
		require.NoError(t, w.Close())
		paths[i] = write(t, dir, filepath.Base(path), packed.Bytes())
	}
	return paths
}

// census counts mail or what became of it.
type census struct {
	mails, sends, recipients, replies int
	// weeks are those of sends.
	weeks   map[string]bool
	refused map[Code]int
}

func newCensus() census {
	return census{weeks: map[string]bool{}, refused: map[Code]int{}}
}

// looseAddress finds addresses without any parser: in angle brackets, or a whole
// entry. One entry, ""@argote.ch, has an empty name that is not an address to us.
var looseAddress = regexp.MustCompile(`<([^<>\s@"]+@[^<>\s@]+)>\s*$|^\s*([^<>\s@"]+@[^<>\s@]+)\s*$`)

// countByHand counts a line without anything of this package.
func (c *census) countByHand(t *testing.T, line []byte) {
	var raw map[string]any
	require.NoError(t, json.Unmarshal(line, &raw))
	c.mails++
	// The five mails of mail systems say that something was not delivered.
	from, _ := raw["from"].(string)
	subject, _ := raw["subject"].(string)
	if strings.Contains(strings.ToLower(from), "mailer-daemon") || strings.HasPrefix(subject, "Failed mail:") {
		return
	}
	given, seen := 0, map[string]bool{}
	for _, field := range []string{"to", "cc"} {
		for _, entry := range raw[field].([]any) {
			given++
			if found := looseAddress.FindStringSubmatch(entry.(string)); found != nil {
				seen[strings.ToLower(found[1]+found[2])] = true
			}
		}
	}
	switch {
	case given == 0:
		c.refused[NoRecipient]++
		return
	case len(seen) == 0:
		c.refused[BadRecipients]++
		return
	}
	at, err := time.Parse("2006-01-02T15:04:05Z", raw["date"].(string))
	require.NoError(t, err)
	year, week := at.ISOWeek()
	c.weeks[fmt.Sprintf("%d-w%02d", year, week)] = true
	c.sends++
	c.recipients += len(seen)
	if parent, _ := raw["in_reply_to"].(string); parent != "" && parent != raw["message_id"] {
		c.replies++
	}
}

func (c *census) count(inputs []event.Input) {
	for _, in := range inputs {
		switch in.Type {
		case event.Send:
			c.sends++
			c.recipients += len(in.Recipients)
			c.weeks[event.WeekOf(int64(*in.Time)).String()] = true
		case event.Reply:
			c.replies++
		}
	}
}

func TestSharedMailIsReadAsCountedByHand(t *testing.T) {
	byHand, read := newCensus(), newCensus()
	for _, path := range sharedMail(t) {
		for _, line := range unzippedLines(t, path) {
			byHand.countByHand(t, line)
		}
		r := open(t, path, Options{})
		require.Equal(t, JSONLMail, r.options.Format)
		for {
			inputs, refused, end := next(t, r)
			if end {
				break
			}
			read.mails++
			if refused != nil {
				read.refused[refused.Code]++
				continue
			}
			requireValid(t, inputs)
			read.count(inputs)
		}
		progress := r.Progress()
		require.Equal(t, progress.Total, progress.Done)
	}
	t.Logf("mails %d, sends %d, recipients %d, replies %d, weeks %d; refused: %s",
		read.mails, read.sends, read.recipients, read.replies, len(read.weeks), fmt.Sprint(read.refused))
	require.Empty(t, cmp.Diff(byHand, read, cmp.AllowUnexported(census{})))
}

func unzippedLines(t testing.TB, path string) [][]byte {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	in, err := gzip.NewReader(f)
	require.NoError(t, err)
	var all [][]byte
	scanner := bufio.NewScanner(in)
	scanner.Buffer(nil, maxLine)
	for scanner.Scan() {
		all = append(all, bytes.Clone(scanner.Bytes()))
	}
	require.NoError(t, scanner.Err())
	return all
}

// asMessage writes a line of jsonl-mail as RFC 5322, in the plainest way.
func asMessage(t testing.TB, line []byte) []byte {
	t.Helper()
	var given struct {
		Date, From, Subject, Body string
		To, Cc                    []string
		MessageID                 string  `json:"message_id"`
		InReplyTo                 *string `json:"in_reply_to"`
	}
	require.NoError(t, json.Unmarshal(line, &given))
	at, err := time.Parse(time.RFC3339, given.Date)
	require.NoError(t, err)
	var b bytes.Buffer
	field := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\n", name, strings.Join(strings.Fields(value), " "))
		}
	}
	field("Date", at.Format(time.RFC1123Z))
	field("From", given.From)
	field("To", strings.Join(given.To, ", "))
	field("Cc", strings.Join(given.Cc, ", "))
	field("Subject", given.Subject)
	field("Message-ID", given.MessageID)
	if given.InReplyTo != nil {
		field("In-Reply-To", *given.InReplyTo)
	}
	field("MIME-Version", "1.0")
	field("Content-Type", "text/plain; charset=utf-8")
	field("Content-Transfer-Encoding", "quoted-printable")
	b.WriteString("\n")
	w := quotedprintable.NewWriter(&b)
	_, err = w.Write([]byte(given.Body))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	b.WriteString("\n")
	return b.Bytes()
}

func TestSharedMailIsTheSameInEveryFormat(t *testing.T) {
	for _, path := range sharedMail(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			dir := t.TempDir()
			var lines, box bytes.Buffer
			require.NoError(t, os.Mkdir(filepath.Join(dir, "eml"), 0o700))
			for i, line := range unzippedLines(t, path) {
				if i%4 != 0 {
					continue
				}
				lines.Write(append(line, '\n'))
				text := asMessage(t, line)
				require.NoError(t, os.WriteFile(filepath.Join(dir, "eml", fmt.Sprintf("%06d.eml", i)), text, 0o600))
				box.WriteString("From someone@example.org Mon Nov 16 09:30:00 2026\n")
				box.Write(quoteMbox(text))
				box.WriteString("\n")
			}
			want := readAll(t, write(t, dir, "mail.jsonl", lines.Bytes()), Options{})
			require.Greater(t, len(want), 20)
			requireSame(t, want, readAll(t, write(t, dir, "mail.mbox", box.Bytes()), Options{}))
			requireSame(t, want, readAll(t, filepath.Join(dir, "eml"), Options{}))
		})
	}
}

// quoteMbox quotes as mboxrd does.
func quoteMbox(text []byte) []byte {
	return regexp.MustCompile(`(?m)^(>*From )`).ReplaceAll(text, []byte(">$1"))
}

// requireSame compares records but for where they are and white space in bodies.
func requireSame(t *testing.T, want, got []record) {
	t.Helper()
	require.Len(t, got, len(want))
	for i := range want {
		require.Equal(t, want[i].code(), got[i].code(), "record %d", i)
		require.Empty(t, cmp.Diff(spaceless(want[i].inputs), spaceless(got[i].inputs)), "record %d", i)
	}
}

func spaceless(inputs []event.Input) []event.Input {
	var out []event.Input
	for _, in := range inputs {
		in.Body = strings.Join(strings.Fields(in.Body), " ")
		out = append(out, in)
	}
	return out
}

func BenchmarkReadSharedMail(b *testing.B) {
	path := sharedMail(b)[0]
	for b.Loop() {
		r, err := Open(path, Options{})
		require.NoError(b, err)
		drain(b, r)
	}
}

// drain reads to the end and reports how many records a second.
func drain(b *testing.B, r *Reader) {
	began, n := time.Now(), 0
	for {
		_, _, end := next(b, r)
		if end {
			break
		}
		n++
	}
	require.NoError(b, r.Close())
	b.ReportMetric(float64(n)/time.Since(began).Seconds(), "mails/s")
}
