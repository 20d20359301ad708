package feed_test

import (
	"context"
	"fmt"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/feed"
	"tidings/query"
)

// suggested are the texts of suggestions, with the number of events where there
// is one.
func suggested(t *testing.T, f *fixture, scope feed.Scope, text string) []string {
	if scope.Workspace == "" {
		scope.Workspace = "w"
	}
	got, err := f.Suggest(t.Context(), feed.SuggestRequest{Scope: scope, Text: text, At: utf8.RuneCountInString(text)})
	require.NoError(t, err)
	texts := []string{}
	for _, item := range got.Items {
		if item.Count > 0 {
			item.Text += fmt.Sprint(" ", item.Count)
		}
		texts = append(texts, item.Kind+" "+item.Text)
	}
	return texts
}

func TestSuggestions(t *testing.T) {
	f := withVocabulary(t)
	for i := range 30 {
		f.put(about(i, "u_ana", "Pricing proposal"))
	}
	other := about(40, "u_ben", "Prison reform")
	other.Recipient = &event.Person{Email: "pri@initech.example", Name: "Priya Rao"}
	f.put(other, send("m-x", now.Add(-time.Hour), jo, li))
	tests := []struct {
		text string
		want []string
	}{
		{"pri", []string{`subject subject:"Pricing proposal" 31`, "word pricing 31", "person to:pri@initech.example 1", `subject subject:"Prison reform" 1`, "word prison 1"}},
		{"opens prici", []string{`subject subject:"Pricing proposal" 31`, "word pricing 31"}},
		{"subject:pri", []string{`subject "Pricing proposal" 31`, "word pricing 31", `subject "Prison reform" 1`, "word prison 1"}},
		{"to:li", []string{"person li@globex.example 1"}},
		{"opens from priy", []string{"person to:pri@initech.example 1"}},
		{"domain:glo", []string{"domain globex.example 1"}},
		{"from:a", []string{`user "Ana Moreira"`, `user "Ben Adeyemi"`}},
		{"from:", []string{"value me", `value "my team"`, `user "Ana Moreira"`, `user "Ben Adeyemi"`}},
		{"opens from be", []string{`user from:"Ben Adeyemi"`}},
		{"opened by be", []string{}},
		{"opened by pri", []string{"person pri@initech.example 1"}},
		{"sent by be", []string{`user from:"Ben Adeyemi"`}},
		{"is:un", []string{"value unopened", "value unreplied"}},
		{"yester", []string{"time yesterday"}},
		{"qwertz", []string{}},
		{"", []string{}},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			require.Equal(t, test.want, suggested(t, f, feed.Scope{}, test.text))
		})
	}
	t.Run("only what the reader may see", func(t *testing.T) {
		scope := feed.Scope{Users: []string{"u_ben"}, Me: "u_ben"}
		require.Equal(t, []string{"person to:pri@initech.example 1", `subject subject:"Prison reform" 1`, "word prison 1"}, suggested(t, f, scope, "pri"))
		require.Empty(t, suggested(t, f, feed.Scope{Workspace: "v"}, "pric"))
	})
	t.Run("each is understood", func(t *testing.T) {
		for _, test := range tests {
			got, err := f.Suggest(t.Context(), feed.SuggestRequest{Scope: feed.Scope{Workspace: "w"}, Text: test.text, At: utf8.RuneCountInString(test.text)})
			require.NoError(t, err)
			for _, item := range got.Items {
				runes := []rune(test.text)
				text := string(runes[:got.Span[0]]) + item.Text + string(runes[got.Span[1]:])
				understood, _, err := f.Understand(t.Context(), feed.PageRequest{Scope: feed.Scope{Workspace: "w", Me: "u_ana"}, Text: text})
				require.NoError(t, err)
				require.NotEmpty(t, understood.Chips, text)
			}
		}
	})
}

func TestSeldomBeginningsAreFoundBehindTheNewestEvents(t *testing.T) {
	f := withVocabulary(t)
	var events []event.Event
	for i := range 250 {
		events = append(events, about(i, "u_ana", "Pricing proposal"))
	}
	f.put(append(events, about(300, "u_ana", "Zebra crossing"), about(20_000, "u_ana", "Zebra stripes"))...)
	f.store.searches = 0
	require.Equal(t, []string{`subject subject:"Pricing proposal" 200`, "word pricing 200"}, suggested(t, f, feed.Scope{}, "pri"))
	require.Equal(t, 1, f.store.searches, "what many have is among the newest")
	require.Equal(t, []string{"word zebra 2", `subject subject:"Zebra crossing" 1`, `subject subject:"Zebra stripes" 1`},
		suggested(t, f, feed.Scope{}, "zeb"))
}

// slow is an index that answers no sooner than its caller gives up.
type slow struct{ *builder }

func (s slow) Search(ctx context.Context, _ feed.Search) ([]feed.Hit, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestSuggestionsDoNotWaitForASlowIndex(t *testing.T) {
	f := withVocabulary(t)
	reader := feed.NewReader(feed.Config{
		Index: slow{f.store}, States: f.store, Catalogue: f.state, Directory: names{}, Clock: func() time.Time { return now },
		WithTimeout: func(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
			require.Equal(t, 30*time.Millisecond, d)
			return context.WithTimeout(ctx, 0)
		},
	})
	got, err := reader.Suggest(t.Context(), feed.SuggestRequest{Scope: feed.Scope{Workspace: "w"}, Text: "an", At: 2})
	require.NoError(t, err)
	require.Contains(t, got.Items, query.Suggestion{Kind: "user", Text: `from:"Ana Moreira"`, Label: "Ana Moreira"})
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = reader.Suggest(cancelled, feed.SuggestRequest{Scope: feed.Scope{Workspace: "w"}, Text: "an", At: 2})
	require.ErrorIs(t, err, context.Canceled)
}
