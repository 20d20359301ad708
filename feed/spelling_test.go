package feed_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/feed"
	"tidings/query"
	"tidings/store/sqlite"
)

// withVocabulary is a fixture whose reader corrects words.
func withVocabulary(t *testing.T) *fixture {
	dir := t.TempDir()
	index, err := sqlite.OpenIndex(filepath.Join(dir, "weeks"), sqlite.IndexConfig{})
	require.NoError(t, err)
	state, err := sqlite.OpenState(filepath.Join(dir, "state.db"), sqlite.StateConfig{})
	require.NoError(t, err)
	c := &builder{Index: index, state: state, at: now}
	f := &fixture{feed.NewReader(feed.Config{
		Index: c, States: c, Catalogue: state, Directory: names{}, Vocabulary: index, Clock: func() time.Time { return c.at },
		WithTimeout: patient,
	}), t, c, state}
	t.Cleanup(f.close)
	return f
}

// about is an open of a mail with a subject.
func about(number int, user, subject string) event.Event {
	e := open(number, now.Add(-time.Duration(number)*time.Minute))
	e.Subject, e.User = subject, user
	return e
}

func TestMisspeltWordsAreCorrected(t *testing.T) {
	f := withVocabulary(t)
	for i := range 60 {
		f.put(about(i, "u_ana", "Pricing proposal"))
	}
	for i := range 3 {
		f.put(about(100+i, "u_ben", "Renewal contract"), about(200+i, "u_ben", "Contrast and colour"))
	}
	f.put(about(300, "u_ana", "Propositional logic"), about(301, "u_ana", "Proposel"))
	tests := []struct {
		text, showing, didYouMean string
		items                     int
	}{
		{"pricing", "", "", 50},
		{"pricng", "pricing", "", 50},
		{"opens PRICNG, yesterday OR today", "opens pricing yesterday OR today", "", 50},
		{"subject:propsal pricing", "subject:proposal pricing", "", 50},
		{"propsoal pircing", "proposal pricing", "", 50},
		{"prpsl", "", "", 0},
		{"propsl", "", "proposal", 0},
		{"proposel", "", "proposal", 1},
		{"renewal contrat", "renewal contract", "", 3},
		{"propositional contrat", "", "", 0},
		{`"pricng"`, "", "", 0},
		{"-pricng renewal", "", "", 3},
		{"pricng*", "", "", 0},
		{"qwertz", "", "", 0},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			page := f.page(feed.PageRequest{Text: test.text})
			require.Equal(t, test.showing, page.Query.Showing)
			require.Equal(t, test.didYouMean, page.Query.DidYouMean)
			require.Len(t, page.Items, test.items)

			stats := f.stats(feed.StatsRequest{Text: test.text})
			require.Equal(t, test.showing, stats.Query.Showing)
			require.Equal(t, test.items, min(stats.Totals.Events, feed.DefaultLimit))
			exported := 0
			request := feed.ExportRequest{Scope: feed.Scope{Workspace: "w"}, Text: test.text}
			require.NoError(t, f.Export(t.Context(), request, func(items []feed.Item) error {
				exported += len(items)
				return nil
			}))
			require.Equal(t, stats.Totals.Events, exported)
		})
	}
}

func TestAWordThatIsOftenUsedWasMeant(t *testing.T) {
	f := withVocabulary(t)
	for i := range 300 {
		f.put(about(i, "u_ana", "Contract"))
	}
	for i := range 5 {
		f.put(about(300+i, "u_ben", "Contrast and colour"))
	}
	for i := range 4 {
		f.put(about(400+i, "u_ben", "Contrary views"))
	}
	often := f.page(feed.PageRequest{Text: "contrast contract"})
	require.Empty(t, often.Items)
	require.Empty(t, often.Query.Showing, "five events have it: it is as right as alone")
	seldom := f.page(feed.PageRequest{Text: "contrary contract"})
	require.Equal(t, "contract contract", seldom.Query.DidYouMean, "a right word is asked about, and not replaced")
	require.Empty(t, seldom.Items)
	typo := f.page(feed.PageRequest{Text: "conrtact yesterday OR today"})
	require.Equal(t, "contract yesterday OR today", typo.Query.Showing)
	require.Equal(t, "contract", typo.Query.Chips[0].Value, "the chips are those of what was searched for")
	require.Contains(t, typo.Query.Interpretation, "contract")
}

func TestACorrectedPageGoesOn(t *testing.T) {
	f := withVocabulary(t)
	for i := range 25 {
		f.put(about(i, "u_ana", "Pricing proposal"))
	}
	seen := make(map[event.ID]bool)
	request := feed.PageRequest{Text: "pricng", Limit: 10}
	for {
		page := f.page(request)
		require.Equal(t, "pricing", page.Query.Showing)
		for _, item := range page.Items {
			require.False(t, seen[item.ID])
			require.NotEmpty(t, item.Highlights)
			seen[item.ID] = true
		}
		if page.Next == nil {
			break
		}
		request.Cursor = *page.Next
	}
	require.Len(t, seen, 25)
	next := *f.page(feed.PageRequest{Text: "pricng", Limit: 10}).Next
	require.Len(t, f.page(feed.PageRequest{Text: "pricing", Limit: 10, Cursor: next}).Items, 10, "the corrected text goes on too")
	_, err := f.Page(t.Context(), feed.PageRequest{Scope: feed.Scope{Workspace: "w"}, Text: "proposal", Limit: 10, Cursor: next})
	require.ErrorIs(t, err, event.ErrInvalid)
}

func TestNothingIsProposedThatTheReaderMayNotSee(t *testing.T) {
	f := withVocabulary(t)
	for i := range 9 {
		f.put(about(i, "u_ana", "Acquisition of Initech"))
	}
	ben := feed.Scope{Workspace: "w", Users: []string{"u_ben"}, Me: "u_ben"}
	for _, scope := range []feed.Scope{ben, {Workspace: "v"}} {
		page := f.page(feed.PageRequest{Scope: scope, Text: "acquistion"})
		require.Empty(t, page.Items)
		require.Empty(t, page.Query.Showing+page.Query.DidYouMean)
	}
	require.Equal(t, "acquisition", f.page(feed.PageRequest{Text: "acquistion"}).Query.Showing)
}

func TestWordsThatCameLaterAreKnownInTime(t *testing.T) {
	f := withVocabulary(t)
	f.put(about(1, "u_ana", "Renewal"))
	require.Empty(t, f.page(feed.PageRequest{Text: "contrct"}).Query.Showing)
	for i := range 3 {
		f.put(about(10+i, "u_ana", fmt.Sprint("Contract ", i)))
	}
	f.store.at = now.Add(11 * time.Minute)
	require.Equal(t, "contract", f.page(feed.PageRequest{Text: "contrct"}).Query.Showing)
}

// manyWords is a vocabulary that has words enough in one week.
type manyWords struct{ asked []event.Week }

func (m *manyWords) Terms(_ context.Context, _ string, week event.Week, prefix string, limit int) ([]query.Term, error) {
	m.asked = append(m.asked, week)
	terms := make([]query.Term, limit)
	for i := range terms {
		terms[i] = query.Term{Word: fmt.Sprintf("%sontract%d", prefix, i), Count: 1}
	}
	terms[0] = query.Term{Word: "contract", Count: 9}
	return terms, nil
}

func TestWeeksAreAskedForWordsUntilThereAreEnough(t *testing.T) {
	f := withVocabulary(t)
	for i := range 3 {
		e := about(1, "u_ana", "Contract")
		e.Time -= int64(i) * 7 * 24 * 3600
		e.ID = event.NewID(e.Time, e.Workspace, "api", true, fmt.Append(nil, "contract", i))
		f.put(e)
	}
	words := new(manyWords)
	f.Reader = feed.NewReader(feed.Config{
		Index: f.store, States: f.store, Catalogue: f.state, Directory: names{}, Vocabulary: words, Clock: func() time.Time { return f.store.at },
	})
	require.Equal(t, "contract", f.page(feed.PageRequest{Text: "contrct"}).Query.Showing)
	require.Equal(t, []event.Week{event.WeekOf(now.Unix())}, words.asked)
}

// What no word is proposed for is looked for in no list of words.
func TestShortWordsAndNumbersReadNoWords(t *testing.T) {
	f := withVocabulary(t)
	f.put(about(1, "u_ana", "Contract 4711"))
	words := new(manyWords)
	f.Reader = feed.NewReader(feed.Config{
		Index: f.store, States: f.store, Catalogue: f.state, Directory: names{}, Vocabulary: words, Clock: func() time.Time { return f.store.at },
	})
	for _, text := range []string{"cat", "4711", "2nd", "cat 4711"} {
		page := f.page(feed.PageRequest{Text: text})
		require.Empty(t, page.Query.DidYouMean+page.Query.Showing, text)
	}
	require.Empty(t, words.asked)
}
