package signin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"golang.org/x/oauth2"

	"tidings/account"
	"tidings/address"
)

// maxGroups bounds the groups of one person.
const maxGroups = 10_000

// flag is a claim that is true or not; some write it as a text, or a number.
type flag bool

// UnmarshalJSON takes what is not true for false.
func (f *flag) UnmarshalJSON(doc []byte) error {
	switch string(doc) {
	case "true", `"true"`, "1", `"1"`:
		*f = true
	}
	return nil
}

// claims are those that are read of a token, and of what the provider says beside it.
type claims struct {
	Subject  string `json:"sub"`
	Party    string `json:"azp"`
	Email    string `json:"email"`
	Verified flag   `json:"email_verified"`
	// OwnsDomain is how Microsoft says that the address's domain is the tenant's own.
	OwnsDomain flag `json:"xms_edov"`
	// Hosted is how Google says whose organization somebody belongs to: an address that it
	// has verified may be a private account's.
	Hosted    string            `json:"hd"`
	Name      string            `json:"name"`
	Sid       string            `json:"sid"`
	At        int64             `json:"auth_time"`
	Elsewhere map[string]string `json:"_claim_names"`

	all map[string]json.RawMessage
}

// in reads them with the function that a token or an answer has for it.
func (c *claims) in(read func(any) error) error { return errors.Join(read(c), read(&c.all)) }

// read checks the tokens of a provider and says whom they are about. nonce is "" where
// none was given: for tokens that were asked for again.
func (s *SignIns) read(ctx context.Context, remote *remote, site Site, token *oauth2.Token, nonce string) (Answer, error) {
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return Answer{}, errors.New("there is no id_token")
	}
	checked, err := remote.verifier(site.ClientID, s.clock).Verify(ctx, raw)
	if err != nil {
		return Answer{}, err
	}
	var told claims
	if err := told.in(checked.Claims); err != nil {
		return Answer{}, err
	}
	switch {
	case told.Subject == "":
		return Answer{}, errors.New("the token is about nobody")
	case nonce != "" && checked.Nonce != nonce:
		return Answer{}, errors.New("the token is of another sign-in: its nonce is")
	case told.Party != "" && told.Party != site.ClientID, told.Party == "" && len(checked.Audience) > 1:
		return Answer{}, errors.New("the token was given to another client: its azp is")
	}
	if checked.AccessTokenHash != "" {
		if err := checked.VerifyAccessToken(token.AccessToken); err != nil {
			return Answer{}, err
		}
	}
	if err := s.complete(ctx, remote, site, token, &told); err != nil {
		return Answer{}, err
	}
	answer := Answer{Sid: told.Sid, Refresh: token.RefreshToken}
	answer.Vouched = account.Vouched{Provider: site.Name, Issuer: site.Issuer, Subject: told.Subject, Name: told.Name}
	if told.At > 0 {
		answer.At = time.Unix(told.At, 0)
	}
	email, wrong := address.Canonical(told.Email)
	verified := bool(told.Verified || told.OwnsDomain) && (!isGoogle(site.Issuer) || told.Hosted == domainOf(email))
	if wrong == "" && verified && site.decides(email) {
		answer.Email = email
	}
	answer.Groups, answer.GroupsKnown, err = s.groups(ctx, remote, site, token, told)
	return answer, err
}

// complete asks the provider for what is wanted and not in the token.
func (s *SignIns) complete(ctx context.Context, remote *remote, site Site, token *oauth2.Token, told *claims) error {
	_, grouped := told.all[site.GroupsClaim]
	_, elsewhere := told.Elsewhere[site.GroupsClaim]
	wanted := told.Email == "" || site.GroupsClaim != "" && !grouped && !elsewhere
	if !wanted || remote.UserInfoEndpoint() == "" || token.AccessToken == "" {
		return nil
	}
	info, err := remote.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return fmt.Errorf("ask the provider who they are: %w", err)
	}
	var more claims
	if err := more.in(info.Claims); err != nil {
		return err
	}
	if more.Subject != told.Subject {
		return errors.New("what the provider says beside the token is of somebody else")
	}
	if told.Email == "" {
		told.Email, told.Verified, told.OwnsDomain = more.Email, more.Verified, more.OwnsDomain
	}
	if told.Name == "" {
		told.Name = more.Name
	}
	if len(more.Elsewhere) > 0 {
		told.Elsewhere = more.Elsewhere
	}
	if groups, ok := more.all[site.GroupsClaim]; ok && !grouped {
		told.all[site.GroupsClaim] = groups
	}
	return nil
}

// groups are somebody's groups, and whether that is all of them. Where there are too many
// for a token Microsoft is asked for them; where it does not answer, they are not known,
// which is not the same as none.
func (s *SignIns) groups(ctx context.Context, remote *remote, site Site, token *oauth2.Token, told claims) ([]string, bool, error) {
	if site.GroupsClaim == "" {
		return nil, true, nil
	}
	if _, elsewhere := told.Elsewhere[site.GroupsClaim]; elsewhere {
		groups, err := s.fromGraph(ctx, remote, site, token)
		return groups, err == nil, nil
	}
	raw, ok := told.all[site.GroupsClaim]
	if !ok || string(raw) == "null" {
		return nil, true, nil // Providers leave out an empty list.
	}
	var many []string
	if err := json.Unmarshal(raw, &many); err != nil {
		var one string
		if err := json.Unmarshal(raw, &one); err != nil {
			return nil, false, errors.New("the claim of groups holds no names")
		}
		many = []string{one}
	}
	if len(many) > maxGroups {
		return nil, false, errors.New("the claim of groups holds more than 10,000")
	}
	return many, true, nil
}
