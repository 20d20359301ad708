package signin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"tidings/event"
)

const (
	// kindDomain notes, outside of any workspace, whose a domain is.
	kindDomain = "sign-in-domain"
	// claimFresh is how long a claim holds whose provider is not written yet.
	claimFresh = time.Minute
	// claimWrite is how long that may take.
	claimWrite = claimFresh / 2
	// claimTries is how often a claim is tried that others change meanwhile.
	claimTries = 5
)

// ErrClaimed says that another workspace's provider decides over a domain.
type ErrClaimed struct{ Domain string }

func (e *ErrClaimed) Error() string {
	return "another workspace's provider decides over " + e.Domain
}

func (e *ErrClaimed) Unwrap() error { return event.ErrConflict }

// claim is whose a domain is, as it is kept.
type claim struct {
	Workspace string    `json:"workspace"`
	At        time.Time `json:"at"`
}

// claimAll makes domains a workspace's. A domain is of the workspace that named it first,
// for as long as a provider there names it; *ErrClaimed where it is another's.
func (p *Providers) claimAll(ctx context.Context, workspace string, domains []string) error {
	for _, domain := range domains {
		if err := p.claim(ctx, workspace, domain); err != nil {
			return fmt.Errorf("claim a domain: %w", err)
		}
	}
	return nil
}

// claim makes or renews a claim. It is renewed also where it holds: the provider that it
// holds by may go while the next one is written.
func (p *Providers) claim(ctx context.Context, workspace, domain string) error {
	for range claimTries {
		old, err := p.records.Get(ctx, noWorkspace, kindDomain, domain)
		if err != nil && !errors.Is(err, event.ErrNotFound) {
			return err
		}
		if err != nil {
			old = nil
		} else if err := p.mayTake(ctx, old, workspace, domain); err != nil {
			return err
		}
		doc, err := json.Marshal(claim{workspace, p.clock().UTC()})
		if err != nil {
			return err
		}
		err = p.records.Swap(ctx, noWorkspace, kindDomain, domain, old, doc)
		if !errors.Is(err, event.ErrConflict) { // else somebody was faster, here or elsewhere
			return err
		}
	}
	return fmt.Errorf("%s is being claimed by others: %w", domain, event.ErrUnavailable)
}

// mayTake is nil where a claim is the workspace's, or does not hold any more.
func (p *Providers) mayTake(ctx context.Context, kept json.RawMessage, workspace, domain string) error {
	var held claim
	if err := json.Unmarshal(kept, &held); err != nil {
		return err
	}
	if held.Workspace == workspace {
		return nil
	}
	holds, err := p.holds(ctx, held, domain)
	if err == nil && holds {
		err = &ErrClaimed{domain}
	}
	return err
}

// holds reports whether a claim still does: its workspace has a provider that names the
// domain, or is about to write one.
func (p *Providers) holds(ctx context.Context, held claim, domain string) (bool, error) {
	if p.clock().Sub(held.At) < claimFresh {
		return true, nil
	}
	all, err := p.List(ctx, held.Workspace)
	return slices.ContainsFunc(all, func(one Provider) bool { return slices.Contains(one.Domains, domain) }), err
}
