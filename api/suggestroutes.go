package api

import (
	"context"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"tidings/event"
	"tidings/feed"
	"tidings/query"
)

// suggestInput are the parameters of GET /v1/suggest.
type suggestInput struct {
	Q  string `query:"q" doc:"what is typed into the search box so far" maxLength:"2000"`
	At int    `query:"at" minimum:"-1" maximum:"2000" default:"-1" doc:"where the caret is, in Unicode code points; at the end of the text when absent"`
}

type suggestOutput struct{ Body feed.Suggestions }

func (s *Server) suggestRoutes(docs huma.API) {
	handle(s, docs, route{
		id: "get-suggestions", audit: auditCounts, embedded: true, uses: useSuggestions, inTurn: true, method: http.MethodGet, path: "/v1/suggest", group: "Feed", may: readers(),
		summary: "Ways to go on with a search at the caret",
		description: "Saved searches, operators, times and people of the directory, and people, domains, subjects and words of the newest " +
			"events that the reader may see, each with how many of those have it. It is quick rather than complete.",
	}, s.getSuggestions)
}

func (s *Server) getSuggestions(ctx context.Context, caller Caller, in *suggestInput) (*suggestOutput, error) {
	length := utf8.RuneCountInString(in.Q)
	switch {
	case !utf8.ValidString(in.Q):
		return nil, located("query", event.Invalid("q", "is not valid UTF-8"))
	case in.At > length:
		return nil, located("query", event.Invalid("at", "is past the end of q"))
	case in.At < 0:
		in.At = length
	}
	suggestions, err := s.Suggester.Suggest(ctx, feed.SuggestRequest{Scope: caller.Scope(), Text: in.Q, At: in.At})
	if err != nil {
		return nil, err
	}
	saved, err := s.savedBeginning(ctx, caller, in.Q, suggestions.Span)
	if err != nil {
		return nil, err
	}
	suggestions.Items = append(saved, suggestions.Items...)
	return &suggestOutput{suggestions}, nil
}

// savedShown is how many saved searches are suggested at most.
const savedShown = 3

// savedBeginning are the caller's saved searches whose name begins with a text,
// when the text is nothing else: a saved search takes its place.
func (s *Server) savedBeginning(ctx context.Context, caller Caller, text string, span [2]int) ([]query.Suggestion, error) {
	if text == "" || span != [2]int{0, utf8.RuneCountInString(text)} {
		return nil, nil
	}
	all, err := s.searches.List(ctx, caller)
	if err != nil {
		return nil, err
	}
	var begin []query.Suggestion
	for _, saved := range all {
		if len(begin) < savedShown && strings.HasPrefix(strings.ToLower(saved.Name), strings.ToLower(text)) {
			begin = append(begin, query.Suggestion{Kind: "search", Text: saved.Q, Label: saved.Name})
		}
	}
	return begin, nil
}
