package bench_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/bench"
	"tidings/event"
)

// writeMails makes a directory of a send, an answer to it, and as many words as have to
// be there.
func writeMails(t *testing.T, words int) string {
	dir := t.TempDir()
	file, err := os.Create(filepath.Join(dir, "mails.jsonl"))
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	write := func(id, about, from, to, body string) {
		require.NoError(t, json.NewEncoder(file).Encode(map[string]any{
			"date": "2013-05-31T22:02:31Z", "from": from, "to": []string{to}, "cc": []string{}, "subject": "Of " + id,
			"body": body, "message_id": "<" + id + "@x.example>", "in_reply_to": about,
		}))
	}
	text := "See https://x.example/a?b=1 and "
	for n := range words {
		text += fmt.Sprintf("w%c%c%c ", 'a'+n%26, 'a'+n/26%26, 'a'+n/676)
	}
	// A file is told by its first line, which must not be too long.
	write("second", "<first@x.example>", "Ben <ben@y.example>", "Ana <ana@x.example>", "An answer.")
	write("first", "", "Ana <ana@x.example>", "Ben <ben@y.example>", text)
	return dir
}

func TestMailsAreSentAndAnswered(t *testing.T) {
	mails, err := bench.ReadMails(writeMails(t, 14_000))
	require.NoError(t, err)
	load := bench.Load{Seed: 1, Weeks: 4, Until: until, Mails: mails}
	made := slices.Collect(load.Inputs(300))
	require.Equal(t, made, slices.Collect(load.Inputs(300)), "the same seed gives the same events")
	seen := make(map[event.Type]int)
	for _, given := range made {
		in := given.Input
		seen[in.Type]++
		switch in.Type {
		case event.Send:
			require.Contains(t, []string{"Of first", "Of second"}, in.Subject)
		case event.Open, event.Delivery:
			require.Empty(t, in.Link)
		case event.Reply:
			require.Equal(t, "An answer.", in.Body)
		case event.Click:
			require.Contains(t, []string{"https://x.example/a?b=1", "https://www.example.com/"}, in.Link)
		}
	}
	for _, kind := range []event.Type{event.Send, event.Open, event.Delivery, event.Reply, event.Click} {
		require.Positive(t, seen[kind], kind)
	}
	for _, err := range load.Events(300) {
		require.NoError(t, err)
	}
}

func TestTooFewMailsAreRefused(t *testing.T) {
	_, err := bench.ReadMails(t.TempDir())
	require.ErrorContains(t, err, "at least one of each")
	_, err = bench.ReadMails(writeMails(t, 5))
	require.ErrorContains(t, err, "different words")
}
