package api

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"time"

	"tidings/deliver"
	"tidings/deliver/crm"
	"tidings/event"
	"tidings/feed"
	"tidings/limit"
	"tidings/secret"
)

// Bounds of endpoints.
const (
	maxEndpointURL    = 2000
	maxEndpointSearch = 2000
	deliveriesPage    = 100
	maxReplayIDs      = 1000
)

// testRate is how often a workspace may send a test.
var testRate = limit.Rate{PerSecond: 0.1, Burst: 6}

// Endpoints is what the routes of endpoints stand on; nil where nothing leaves the house.
type Endpoints struct {
	Directory *deliver.Directory
	Outbox    deliver.Outbox
	Sender    *deliver.Sender
	Source    deliver.Source
	// Wake is called when something is due.
	Wake func()
}

// EndpointRequest is an endpoint as an admin writes it.
type EndpointRequest struct {
	Kind         deliver.Kind     `json:"kind" enum:"webhook,slack,teams,mail,hubspot,salesforce" doc:"what it is; it stays"`
	URL          string           `json:"url,omitempty" maxLength:"2000" doc:"where to send; of slack and teams it is a secret; of salesforce the address of the company's domain there; hubspot needs none. Absent keeps what there is"`
	To           string           `json:"to,omitempty" maxLength:"320" doc:"mail: the recipient's address"`
	Search       string           `json:"search,omitempty" maxLength:"2000" doc:"which events are sent, as in the feed's search, such as opens from acme; none without"`
	Enabled      *bool            `json:"enabled,omitempty" doc:"true when absent; what waits while it is off is cancelled"`
	Secret       string           `json:"secret,omitempty" maxLength:"100" doc:"webhook: whsec_ and 24 to 64 bytes in base64; made when absent"`
	NewSecret    bool             `json:"new_secret,omitempty" doc:"webhook: make another secret; the one before signs too for 24 hours"`
	Steps        []crm.EnsureStep `json:"steps,omitempty" maxItems:"8" doc:"hubspot, salesforce: what is made sure of, in this order; absent keeps what there is"`
	Token        string           `json:"token,omitempty" maxLength:"1000" doc:"hubspot: the token of a private app; absent keeps what there is"`
	ClientID     string           `json:"client_id,omitempty" maxLength:"1000" doc:"salesforce: the key of an app with the client credentials flow; absent keeps what there is"`
	ClientSecret string           `json:"client_secret,omitempty" maxLength:"1000" doc:"salesforce: its secret; absent keeps what there is"`
}

// EndpointView is an endpoint as it may be shown: never its secrets.
type EndpointView struct {
	Name    string           `json:"name"`
	Kind    deliver.Kind     `json:"kind" enum:"webhook,slack,teams,mail,hubspot,salesforce"`
	URL     string           `json:"url,omitempty" doc:"of slack and teams the host alone"`
	To      string           `json:"to,omitempty"`
	Search  string           `json:"search,omitempty"`
	Steps   []crm.EnsureStep `json:"steps,omitempty" doc:"hubspot, salesforce: what is made sure of"`
	Enabled bool             `json:"enabled"`
	Health  EndpointHealth   `json:"health"`
	Waiting int              `json:"waiting" doc:"how many deliveries wait"`
	Secrets int              `json:"secrets" doc:"how many sign; they are not shown"`
	Locked  bool             `json:"locked,omitempty" doc:"the key that sealed its secrets is not here: enter them again"`
	Created time.Time        `json:"created"`
	Changed time.Time        `json:"changed"`
}

// EndpointHealth is how an endpoint has answered lately.
type EndpointHealth struct {
	Mode     deliver.Mode `json:"mode" enum:"ok,failing,paused,disabled"`
	Since    *time.Time   `json:"since,omitempty"`
	Until    *time.Time   `json:"until,omitempty" doc:"paused: when the next try is made"`
	Success  *time.Time   `json:"success,omitempty" doc:"when something was taken last, to the minute"`
	Failures int          `json:"failures,omitempty" doc:"in a row"`
	Why      string       `json:"why,omitempty"`
}

// NewEndpoint is an endpoint, with its secret when it is new.
type NewEndpoint struct {
	EndpointView
	Secret string `json:"secret,omitempty" doc:"told this once, when it is made; it verifies webhooks (standardwebhooks.com)"`
}

// DeliveryView is a delivery with its tries.
type DeliveryView struct {
	ID      string        `json:"id"`
	State   deliver.State `json:"state" enum:"waiting,sent,failed,cancelled"`
	Type    string        `json:"type"`
	Event   string        `json:"event,omitempty"`
	Message string        `json:"message,omitempty"`
	Reason  string        `json:"reason"`
	At      time.Time     `json:"at"`
	Due     *time.Time    `json:"due,omitempty" doc:"waiting: when it is tried next"`
	Ended   *time.Time    `json:"ended,omitempty"`
	Replay  bool          `json:"replay,omitempty"`
	Why     string        `json:"why,omitempty"`
	Steps   []string      `json:"steps,omitempty" doc:"hubspot, salesforce: the steps that were done"`
	Tries   []TryView     `json:"tries"`
}

// TryView is one try.
type TryView struct {
	At           time.Time `json:"at"`
	Milliseconds int64     `json:"milliseconds"`
	Status       int       `json:"status,omitempty"`
	Error        string    `json:"error,omitempty"`
	Answer       string    `json:"answer,omitempty" doc:"at most 1 KiB; never of a private host"`
}

// ReplayRequest chooses deliveries to send again.
type ReplayRequest struct {
	IDs   []string   `json:"ids,omitempty" maxItems:"1000" doc:"these; all that failed when absent"`
	Since *time.Time `json:"since,omitempty" doc:"decided then or later"`
	Until *time.Time `json:"until,omitempty" doc:"decided before"`
}

func momentOf(millis int64) *time.Time {
	if millis == 0 {
		return nil
	}
	return new(time.UnixMilli(millis).UTC())
}

func viewOfHealth(h deliver.Health) EndpointHealth {
	return EndpointHealth{
		Mode: h.Mode, Since: momentOf(h.Since), Until: momentOf(h.Until), Success: momentOf(h.Success), Failures: h.Failures, Why: h.Why,
	}
}

func viewOfDelivery(d deliver.Delivery) DeliveryView {
	view := DeliveryView{
		ID: d.ID, State: d.State, Type: d.Type, Message: d.Message, Reason: d.Reason, At: *momentOf(d.At),
		Ended: momentOf(d.Ended), Replay: d.Replay, Why: d.Why, Steps: d.Steps(), Tries: make([]TryView, len(d.Tries)),
	}
	if !d.Event.IsZero() {
		view.Event = d.Event.String()
	}
	if d.State == deliver.Waiting {
		view.Due = momentOf(d.Due)
	}
	for i, try := range d.Tries {
		view.Tries[i] = TryView{At: *momentOf(try.At), Milliseconds: try.Took, Status: try.Status, Error: try.Error, Answer: try.Answer}
	}
	return view
}

// putEndpointRecord makes or replaces an endpoint. told is its secret, empty where it keeps the one
// that it has.
func (s *Server) putEndpointRecord(ctx context.Context, key deliver.EndpointKey, request EndpointRequest) (kept deliver.Kept, told string, err error) {
	directory, now := s.Endpoints.Directory, s.Clock().UTC()
	kept, secrets, err := directory.Get(ctx, key)
	switch {
	case errors.Is(err, event.ErrNotFound):
		all, err := directory.List(ctx, key.Workspace)
		if err != nil {
			return kept, "", err
		}
		if len(all) >= deliver.MaxEndpoints {
			return kept, "", fmt.Errorf("a workspace has at most %d endpoints: %w", deliver.MaxEndpoints, event.ErrConflict)
		}
		kept = deliver.Kept{Name: key.Endpoint, Kind: request.Kind, Created: now, Since: now}
	case errors.Is(err, secret.ErrLocked):
		secrets = deliver.Secrets{} // What cannot be opened is entered again.
	case err != nil:
		return kept, "", err
	}
	if !slices.Contains(deliver.Kinds, request.Kind) {
		return kept, "", event.Invalid("kind", "is not one of webhook, slack, teams, mail, hubspot, salesforce")
	}
	if kept.Kind != request.Kind {
		return kept, "", event.Invalid("kind", "is "+string(kept.Kind)+" and stays: delete the endpoint, or make another one")
	}
	if err := s.applyEndpoint(ctx, key, &kept, &secrets, request); err != nil {
		return kept, "", err
	}
	if kept.Kind == deliver.Webhook && (request.NewSecret || request.Secret != "" || len(secrets.Signing) == 0) {
		if told, err = rotate(&secrets, request.Secret, now); err != nil {
			return kept, "", err
		}
	}
	kept.Changed = now
	return kept, told, directory.Put(ctx, key.Workspace, kept, secrets)
}

// rotate puts a secret in front of those that there are; the newest of them signs for
// another while.
func rotate(secrets *deliver.Secrets, text string, now time.Time) (string, error) {
	if text == "" {
		raw := make([]byte, 32)
		_, _ = rand.Read(raw) // It never fails.
		text = "whsec_" + base64.StdEncoding.EncodeToString(raw)
	}
	if err := deliver.CheckSecret(text); err != nil {
		return "", err
	}
	signing := []deliver.SigningSecret{{Text: text}}
	if len(secrets.Signing) > 0 && secrets.Signing[0].Text != text {
		before := secrets.Signing[0]
		before.Until = now.Add(deliver.RotationTime)
		signing = append(signing, before)
	}
	secrets.Signing = signing
	return text, nil
}

// applyEndpoint makes the record what the request says.
func (s *Server) applyEndpoint(ctx context.Context, key deliver.EndpointKey, kept *deliver.Kept, secrets *deliver.Secrets, request EndpointRequest) error {
	if kept.Kind == deliver.Mail {
		if !s.Endpoints.Directory.CanMail() {
			return event.Invalid("kind", "cannot be mail: this server has no mail server (--smtp)")
		}
		if to, err := mail.ParseAddress(request.To); err != nil || to.Name != "" {
			return event.Invalid("to", "is not an address")
		}
		kept.To = request.To
	} else if err := s.applyURL(kept, secrets, request.URL); err != nil {
		return err
	}
	if kept.Kind.CRM() {
		if err := applyCRM(kept, secrets, request); err != nil {
			return err
		}
	}
	search := strings.TrimSpace(request.Search)
	if len(search) > maxEndpointSearch {
		return event.Invalid("search", "has more than 2,000 bytes")
	}
	if search != "" {
		page := feed.PageRequest{Scope: feed.Scope{Workspace: key.Workspace}, Text: search}
		_, q, err := s.Understander.Understand(ctx, page)
		if err != nil {
			return fmt.Errorf("understand the search of an endpoint: %w", err)
		}
		if q.History != nil || q.AsksRecipients() {
			return event.Invalid("search", "asks how often something was done, or whether: one event does not tell that. Ask for events, such as opens from acme")
		}
	}
	enabled := request.Enabled == nil || *request.Enabled
	if search != kept.Search || enabled && !kept.Enabled {
		kept.Since = s.Clock().UTC() // Nothing of the past is sent.
	}
	kept.Search, kept.Enabled = search, enabled
	return nil
}

// applyCRM keeps the steps of a CRM and what signs in there.
func applyCRM(kept *deliver.Kept, secrets *deliver.Secrets, request EndpointRequest) error {
	if request.Steps != nil {
		kept.Steps = request.Steps
	}
	if err := crm.CheckSteps(crm.Vendor(kept.Kind), kept.Steps); err != nil {
		return event.Invalid("steps", err.Error())
	}
	secrets.Token = cmp.Or(request.Token, secrets.Token)
	secrets.ClientID, secrets.ClientSecret = cmp.Or(request.ClientID, secrets.ClientID), cmp.Or(request.ClientSecret, secrets.ClientSecret)
	switch {
	case kept.Kind == deliver.HubSpot && secrets.Token == "":
		return event.Invalid("token", "is required: that of a private app")
	case kept.Kind == deliver.Salesforce && (secrets.ClientID == "" || secrets.ClientSecret == ""):
		return event.Invalid("client_secret", "is required with client_id: those of an app with the client credentials flow")
	case strings.ContainsAny(secrets.Token, " \t\r\n"):
		return event.Invalid("token", "has spaces in it")
	}
	return nil
}

// applyURL keeps an address; that of a chat is all that it takes to write there.
func (s *Server) applyURL(kept *deliver.Kept, secrets *deliver.Secrets, address string) error {
	if address == "" && kept.Kind == deliver.HubSpot {
		address = cmp.Or(kept.URL, crm.HubSpotURL)
	}
	if address == "" && (kept.URL != "" || secrets.URL != "") {
		return nil
	}
	if len(address) > maxEndpointURL {
		return event.Invalid("url", "has more than 2,000 bytes")
	}
	if err := s.Outbound.Check(address); err != nil {
		return event.Invalid("url", "cannot be used: "+err.Error())
	}
	parsed, err := url.Parse(address)
	if err != nil {
		return event.Invalid("url", "cannot be read")
	}
	kept.Host = parsed.Host
	if kept.Kind.CRM() {
		if strings.Trim(parsed.Path, "/") != "" || parsed.RawQuery != "" {
			return event.Invalid("url", "has more in it than a host, as in https://acme.my.salesforce.com")
		}
		// Secrets go where they were meant to go: with another address they are entered again.
		if address = strings.TrimRight(address, "/"); kept.URL != "" && kept.URL != address {
			*secrets = deliver.Secrets{}
		}
		kept.URL = address
		return nil
	}
	if kept.Kind == deliver.Webhook {
		kept.URL, secrets.URL = address, ""
	} else {
		kept.URL, secrets.URL = "", address
	}
	return nil
}

// endpointView shows one; waiting are the workspace's counts.
func (s *Server) endpointView(ctx context.Context, key deliver.EndpointKey, kept deliver.Kept, waiting map[string]int) (EndpointView, error) {
	view := EndpointView{
		Name: kept.Name, Kind: kept.Kind, URL: kept.URL, To: kept.To, Search: kept.Search, Steps: kept.Steps, Enabled: kept.Enabled, Waiting: waiting[kept.Name],
		Created: kept.Created, Changed: kept.Changed,
	}
	if view.URL == "" {
		view.URL = kept.Host
	}
	health, err := s.Endpoints.Directory.Health(ctx, key, nil)
	if err != nil {
		return view, err
	}
	view.Health = viewOfHealth(health)
	_, secrets, err := s.Endpoints.Directory.Get(ctx, key)
	if errors.Is(err, secret.ErrLocked) {
		view.Locked = true
		return view, nil
	}
	for _, signing := range secrets.Signing {
		if signing.Until.IsZero() || s.Clock().Before(signing.Until) {
			view.Secrets++
		}
	}
	return view, err
}
