package signin

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// Step is one thing that was tried of a provider.
type Step struct {
	What   string `json:"what"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail,omitempty" doc:"what is wrong, or what was found"`
}

// Try tries what can be tried of a provider without anybody signing in: whether it can be
// reached, is who it should be, has keys, and knows the client and its secret.
func (s *SignIns) Try(ctx context.Context, site Site, redirect string) []Step {
	remote, err := s.remotes.ask(ctx, site.Issuer)
	if err != nil {
		return []Step{{What: "discovery", Detail: told(err)}}
	}
	steps := []Step{{What: "discovery", OK: true, Detail: site.Issuer}}
	steps = append(steps, algorithmStep(remote), challengeStep(remote), s.clientStep(ctx, remote, site, redirect))
	logout := Step{What: "back-channel logout", OK: true, Detail: "the provider says that it has it"}
	if !remote.Logout {
		logout.Detail = "the provider does not say that it has it: who is signed out there is asked about once an hour"
	}
	return append(steps, logout)
}

func told(err error) string { return fmt.Sprintf("%.300s", err.Error()) }

func algorithmStep(remote *remote) Step {
	step := Step{What: "signatures", OK: true}
	for _, algorithm := range remote.Algorithms {
		if slices.Contains(algorithms, algorithm) {
			step.Detail = algorithm
			return step
		}
	}
	return Step{What: "signatures", OK: len(remote.Algorithms) == 0, Detail: "none of RS256 to RS512, PS256 to PS512 and ES256 to ES512 is offered"}
}

func challengeStep(remote *remote) Step {
	if len(remote.Challenges) > 0 && !slices.Contains(remote.Challenges, "S256") {
		return Step{What: "PKCE", Detail: "the provider does not take S256"}
	}
	return Step{What: "PKCE", OK: true}
}

// clientStep shows the provider a code that is none: what it says tells whether it knows
// the client.
func (s *SignIns) clientStep(ctx context.Context, remote *remote, site Site, redirect string) Step {
	step := Step{What: "client and secret"}
	secret, err := s.secretOf(ctx, site.Workspace, site.Provider)
	if err != nil {
		step.Detail = "the secret cannot be opened: enter it again"
		return step
	}
	ctx = oidc.ClientContext(ctx, remote.client)
	_, err = remote.config(site.Provider, secret, redirect).Exchange(ctx, "tidings-test", oauth2.VerifierOption(oauth2.GenerateVerifier()))
	var said *oauth2.RetrieveError
	switch {
	case err == nil:
		step.Detail = "the provider takes a code that nobody gave"
	case errors.As(err, &said) && said.ErrorCode == "invalid_grant":
		step.OK, step.Detail = true, "the provider knows the client"
	case errors.As(err, &said) && (said.ErrorCode == "invalid_client" || said.ErrorCode == "unauthorized_client"):
		step.Detail = "the provider does not know the client, or its secret is another"
	case errors.As(err, &said):
		step.Detail = told(withoutBody(err)) + "; sign in once to be sure"
	default:
		step.Detail = told(err)
	}
	return step
}
