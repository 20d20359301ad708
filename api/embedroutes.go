package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tidings/account"
	"tidings/event"
)

// EmbedRequest is what a token for embedding should be good for.
type EmbedRequest struct {
	User    string   `json:"user,omitempty" maxLength:"200" doc:"whose events the page shows, with those of their teams; all that the key may see when absent"`
	Origins []string `json:"origins" minItems:"1" maxItems:"20" doc:"pages that may show the feed, such as https://app.example.com"`
	Seconds int      `json:"seconds,omitempty" minimum:"10" maximum:"3600" doc:"how long it is good for; 900 when absent"`
}

// EmbedToken is a token for a page of another site.
type EmbedToken struct {
	Token string    `json:"token" doc:"a JSON web token, signed with the SHA-256 of the key in hex"`
	Ends  time.Time `json:"ends"`
	Path  string    `json:"path" doc:"what to put into an iframe, behind this server's address"`
}

type embedInput struct{ content }

type embedOutput struct{ Body EmbedToken }

func (s *Server) embedRoutes(docs huma.API) {
	handle(s, docs, route{
		id: "create-embed-token", method: http.MethodPost, path: "/v1/embed-tokens", group: "Session", may: readers(), scope: account.ScopeFeed,
		success: http.StatusCreated, request: EmbedRequest{},
		summary: "Make a token with which a page of another site shows the feed",
		description: "For your backend, with a read or admin key; it may sign such tokens by itself too. A token only reads, for an hour at " +
			"most, and ends with its key.",
	}, s.createEmbedToken)
}

func (s *Server) createEmbedToken(ctx context.Context, caller Caller, in *embedInput) (*embedOutput, error) {
	// A token is signed by a key. A session's page needs none, and one token
	// makes no other.
	if caller.Session != "" || caller.Origins != nil || caller.Credential == "" {
		return nil, problem(http.StatusForbidden, "this takes a key with the role read or admin: Authorization: Bearer …")
	}
	request, err := decodeDocument[EmbedRequest](&s.bodies, &in.content)
	if err != nil {
		return nil, err
	}
	if err := request.check(); err != nil {
		return nil, inBody(err)
	}
	life := account.EmbedLife
	if request.Seconds != 0 {
		life = time.Duration(request.Seconds) * time.Second
	}
	ends := s.Clock().Add(life).UTC().Truncate(time.Second)
	token, err := s.keys.SignEmbedToken(ctx, caller.Credential, request.User, request.Origins, ends)
	switch {
	case errors.Is(err, event.ErrForbidden):
		return nil, invalidBody("user", "is somebody else: this key shows its own user's events")
	case err != nil:
		return nil, err
	}
	return &embedOutput{EmbedToken{token, ends, framePath(token, request.Origins)}}, nil
}

func (r EmbedRequest) check() *event.FieldError {
	if err := account.CheckOrigins(r.Origins); err != nil {
		return err
	}
	if r.User != "" {
		if err := account.CheckName("user", r.User); err != nil {
			return err
		}
	}
	if r.Seconds != 0 && (r.Seconds < 10 || r.Seconds > int(account.MaxEmbedLife.Seconds())) {
		return event.Invalid("seconds", "is between 10 and 3600")
	}
	return nil
}
