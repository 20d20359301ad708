package feed_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/feed"
)

// hampered is an index one of whose weeks cannot be read, and whose searches are slow
// from one on, or find too much.
type hampered struct {
	*builder
	damaged       event.Week
	slow, tooMuch int
}

func (h *hampered) Search(ctx context.Context, s feed.Search) ([]feed.Hit, error) {
	if h.slow > 0 && h.searches+1 >= h.slow {
		h.took = time.Minute
	}
	if h.tooMuch > 0 && h.searches+1 >= h.tooMuch {
		return nil, &event.TooMuch{What: "too much"}
	}
	hits, err := h.builder.Search(ctx, s)
	for _, week := range s.Weeks {
		if err == nil && week == h.damaged {
			err = event.DamagedWeeks{{Week: week, Cause: "it is cut off"}}
		}
	}
	return hits, err
}

func (f *fixture) hamper(h *hampered) *feed.Reader {
	h.builder, f.store.searches = f.store, 0
	return feed.NewReader(feed.Config{
		Index: h, States: f.store, Catalogue: f.state, Directory: names{}, Clock: func() time.Time { return f.store.at }, WithTimeout: patient,
	})
}

func TestAnAnswerWithoutADamagedWeekIsPartial(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	manyOpens(f)
	whole, err := f.Answer(t.Context(), feed.AnswerRequest{Scope: feed.Scope{Workspace: "w"}, Text: "who opened"})
	require.NoError(t, err)
	require.False(t, whole.Partial)
	require.Empty(t, whole.Warnings)
	reader := f.hamper(&hampered{damaged: event.WeekOf(now.Add(-40 * 24 * time.Hour).Unix())})
	answer, err := reader.Answer(t.Context(), feed.AnswerRequest{Scope: feed.Scope{Workspace: "w"}, Text: "who opened"})
	require.NoError(t, err)
	require.True(t, answer.Partial)
	require.Len(t, answer.Warnings, 1)
	require.Contains(t, answer.Sentence, "(Not everything could be read.)")
}

func TestAPageIsThereWithoutItsAnswer(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	manyOpens(f)
	h := &hampered{}
	reader := f.hamper(h)
	request := feed.PageRequest{Scope: feed.Scope{Workspace: "w"}, Text: "opens first"}
	page, err := reader.Page(t.Context(), request)
	require.NoError(t, err)
	require.Nil(t, page.Answer)
	h.tooMuch, f.store.searches = f.store.searches+1, 0
	request.Text = "who opens first"
	page, err = reader.Page(t.Context(), request)
	require.NoError(t, err)
	require.Nil(t, page.Answer)
}

func TestStatisticsArePartialWhereTheirRecipientsAre(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	manyOpens(f)
	request := feed.StatsRequest{Scope: feed.Scope{Workspace: "w"}, Text: "opened on phone", Fields: []feed.StatsField{feed.FieldTotals}}
	h := &hampered{}
	reader := f.hamper(h)
	stats, err := reader.Stats(t.Context(), request)
	require.NoError(t, err)
	require.False(t, stats.Partial)
	first := f.store.searches
	h.slow, f.store.searches = first+1, 0
	request.Fields = append(request.Fields, feed.FieldRecipients)
	stats, err = reader.Stats(t.Context(), request)
	require.NoError(t, err)
	require.True(t, stats.Partial)
	require.Greater(t, f.store.searches, first)
}
