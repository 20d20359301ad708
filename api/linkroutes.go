package api

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"tidings/account"
	"tidings/address"
	"tidings/event"
	"tidings/tracking"
)

// Bounds of one request for addresses.
const (
	maxLinkRecipients = 100
	maxLinks          = 100
	maxPublicURL      = 500
)

// LinksRequest asks for the tracking addresses of a message.
type LinksRequest struct {
	Message    string   `json:"message" minLength:"1" maxLength:"2000" doc:"your id of the mail, as on its send"`
	User       string   `json:"user,omitempty" maxLength:"200" doc:"whose mail it is"`
	Recipients []string `json:"recipients" minItems:"1" maxItems:"100" doc:"mail addresses; each gets addresses of its own"`
	Links      []string `json:"links,omitempty" maxItems:"100" doc:"where the mail's links lead: http or https"`
	PublicURL  string   `json:"public_url,omitempty" maxLength:"500" doc:"how mail reaches this server; as it is set, or as you did, when absent"`
}

// RecipientLinks are one recipient's addresses.
type RecipientLinks struct {
	Recipient string `json:"recipient"`
	Tracked   bool   `json:"tracked" doc:"false: this recipient is not measured, so there is no picture and the links are as they were"`
	// Open is absent for who is not tracked.
	Open        string            `json:"open,omitempty" doc:"a picture of one pixel to put into the mail"`
	Links       []TrackedLink     `json:"links" nullable:"false"`
	Unsubscribe string            `json:"unsubscribe" doc:"a page to unsubscribe on"`
	Headers     map[string]string `json:"headers" doc:"headers of the mail for unsubscribing by one click (RFC 8058)"`
}

// TrackedLink is a link and the address to write in its place.
type TrackedLink struct {
	Link string `json:"link"`
	URL  string `json:"url"`
}

// TrackingState says whether a person is measured.
type TrackingState struct {
	Tracked bool `json:"tracked" doc:"false: no open and no click of this person is kept"`
}

type linksInput struct{ content }

type linksOutput struct {
	Body struct {
		Items []RecipientLinks `json:"items"`
	} `nameHint:"RecipientLinksList"`
}

type linkKeysOutput struct {
	Body struct {
		Items []LinkKey `json:"items"`
	} `nameHint:"LinkKeyList"`
}

type trackingInput struct {
	content
	Email pathText `path:"email" doc:"the address, percent-encoded"`
}

// address is the canonical address of a path.
func (in *trackingInput) address() (string, error) { return pathAddress(in.Email) }

type trackingOutput struct{ Body TrackingState }

func (s *Server) linkRoutes(docs huma.API) {
	senders := []Role{account.RoleIngest, account.RoleAdmin}
	handle(s, docs, route{
		id: "make-links", audit: auditIntake, method: http.MethodPost, path: "/v1/links", group: "Tracking", may: senders, request: LinksRequest{},
		summary: "Make the tracking addresses of a message",
		description: "What an address stands for is inside of it, signed and hidden: nothing is kept, and the same question has the " +
			"same answer until the key changes.",
	}, s.makeLinks)
	handle(s, docs, route{
		id: "list-link-keys", audit: auditNothing, method: http.MethodGet, path: "/v1/link-keys", group: "Tracking", may: admins(),
		summary: "The keys that tracking addresses were made with",
	}, s.listLinkKeys)
	handle(s, docs, route{
		id: "make-link-key", stepUp: true, method: http.MethodPost, path: "/v1/link-keys", group: "Tracking", may: admins(),
		summary:     "Make tracking addresses with a new key from now on",
		description: "Addresses that older keys made stay good until their key is dropped.",
	}, s.makeLinkKey)
	handle(s, docs, route{
		id: "drop-link-key", stepUp: true, method: http.MethodDelete, path: "/v1/link-keys/{id}", group: "Tracking", may: admins(),
		success: http.StatusNoContent, failures: []int{http.StatusConflict},
		summary: "Drop a key: the addresses that it made lead account.NoWorkspace, within a minute",
	}, s.dropLinkKey)
	handle(s, docs, route{
		id: "get-tracking", audit: auditReads, method: http.MethodGet, path: "/v1/people/{email}/tracking", group: "Tracking", may: senders,
		summary: "Whether a person is measured",
	}, s.getTracking)
	handle(s, docs, route{
		id: "put-tracking", method: http.MethodPut, path: "/v1/people/{email}/tracking", group: "Tracking", may: senders,
		request:     TrackingState{},
		summary:     "Measure a person, or not",
		description: "Of one who is not measured, the addresses of mail that was sent already work too, and keep nothing.",
	}, s.putTracking)
}

func (s *Server) makeLinks(ctx context.Context, caller Caller, in *linksInput) (*linksOutput, error) {
	request, err := decodeDocument[LinksRequest](&s.bodies, &in.content)
	if err != nil {
		return nil, err
	}
	switch {
	case len(request.Recipients) == 0 || len(request.Recipients) > maxLinkRecipients:
		return nil, invalidBody("recipients", fmt.Sprintf("must be 1 to %d addresses", maxLinkRecipients))
	case len(request.Links) > maxLinks:
		return nil, invalidBody("links", fmt.Sprintf("may be %d at most", maxLinks))
	}
	base, err := s.publicURL(request.PublicURL, humagin.Unwrap(in.request).Request)
	if err != nil {
		return nil, err
	}
	key, err := s.linkKeys.maker(ctx, caller.Workspace)
	if err != nil {
		return nil, err
	}
	out := new(linksOutput)
	for i, email := range request.Recipients {
		email, wrong := address.Canonical(email)
		if wrong != "" {
			return nil, invalidBody(fmt.Sprintf("recipients[%d]", i), wrong)
		}
		tracked, err := isTracked(ctx, s.Records, caller.Workspace, email)
		if err != nil {
			return nil, err
		}
		links, err := linksOf(request, email, tracked, base, key)
		if err != nil {
			return nil, inBody(err)
		}
		out.Body.Items = append(out.Body.Items, links)
	}
	return out, nil
}

// linksOf seals one recipient's addresses.
func linksOf(request LinksRequest, email string, tracked bool, base string, key *tracking.Key) (RecipientLinks, error) {
	token := tracking.Token{Message: request.Message, User: request.User, Recipient: email}
	address := func(kind tracking.Kind, link, ending string) (string, error) {
		token.Kind, token.Link = kind, link
		sealed, err := key.Seal(token)
		return fmt.Sprintf("%s/t/%c/%s%s", base, kind, sealed, ending), err
	}
	links := RecipientLinks{Recipient: email, Tracked: tracked, Links: make([]TrackedLink, len(request.Links))}
	var err error
	if links.Unsubscribe, err = address(tracking.Unsubscribe, "", ""); err != nil {
		return links, err
	}
	links.Headers = map[string]string{
		"List-Unsubscribe":      "<" + links.Unsubscribe + ">",
		"List-Unsubscribe-Post": oneClick,
	}
	if tracked {
		if links.Open, err = address(tracking.Open, "", ".gif"); err != nil {
			return links, err
		}
	}
	for i, link := range request.Links {
		through, err := address(tracking.Click, link, "")
		if err != nil {
			return links, event.Invalid(fmt.Sprintf("links[%d]", i), "must begin with http:// or https://, and have a host and at most 4096 bytes")
		}
		if !tracked {
			through = link
		}
		links.Links[i] = TrackedLink{link, through}
	}
	return links, nil
}

// publicURL is how others reach this server: as it was asked for, as it is set,
// or as the caller did.
func (s *Server) publicURL(asked string, r *http.Request) (string, error) {
	if asked != "" {
		parsed, err := url.Parse(asked)
		if err != nil || parsed.Host == "" || (parsed.Scheme != "http" && parsed.Scheme != "https") || len(asked) > maxPublicURL {
			return "", invalidBody("public_url", "is not an address such as https://t.example.com")
		}
		return strings.TrimSuffix(asked, "/"), nil
	}
	if s.PublicURL != "" {
		return strings.TrimSuffix(s.PublicURL, "/"), nil
	}
	scheme := "http"
	if s.isHTTPS(r) {
		scheme = "https"
	}
	return scheme + "://" + r.Host, nil
}

func (s *Server) listLinkKeys(ctx context.Context, caller Caller, _ *empty) (*linkKeysOutput, error) {
	keys, err := s.linkKeys.list(ctx, caller.Workspace)
	if err != nil {
		return nil, err
	}
	out := new(linkKeysOutput)
	out.Body.Items = keys
	return out, nil
}

func (s *Server) makeLinkKey(ctx context.Context, caller Caller, _ *empty) (*linkKeysOutput, error) {
	if _, err := s.linkKeys.make(ctx, caller.Workspace); err != nil {
		return nil, err
	}
	return s.listLinkKeys(ctx, caller, nil)
}

func (s *Server) dropLinkKey(ctx context.Context, caller Caller, in *nameInput) (*empty, error) {
	id, err := in.ID.decode("id")
	if err != nil {
		return nil, err
	}
	return nil, s.linkKeys.drop(ctx, caller.Workspace, id)
}

func (s *Server) getTracking(ctx context.Context, caller Caller, in *personInput) (*trackingOutput, error) {
	email, err := in.address()
	if err != nil {
		return nil, err
	}
	tracked, err := isTracked(ctx, s.Records, caller.Workspace, email)
	if err != nil {
		return nil, err
	}
	return &trackingOutput{TrackingState{tracked}}, nil
}

func (s *Server) putTracking(ctx context.Context, caller Caller, in *trackingInput) (*trackingOutput, error) {
	email, err := in.address()
	if err != nil {
		return nil, err
	}
	state, err := decodeDocument[TrackingState](&s.bodies, &in.content)
	if err != nil {
		return nil, err
	}
	if err := setTracked(ctx, s.Records, caller.Workspace, email, state.Tracked); err != nil {
		return nil, err
	}
	return &trackingOutput{state}, nil
}
