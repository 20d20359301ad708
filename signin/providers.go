package signin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"tidings/address"
	"tidings/event"
	"tidings/secret"
)

// Kinds of records. The note outside of any workspace says which have providers.
const (
	kindProvider  = "sign-in-provider"
	kindWorkspace = "sign-in-workspace"
	noWorkspace   = ""
	// freshFor is how long it is not asked again which providers there are.
	freshFor = time.Second
)

// Providers keeps providers.
type Providers struct {
	records Records
	box     *secret.Box
	clock   func() time.Time

	mu    sync.Mutex
	known []Site
	read  time.Time
}

// NewProviders makes Providers. Without a box no provider with a secret can be kept.
func NewProviders(records Records, box *secret.Box, clock func() time.Time) *Providers {
	return &Providers{records: records, box: box, clock: clock}
}

// Get returns a provider, its secret sealed, or event.ErrNotFound.
func (p *Providers) Get(ctx context.Context, workspace, name string) (Provider, error) {
	var kept Provider
	doc, err := p.records.Get(ctx, workspace, kindProvider, name)
	if err == nil {
		err = json.Unmarshal(doc, &kept)
	}
	if err != nil {
		return Provider{}, fmt.Errorf("find provider: %w", err)
	}
	return kept, nil
}

// List returns a workspace's providers by name, their secrets sealed.
func (p *Providers) List(ctx context.Context, workspace string) ([]Provider, error) {
	docs, err := p.records.List(ctx, workspace, kindProvider)
	if err != nil {
		return nil, fmt.Errorf("list providers: %w", err)
	}
	all := make([]Provider, len(docs))
	for i, doc := range docs {
		if err := json.Unmarshal(doc.Doc, &all[i]); err != nil {
			return nil, fmt.Errorf("decode provider: %w", err)
		}
	}
	return all, nil
}

// Put keeps a provider. given is its secret, nil for the one that it has. ErrTooMuch
// where the workspace has as many as it may, *ErrClaimed where another one has a domain.
func (p *Providers) Put(ctx context.Context, workspace string, provider Provider, given *string) (Provider, error) {
	all, err := p.List(ctx, workspace)
	if err != nil {
		return Provider{}, err
	}
	provider.Sealed = ""
	others := 0
	for _, other := range all {
		if other.Name == provider.Name {
			provider.Sealed = other.Sealed
			continue
		}
		others++
	}
	if others >= MaxProviders {
		return Provider{}, &event.TooMuch{What: "a workspace has 20 providers"}
	}
	switch {
	case given != nil && len(*given) > maxSecret:
		return Provider{}, event.Invalid("secret", "has more than 2,000 bytes")
	case given != nil && *given == "":
		provider.Sealed = ""
	case given != nil:
		if provider.Sealed, err = p.box.Seal(ctx, workspace, kindProvider, provider.Name, []byte(*given)); err != nil {
			return Provider{}, fmt.Errorf("seal the secret of a provider: %w", err)
		}
	}
	// Its domains stay claimed for longer than the provider may take to be written: a crash
	// between leaves claims that nobody holds after a minute.
	ctx, cancel := context.WithTimeout(ctx, claimWrite)
	defer cancel()
	if err := p.claimAll(ctx, workspace, provider.Domains); err != nil {
		return Provider{}, err
	}
	provider.Changed = p.clock().UTC().Truncate(time.Second)
	doc, err := json.Marshal(provider)
	if err == nil {
		// The note goes first: a workspace with providers always has one.
		err = p.records.Put(ctx, noWorkspace, kindWorkspace, workspace, json.RawMessage("true"))
	}
	if err == nil {
		err = p.records.Put(ctx, workspace, kindProvider, provider.Name, doc)
	}
	p.forget()
	if err != nil {
		return Provider{}, fmt.Errorf("keep provider: %w", err)
	}
	return provider, nil
}

// Delete takes a provider off; event.ErrNotFound when there is none.
func (p *Providers) Delete(ctx context.Context, workspace, name string) error {
	if _, err := p.Get(ctx, workspace, name); err != nil {
		return err
	}
	err := p.records.Delete(ctx, workspace, kindProvider, name)
	if err == nil {
		err = p.box.Forget(ctx, workspace, kindProvider, name)
	}
	p.forget()
	if err != nil {
		return fmt.Errorf("delete provider: %w", err)
	}
	return nil
}

// secretOf opens the secret of a provider.
func (p *Providers) secretOf(ctx context.Context, workspace string, provider Provider) (string, error) {
	if provider.Sealed == "" {
		return "", nil
	}
	plain, err := p.box.OpenText(ctx, workspace, kindProvider, provider.Name, provider.Sealed)
	if err != nil {
		return "", fmt.Errorf("open the secret of a provider: %w", err)
	}
	return string(plain), nil
}

// Locked reports whether the key that sealed a provider's secret is not here.
func (p *Providers) Locked(ctx context.Context, workspace string, provider Provider) (bool, error) {
	_, err := p.secretOf(ctx, workspace, provider)
	if errors.Is(err, secret.ErrLocked) {
		return true, nil
	}
	return false, err
}

func (p *Providers) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.read = time.Time{}
}

// All are the providers of every workspace, as of a second ago.
func (p *Providers) All(ctx context.Context) ([]Site, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock()
	if !p.read.IsZero() && now.Sub(p.read) < freshFor {
		return p.known, nil
	}
	notes, err := p.records.List(ctx, noWorkspace, kindWorkspace)
	if err != nil {
		return nil, fmt.Errorf("list providers: %w", err)
	}
	var all []Site
	for _, note := range notes {
		providers, err := p.List(ctx, note.ID)
		if err != nil {
			return nil, err
		}
		for _, provider := range providers {
			all = append(all, Site{note.ID, provider})
		}
	}
	p.known, p.read = all, now
	return all, nil
}

// For are the providers at which somebody with an address may sign in: those that decide
// over its domain, or those that everybody is shown. What it returns says nothing of
// whether anybody has the address.
func (p *Providers) For(ctx context.Context, email string) ([]Site, error) {
	all, err := p.All(ctx)
	if err != nil {
		return nil, err
	}
	var theirs, shown []Site
	canonical, wrong := address.Canonical(email)
	for _, site := range all {
		if wrong == "" && site.decides(canonical) {
			theirs = append(theirs, site)
		}
		if site.Button {
			shown = append(shown, site)
		}
	}
	if len(theirs) > 0 {
		return theirs, nil
	}
	return shown, nil
}

// Only reports whether the people of a workspace come in by a provider alone.
func (p *Providers) Only(ctx context.Context, workspace string) (bool, error) {
	all, err := p.All(ctx)
	for _, site := range all {
		if site.Workspace == workspace && site.Only {
			return true, nil
		}
	}
	return false, err
}
