package signin

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"tidings/account"
	"tidings/event"
	"tidings/secret"
)

const (
	kindFlow = "sign-in-flow"
	// FlowLife is how long somebody may take at the provider.
	FlowLife = 10 * time.Minute
	// KindUsed notes what is good once: the state of a flow, the id of a logout token.
	KindUsed = "sign-in-used"
)

// Reasons of a Refusal that are found here.
const (
	// Expired: the browser did not begin this, or too long ago, or it was done already.
	Expired = "expired"
	// Declined: the provider says that it did not sign them in.
	Declined = "declined"
	// Broken: the provider cannot be reached, or what it says does not hold.
	Broken = "provider"
	// NotAnew: they were to show the provider anew who they are, and it does not say so.
	NotAnew = "not-anew"
)

// Refusal is why somebody is not signed in by a provider.
type Refusal struct {
	Reason string
	Err    error
}

func (r *Refusal) Error() string { return "sign-in refused (" + r.Reason + "): " + r.Err.Error() }
func (r *Refusal) Unwrap() error { return r.Err }

func refuse(reason string, err error) error { return &Refusal{reason, err} }

// Ask is what a browser asks for.
type Ask struct {
	// To is where it goes on afterwards, a path of our own.
	To string
	// Hint is the address that somebody has typed, and Invitation one that they accept.
	Hint, Invitation string
	// Again asks the provider to have them show anew who they are.
	Again bool
}

// Flow is what a browser keeps, sealed, while somebody is at the provider.
type Flow struct {
	State      string    `json:"s"`
	Nonce      string    `json:"n"`
	Verifier   string    `json:"v"`
	Issuer     string    `json:"i"`
	To         string    `json:"to,omitempty"`
	Invitation string    `json:"inv,omitempty"`
	Again      bool      `json:"again,omitempty"`
	Ends       time.Time `json:"ends"`
}

// Back is what a browser brings back.
type Back struct {
	State, Code, Issuer, Error string
	// Sealed is what it kept.
	Sealed string
}

// Answer is what a provider says of somebody.
type Answer struct {
	account.Vouched
	// Sid is the provider's own session, "" where it has none, and At when they have
	// shown it who they are, zero where it does not say.
	Sid string
	At  time.Time
	// Refresh is with what the provider is asked again, "" where it cannot be.
	Refresh string
}

// SignIns signs people in at providers.
type SignIns struct {
	*Providers
	remotes *remotes
	box     *secret.Box
	clock   func() time.Time
	rand    io.Reader
	// graph is where Microsoft tells groups that do not fit into a token.
	graph string
}

// Config is what SignIns stands on.
type Config struct {
	Records Records
	// Box seals the secrets of providers and what browsers keep; without it nobody can
	// sign in by a provider.
	Box *secret.Box
	// Client makes the calls to providers.
	Client *http.Client
	Clock  func() time.Time
	Rand   io.Reader
	// Graph replaces Microsoft Graph's address in tests.
	Graph string
}

// New makes SignIns.
func New(c Config) *SignIns {
	if c.Graph == "" {
		c.Graph = microsoftGraph
	}
	return &SignIns{NewProviders(c.Records, c.Box, c.Clock), newRemotes(c.Client, c.Clock), c.Box, c.Clock, c.Rand, c.Graph}
}

// Start begins a sign-in: the provider's address that the browser goes to, and what it
// keeps meanwhile. redirect is where it comes back to.
func (s *SignIns) Start(ctx context.Context, site Site, redirect string, ask Ask) (address, sealed string, err error) {
	remote, err := s.remotes.at(ctx, site.Issuer)
	if err != nil {
		return "", "", refuse(Broken, err)
	}
	flow := Flow{Issuer: site.Issuer, To: ask.To, Invitation: ask.Invitation, Again: ask.Again, Ends: s.clock().Add(FlowLife)}
	for _, text := range []*string{&flow.State, &flow.Nonce, &flow.Verifier} {
		if *text, err = account.RandomText(s.rand, account.SecretLength); err != nil {
			return "", "", err
		}
	}
	doc, err := json.Marshal(flow)
	if err == nil {
		sealed, err = s.box.Seal(ctx, site.Workspace, kindFlow, site.Name, doc)
	}
	if err != nil {
		return "", "", fmt.Errorf("seal a sign-in: %w", err)
	}
	options := append(asking(site.Issuer, ask), oidc.Nonce(flow.Nonce), oauth2.S256ChallengeOption(flow.Verifier))
	return remote.config(site.Provider, "", redirect).AuthCodeURL(flow.State, options...), sealed, nil
}

// asking says in the provider's words what is asked of it. Google gives what it is asked
// again with for access_type=offline, and after the first time only where somebody consents;
// it has no way to have somebody show anew who they are (docs/setup.md).
func asking(issuer string, ask Ask) []oauth2.AuthCodeOption {
	var options []oauth2.AuthCodeOption
	if ask.Hint != "" {
		options = append(options, oauth2.SetAuthURLParam("login_hint", ask.Hint))
	}
	switch {
	case isGoogle(issuer) && ask.Again:
		return append(options, oauth2.AccessTypeOffline, oauth2.SetAuthURLParam("prompt", "select_account consent"))
	case isGoogle(issuer):
		return append(options, oauth2.AccessTypeOffline, oauth2.SetAuthURLParam("prompt", "consent"))
	case ask.Again:
		return append(options, oauth2.SetAuthURLParam("prompt", "login"), oauth2.SetAuthURLParam("max_age", "0"))
	}
	return options
}

func isGoogle(issuer string) bool { return issuer == "https://accounts.google.com" }

// Finish ends a sign-in: what the provider says of who has come back from it. A
// *Refusal says why it is none.
func (s *SignIns) Finish(ctx context.Context, site Site, redirect string, back Back) (Answer, Flow, error) {
	flow, err := s.flow(ctx, site, back)
	if err != nil {
		return Answer{}, flow, err
	}
	if back.Error != "" || back.Code == "" {
		return Answer{}, flow, refuse(Declined, errors.New("the provider answered with an error"))
	}
	remote, err := s.remotes.at(ctx, site.Issuer)
	if err != nil {
		return Answer{}, flow, refuse(Broken, err)
	}
	if back.Issuer != "" && back.Issuer != site.Issuer || back.Issuer == "" && remote.Iss {
		return Answer{}, flow, refuse(Broken, errors.New("the answer is another provider's"))
	}
	secret, err := s.secretOf(ctx, site.Workspace, site.Provider)
	if err != nil {
		return Answer{}, flow, err
	}
	// The code is exchanged, and the tokens' keys are read, through the same client.
	ctx = oidc.ClientContext(ctx, remote.client)
	token, err := remote.config(site.Provider, secret, redirect).Exchange(ctx, back.Code, oauth2.VerifierOption(flow.Verifier))
	if err != nil {
		return Answer{}, flow, refuse(Broken, withoutBody(err))
	}
	answer, err := s.read(ctx, remote, site, token, flow.Nonce)
	if err != nil {
		return Answer{}, flow, refuse(Broken, err)
	}
	// Without a time (auth_time) it may have been days ago. Google never tells it: there they
	// have at least chosen the account and consented (ADR 36).
	untold := answer.At.IsZero() && !isGoogle(site.Issuer)
	if flow.Again && (untold || !answer.At.IsZero() && s.clock().Sub(answer.At) > FlowLife) {
		return Answer{}, flow, refuse(NotAnew, errors.New("they have not shown the provider anew who they are"))
	}
	return answer, flow, nil
}

// flow opens what a browser kept, and lets it be used once.
func (s *SignIns) flow(ctx context.Context, site Site, back Back) (Flow, error) {
	var flow Flow
	if back.Sealed == "" {
		return flow, refuse(Expired, errors.New("this browser began no sign-in"))
	}
	doc, err := s.box.OpenText(ctx, site.Workspace, kindFlow, site.Name, back.Sealed)
	if errors.Is(err, event.ErrUnavailable) {
		return flow, err
	}
	if err == nil {
		err = json.Unmarshal(doc, &flow)
	}
	switch {
	case err != nil:
		return Flow{}, refuse(Expired, errors.New("what the browser kept is of another sign-in"))
	case !s.clock().Before(flow.Ends):
		return flow, refuse(Expired, errors.New("it took too long"))
	case flow.Issuer != site.Issuer:
		return flow, refuse(Expired, errors.New("the provider was changed meanwhile"))
	case subtle.ConstantTimeCompare([]byte(flow.State), []byte(back.State)) != 1:
		return flow, refuse(Expired, errors.New("this browser did not begin this sign-in"))
	}
	if err := s.once(ctx, "state "+flow.State, flow.Ends); err != nil {
		if errors.Is(err, event.ErrConflict) {
			return flow, refuse(Expired, errors.New("it was done already"))
		}
		return flow, err
	}
	return flow, nil
}

// once notes that something is used; ErrConflict where it was already. The note is kept
// until the thing would be too old.
func (s *SignIns) once(ctx context.Context, what string, ends time.Time) error {
	doc, err := json.Marshal(struct {
		Ends time.Time `json:"ends"`
	}{ends.UTC()})
	if err != nil {
		return err
	}
	if err := s.records.Swap(ctx, noWorkspace, KindUsed, account.HashOf(what), nil, doc); err != nil {
		return fmt.Errorf("note what is used once: %w", err)
	}
	return nil
}

// withoutBody is an error of a token endpoint without what else it said: that may hold
// anything.
func withoutBody(err error) error {
	var said *oauth2.RetrieveError
	if errors.As(err, &said) {
		status := 0
		if said.Response != nil {
			status = said.Response.StatusCode
		}
		return fmt.Errorf("the provider did not take the code: status %d %.60q", status, said.ErrorCode)
	}
	return fmt.Errorf("the provider did not take the code: %w", err)
}
