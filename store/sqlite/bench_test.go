package sqlite_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"tidings/event"
	"tidings/feed"
	"tidings/indexer"
	"tidings/query"
	"tidings/store/sqlite"
)

// benchEvents is how many events BenchmarkPage reads from;
// TIDINGS_BENCH_EVENTS sets another number.
const benchEvents = 200_000

// traffic makes realistic events: workspaces by Zipf's law, a quarter sends of
// one to five recipients with a body, the rest what their recipients do.
type traffic struct {
	random     *rand.Rand
	workspaces *rand.Zipf
	vocabulary *rand.Zipf
	words      []string
	start      int64
	seconds    int64
	made       int64
	sends      []event.Event
}

func newTraffic(seed int64, weeks int) *traffic {
	random := rand.New(rand.NewSource(seed))
	const vocabulary = 30_000
	t := &traffic{
		random:     random,
		workspaces: rand.NewZipf(random, 1.1, 4, 999),
		vocabulary: rand.NewZipf(random, 1.07, 3, vocabulary-1),
		start:      event.WeekOf(time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC).Unix()).Start(),
		seconds:    int64(weeks) * 7 * 24 * 3600,
	}
	// About a third of English words in running text are not their own stem.
	endings := []string{"", "", "s", "", "", "ing", "", "ed", "", "", "ation", ""}
	for i := range vocabulary {
		t.words = append(t.words, syllables(i)+endings[i%len(endings)])
	}
	return t
}

// syllables spells a number as a word.
func syllables(n int) string {
	const consonants, vowels = "bcdfghklmnprstvw", "aeiou"
	var word strings.Builder
	for n += 80; n > 0; n /= 80 {
		word.WriteByte(consonants[n%80/5])
		word.WriteByte(vowels[n%5])
	}
	return word.String()
}

func (t *traffic) text(words int) string {
	var text strings.Builder
	for i := range words {
		if i > 0 {
			text.WriteByte(' ')
		}
		text.WriteString(t.words[t.vocabulary.Uint64()])
	}
	return text.String()
}

func (t *traffic) person(workspace int) event.Person {
	n := t.random.Intn(3000)
	name := t.words[100+n%2000] + " " + t.words[200+n%7000]
	return event.Person{
		Email: strings.ReplaceAll(name, " ", ".") + "@" + t.words[300+(n+workspace*7)%900] + ".example",
		Name:  name,
	}
}

// next is the next event. Weeks are spread evenly, newest last, so that a batch
// is about one week as it is in life.
func (t *traffic) next(total int64) event.Event {
	t.made++
	at := t.start + t.made*t.seconds/(total+1)
	if len(t.sends) == 0 || t.random.Intn(4) == 0 {
		return t.send(at)
	}
	send := t.sends[t.random.Intn(len(t.sends))]
	kinds := []event.Type{event.Delivery, event.Open, event.Open, event.Open, event.Click, event.Reply}
	agent := "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/" +
		strconv.Itoa(100+t.random.Intn(40)) + ".0.0.0 Safari/537.36"
	person := send.Recipients[t.random.Intn(len(send.Recipients))]
	e := event.Event{
		Workspace: send.Workspace, Type: kinds[t.random.Intn(len(kinds))], Time: at, Message: send.Message,
		User: send.User, Subject: send.Subject, Recipient: &person, Source: "sendgrid",
		Client: &event.Client{IP: fmt.Sprintf("192.0.2.%d", t.random.Intn(255)), UserAgent: &agent},
	}
	switch e.Type {
	case event.Click:
		e.Link = "https://docs.acme.example/" + strings.ReplaceAll(t.text(4), " ", "/") + "?utm_source=" + send.Message
	case event.Reply:
		e.Body = t.text(20 + t.random.Intn(150))
	}
	if (e.Type == event.Open || e.Type == event.Click) && t.random.Intn(3) == 0 {
		e.Verdict = event.Verdict{Is: event.Machine, Rule: "apple-proxy", By: "rule", Version: 1}
	} else if e.Type == event.Open || e.Type == event.Click {
		e.Verdict = event.Verdict{Is: event.Human, Rule: "none", By: "rule", Version: 1}
	}
	return t.named(e)
}

func (t *traffic) send(at int64) event.Event {
	workspace := int(t.workspaces.Uint64())
	e := event.Event{
		Workspace: fmt.Sprintf("w%03d", workspace), Type: event.Send, Time: at,
		Message: fmt.Sprintf("%08x.%06x@mail.example", t.random.Uint32(), t.made),
		User:    fmt.Sprintf("u_%02d", t.random.Intn(20)), Source: "sendgrid",
		Subject: t.text(3 + t.random.Intn(6)), Body: t.text(80 + t.random.Intn(400)),
	}
	for range 1 + t.random.Intn(5) {
		e.Recipients = append(e.Recipients, t.person(workspace))
	}
	if len(t.sends) < 20_000 {
		t.sends = append(t.sends, e)
	} else {
		t.sends[t.random.Intn(len(t.sends))] = e
	}
	return t.named(e)
}

func (t *traffic) named(e event.Event) event.Event {
	key := binaryKey(t.made)
	e.ID = event.NewID(e.Time, e.Workspace, e.Source, true, key)
	return e
}

func binaryKey(n int64) []byte { return []byte(strconv.FormatInt(n, 10)) }

func (t *traffic) batch(size int, total int64) []event.Event {
	events := make([]event.Event, size)
	for i := range events {
		events[i] = t.next(total)
	}
	return events
}

func jsonBytes(b *testing.B, events []event.Event) int64 {
	var total int64
	for _, e := range events {
		raw, err := json.Marshal(e)
		require.NoError(b, err)
		total += int64(len(raw))
	}
	return total
}

// BenchmarkCreate writes batches of 1,000 by two callers, as the indexer does; an
// operation is one event.
func BenchmarkCreate(b *testing.B) {
	index, err := sqlite.OpenIndex(b.TempDir(), sqlite.IndexConfig{})
	require.NoError(b, err)
	defer index.Close()
	const size = 1000
	total := int64(max(b.N, 300_000))
	t := newTraffic(1, 4)
	t.batch(size, total) // known sends to react to
	batches := make(chan []event.Event, b.N/size+1)
	raw := int64(0)
	for left := b.N; left > 0; left -= size {
		events := t.batch(min(size, left), total)
		raw += jsonBytes(b, events)
		batches <- events
	}
	close(batches)
	runtime.GC()
	before := processorTime(b)
	b.ResetTimer()
	var writing errgroup.Group
	for range 2 {
		writing.Go(func() error {
			for events := range batches {
				if _, err := index.Create(b.Context(), events); err != nil {
					return err
				}
			}
			return nil
		})
	}
	require.NoError(b, writing.Wait())
	b.StopTimer()
	b.ReportMetric(float64((processorTime(b)-before).Microseconds())/float64(b.N), "cpu-µs/event")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(raw)/float64(b.N), "json-B/event")
	reportDisk(b, index, raw)
}

// processorTime is what the process has used of all cores, which neighbours on
// the machine do not change.
func processorTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func reportDisk(b *testing.B, index *sqlite.Index, raw int64) {
	infos, err := index.WeekInfos(b.Context())
	require.NoError(b, err)
	for _, info := range infos {
		require.NoError(b, index.Seal(b.Context(), info.Week))
	}
	infos, err = index.WeekInfos(b.Context())
	require.NoError(b, err)
	var sealed int64
	for _, info := range infos {
		sealed += info.Bytes
	}
	b.ReportMetric(float64(sealed)/float64(b.N), "sealed-B/event")
	b.ReportMetric(float64(sealed)/float64(raw), "sealed/json")
}

// BenchmarkApply makes changes in batches of 1,000 events; an operation is one
// change.
func BenchmarkApply(b *testing.B) {
	state, err := sqlite.OpenState(filepath.Join(b.TempDir(), "state.db"), sqlite.StateConfig{})
	require.NoError(b, err)
	defer state.Close()
	t := newTraffic(1, 4)
	total := int64(max(b.N, 300_000))
	done := 0
	for done < b.N {
		b.StopTimer()
		changes, weeks := changesOf(t.batch(1000, total))
		b.StartTimer()
		_, err := state.Apply(b.Context(), changes, weeks)
		require.NoError(b, err)
		done += len(changes)
	}
	b.ReportMetric(float64(done)/b.Elapsed().Seconds(), "changes/s")
}

func changesOf(events []event.Event) ([]event.Change, []indexer.WorkspaceWeek) {
	merged := make(map[event.MessageKey]*event.Change)
	var order []event.MessageKey
	marks := make(map[indexer.WorkspaceWeek]bool)
	for _, e := range events {
		change := event.ChangeOf(e)
		if known := merged[change.MessageKey]; known != nil {
			known.Merge(change)
		} else {
			merged[change.MessageKey] = &change
			order = append(order, change.MessageKey)
		}
		marks[indexer.WorkspaceWeek{Workspace: e.Workspace, Week: e.Week()}] = true
	}
	changes := make([]event.Change, len(order))
	for i, key := range order {
		changes[i] = *merged[key]
	}
	weeks := make([]indexer.WorkspaceWeek, 0, len(marks))
	for mark := range marks {
		weeks = append(weeks, mark)
	}
	return changes, weeks
}

// BenchmarkPage reads pages of 50 of the busiest workspaces over four weeks,
// each with its median and 99th percentile.
func BenchmarkPage(b *testing.B) {
	count := benchEvents
	if text := os.Getenv("TIDINGS_BENCH_EVENTS"); text != "" {
		var err error
		count, err = strconv.Atoi(text)
		require.NoError(b, err)
	}
	index, err := sqlite.OpenIndex(b.TempDir(), sqlite.IndexConfig{})
	require.NoError(b, err)
	defer index.Close()
	t := newTraffic(1, 4)
	for made := 0; made < count; made += 1000 {
		_, err := index.Create(b.Context(), t.batch(1000, int64(count)))
		require.NoError(b, err)
	}
	word := func() string { return t.words[t.vocabulary.Uint64()] }
	words := func(form query.Form, texts ...string) query.Expr {
		w := query.Words{Form: form}
		for _, text := range texts {
			token := query.Analyse(text)[0]
			if form == query.FormStem {
				w.Terms = append(w.Terms, token.Stem)
			} else {
				w.Terms = append(w.Terms, token.Word)
			}
		}
		return w
	}
	user := func() query.Expr {
		return query.Keyword{Field: query.FieldUser, Values: []string{fmt.Sprintf("u_%02d", t.random.Intn(20))}}
	}
	searches := []struct {
		name  string
		where func() query.Expr
	}{
		{"workspace", func() query.Expr { return nil }},
		{"user", user},
		{"type", func() query.Expr { return query.Types(event.Types[t.random.Intn(6)]) }},
		{"user-type", func() query.Expr { return query.And{user(), query.Types(event.Click)} }},
		{"word", func() query.Expr { return words(query.FormStem, word()) }},
		{"two-words", func() query.Expr {
			return query.And{words(query.FormStem, word()), words(query.FormStem, word())}
		}},
		{"phrase", func() query.Expr { return words(query.FormPhrase, word(), word()) }},
		{"prefix", func() query.Expr { return words(query.FormPrefix, word()[:4]) }},
	}
	for _, search := range searches {
		b.Run(search.name, func(b *testing.B) {
			took := make([]time.Duration, 0, b.N)
			for range b.N {
				s := feed.Search{
					Workspace: fmt.Sprintf("w%03d", t.workspaces.Uint64()), Limit: 50,
					Query: query.Query{Where: search.where()}, Weeks: weeksOf(t),
				}
				start := time.Now()
				_, err := index.Search(context.Background(), s)
				require.NoError(b, err)
				took = append(took, time.Since(start))
			}
			slices.SortFunc(took, cmp.Compare[time.Duration])
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
		})
	}
}

func weeksOf(t *traffic) []event.Week {
	first := event.WeekOf(t.start)
	return []event.Week{first + 3, first + 2, first + 1, first}
}

// A bound of "LIMIT ?" has SQLite prepare the statement anew each time it runs, since its
// plan may depend on the number; "LIMIT +?" is an expression like any other.
func TestNoStatementIsPreparedAnewForItsLimit(t *testing.T) {
	sources, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, name := range sources {
		source, err := os.ReadFile(name)
		require.NoError(t, err)
		if !strings.HasSuffix(name, "_test.go") {
			require.NotRegexp(t, `LIMIT [?@:]`, string(source), name)
		}
	}
}
