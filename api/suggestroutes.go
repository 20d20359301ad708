package api

import (
	"context"
	"net/http"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"tidings/event"
	"tidings/feed"
)

// suggestInput are the parameters of GET /v1/suggest.
type suggestInput struct {
	Q  string `query:"q" doc:"what is typed into the search box so far" maxLength:"2000"`
	At int    `query:"at" minimum:"-1" maximum:"2000" default:"-1" doc:"where the caret is, in Unicode code points; at the end of the text when absent"`
}

type suggestOutput struct{ Body feed.Suggestions }

func (s *Server) suggestRoutes(docs huma.API) {
	handle(s, docs, route{
		id: "get-suggestions", method: http.MethodGet, path: "/v1/suggest", group: "Feed", may: readers(),
		summary: "Ways to go on with a search at the caret",
		description: "Operators, times and people of the directory, and people, domains, subjects and words of the newest " +
			"events that the reader may see, each with how many of those have it. It is quick rather than complete.",
	}, s.getSuggestions)
}

func (s *Server) getSuggestions(ctx context.Context, caller Caller, in *suggestInput) (*suggestOutput, error) {
	length := utf8.RuneCountInString(in.Q)
	switch {
	case !utf8.ValidString(in.Q):
		return nil, located("query", event.Invalid("q", "is not valid UTF-8"))
	case in.At > length:
		return nil, located("query", event.Invalid("at", "is behind the end of q"))
	case in.At < 0:
		in.At = length
	}
	suggestions, err := s.Suggester.Suggest(ctx, feed.SuggestRequest{Scope: caller.scope(), Text: in.Q, At: in.At})
	if err != nil {
		return nil, err
	}
	return &suggestOutput{suggestions}, nil
}
