package signin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"tidings/account"
	"tidings/event"
)

// AskEvery is how often a provider is asked whether it still vouches for somebody, while
// they use their session.
const AskEvery = time.Hour

// AskLater is when it is asked again that could not be reached.
const AskLater = 5 * time.Minute

// ErrEnded says that a provider does not vouch for somebody any more.
var ErrEnded = errors.New("the provider does not vouch for them any more")

// grant is with what a provider is asked again, as it is kept.
type grant struct {
	Provider string    `json:"provider"`
	Issuer   string    `json:"issuer"`
	Subject  string    `json:"subject"`
	Sealed   string    `json:"sealed"`
	Asked    time.Time `json:"asked"`
}

// sealedGrant binds what is sealed to the grant that it is of.
type sealedGrant struct {
	ID    string `json:"id"`
	Token string `json:"token"`
}

// Remember keeps with what a provider is asked again, under the name that it returns; ""
// where there is nothing to ask with.
func (s *SignIns) Remember(ctx context.Context, site Site, answer Answer) (string, error) {
	if answer.Refresh == "" {
		return "", nil
	}
	id, err := account.RandomText(s.rand, 18)
	if err != nil {
		return "", err
	}
	_, err = s.keep(ctx, site, id, nil, &grant{Provider: site.Name, Issuer: answer.Issuer, Subject: answer.Subject}, answer.Refresh)
	return id, err
}

// keep seals a token and keeps it in the place of what is there, and returns how.
func (s *SignIns) keep(ctx context.Context, site Site, id string, old json.RawMessage, kept *grant, token string) (json.RawMessage, error) {
	plain, err := json.Marshal(sealedGrant{id, token})
	if err != nil {
		return nil, err
	}
	if kept.Sealed, err = s.box.Seal(ctx, site.Workspace, account.KindProviderGrant, site.Name, plain); err != nil {
		return nil, fmt.Errorf("seal a provider's token: %w", err)
	}
	kept.Asked = s.clock().UTC()
	return s.swap(ctx, site, id, old, *kept)
}

// AskAgain asks a provider whether it still vouches for somebody, unless that was done
// less than an hour ago, in whichever process; the answer is nil then. ErrEnded says that
// it does not vouch; any other error that it could not be asked. next is when to ask again.
func (s *SignIns) AskAgain(ctx context.Context, site Site, id string) (answer *Answer, next time.Time, err error) {
	now := s.clock()
	next = now.Add(AskEvery)
	doc, err := s.records.Get(ctx, site.Workspace, account.KindProviderGrant, id)
	if errors.Is(err, event.ErrNotFound) {
		return nil, next, nil // The session has ended meanwhile.
	}
	var kept grant
	if err == nil {
		err = json.Unmarshal(doc, &kept)
	}
	if err != nil {
		return nil, now.Add(AskLater), fmt.Errorf("find a provider's token: %w", err)
	}
	if kept.Issuer != site.Issuer { // What one issuer gave is for no other to see.
		return nil, next, ErrEnded
	}
	if due := kept.Asked.Add(AskEvery); now.Before(due) {
		return nil, due, nil
	}
	// Whoever writes the time asks. Who dies then leaves the rest to the next hour.
	kept.Asked = now.UTC()
	claimed, err := s.swap(ctx, site, id, doc, kept)
	if errors.Is(err, event.ErrConflict) {
		return nil, next, nil
	}
	if err != nil {
		return nil, now.Add(AskLater), err
	}
	found, err := s.askAgain(ctx, site, id, &kept, &claimed)
	if err != nil && !errors.Is(err, ErrEnded) {
		next = now.Add(AskLater)
		kept.Asked = next.Add(-AskEvery).UTC()
		if _, again := s.swap(ctx, site, id, claimed, kept); again != nil && !errors.Is(again, event.ErrConflict) {
			err = errors.Join(err, again)
		}
	}
	if err != nil {
		return nil, next, err
	}
	return &found, next, nil
}

func (s *SignIns) swap(ctx context.Context, site Site, id string, old json.RawMessage, kept grant) (json.RawMessage, error) {
	doc, err := json.Marshal(kept)
	if err == nil {
		err = s.records.Swap(ctx, site.Workspace, account.KindProviderGrant, id, old, doc)
	}
	if err != nil {
		return nil, fmt.Errorf("keep a provider's token: %w", err)
	}
	return doc, nil
}

// askAgain asks with what is kept, as doc, and keeps what it is given for the next time.
func (s *SignIns) askAgain(ctx context.Context, site Site, id string, kept *grant, doc *json.RawMessage) (Answer, error) {
	plain, err := s.box.OpenText(ctx, site.Workspace, account.KindProviderGrant, site.Name, kept.Sealed)
	var held sealedGrant
	if err == nil {
		err = json.Unmarshal(plain, &held)
	}
	if err == nil && held.ID != id {
		err = errors.New("it is another session's")
	}
	if err != nil {
		return Answer{}, fmt.Errorf("open a provider's token: %w", err)
	}
	remote, err := s.remotes.at(ctx, site.Issuer)
	if err != nil {
		return Answer{}, err
	}
	secret, err := s.secretOf(ctx, site.Workspace, site.Provider)
	if err != nil {
		return Answer{}, err
	}
	ctx = oidc.ClientContext(ctx, remote.client)
	token, err := remote.config(site.Provider, secret, "").TokenSource(ctx, &oauth2.Token{RefreshToken: held.Token}).Token()
	var said *oauth2.RetrieveError
	if errors.As(err, &said) && said.ErrorCode == "invalid_grant" {
		return Answer{}, ErrEnded
	}
	if err != nil {
		return Answer{}, withoutBody(err)
	}
	if token.RefreshToken != "" && token.RefreshToken != held.Token {
		if *doc, err = s.keep(ctx, site, id, *doc, kept, token.RefreshToken); err != nil {
			return Answer{}, err
		}
	}
	if _, ok := token.Extra("id_token").(string); !ok {
		return s.readInfo(ctx, remote, site, kept.Subject, token)
	}
	answer, err := s.read(ctx, remote, site, token, "")
	if err == nil && answer.Subject != kept.Subject {
		err = errors.New("the provider answered about somebody else")
	}
	return answer, err
}

// readInfo reads what a provider says that gives no token anew.
func (s *SignIns) readInfo(ctx context.Context, remote *remote, site Site, subject string, token *oauth2.Token) (Answer, error) {
	told := claims{Subject: subject, all: make(map[string]json.RawMessage)}
	answer := Answer{Vouched: account.Vouched{Provider: site.Name, Issuer: site.Issuer, Subject: subject}}
	if remote.UserInfoEndpoint() == "" {
		return answer, nil // Groups stay as they were.
	}
	if err := s.complete(ctx, remote, site, token, &told); err != nil {
		return Answer{}, err
	}
	var err error
	answer.Groups, answer.GroupsKnown, err = s.groups(ctx, remote, site, token, told)
	// What this provider says of groups, it may say in its tokens alone.
	_, here := told.all[site.GroupsClaim]
	answer.GroupsKnown = answer.GroupsKnown && (here || site.GroupsClaim == "")
	return answer, err
}

// Drop forgets with what a provider is asked again; "" is nothing.
func (s *SignIns) Drop(ctx context.Context, site Site, id string) error {
	if id == "" {
		return nil
	}
	return s.records.Delete(ctx, site.Workspace, account.KindProviderGrant, id)
}
