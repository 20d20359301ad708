package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"tidings/account"
	"tidings/address"
	"tidings/api/hooks"
	"tidings/api/hooks/mapping"
	"tidings/event"
)

// Kinds of records of sources. A source is the workspace's; that a token is
// good, and for which source, is found by the token's hash before the workspace
// is known.
const (
	kindSource   = "source"
	kindHook     = "hook"
	kindRejected = "hook-rejected"
	hookPrefix   = "hook_"
)

// Bounds of a source.
const (
	maxKeys      = 10
	maxPrefixes  = 200
	maxFieldPath = 200
)

// Ways to find whose mail an event is about.
const (
	userByAddress = "address"
	userByField   = "field"
	userFixed     = "fixed"
)

// UserRule is how a user is found in a payload.
type UserRule struct {
	By    string `json:"by" enum:"address,field,fixed" doc:"address: by the sender's address, among the users' addresses; field: by a member of the payload; fixed: always the same"`
	Value string `json:"value,omitempty" maxLength:"200" doc:"the member's path, such as user-variables.user, or the user's id"`
}

// SourceRequest is a source as an admin writes it.
type SourceRequest struct {
	Provider string `json:"provider" doc:"whose webhooks come in"`
	// What is nil keeps what the source has.
	Keys      []string  `json:"keys,omitempty" maxItems:"10" doc:"signing secrets, public keys or topics, as the provider has it; several while one is replaced. Absent keeps what there is"`
	Basic     []string  `json:"basic,omitempty" maxItems:"10" doc:"user:password of HTTP basic authentication, where the provider uses it. Absent keeps what there is"`
	Addresses []string  `json:"addresses,omitempty" maxItems:"200" doc:"networks that requests may come from, such as 3.134.147.250/32. Absent keeps what there is"`
	User      *UserRule `json:"user,omitempty" doc:"by address when absent"`
	// Message is where senders put their own name of a message.
	Verify   *hooks.Scheme    `json:"verify,omitempty" doc:"how requests are believed, for json and the providers that are mappings; the provider's own when absent"`
	Mapping  *mapping.Mapping `json:"mapping,omitempty" doc:"how payloads are read, for json and the providers that are mappings; the provider's own when absent"`
	Fields   *FieldRules      `json:"fields,omitempty" doc:"what single fields of each event are, by expressions over the provider's own object e"`
	Message  string           `json:"message_field,omitempty" maxLength:"200" doc:"a member of the payload that holds the message's id as you call it; the provider's own when absent"`
	MaxBytes *int64           `json:"max_bytes,omitempty" minimum:"1024" maximum:"41943040" doc:"how large a request may be, before anybody believes it. 10 MiB unless it is set; absent keeps what there is"`
	Draft    bool             `json:"draft,omitempty" doc:"make the source before its provider has shown a secret, for its address: until secrets are written, webhooks are answered 503, which providers try again"`
	NewToken bool             `json:"new_token,omitempty" doc:"give the source another address; the old one stops working"`
}

// sourceRecord is a source as it is kept.
type sourceRecord struct {
	Name     string   `json:"name"`
	Provider string   `json:"provider"`
	Keys     []string `json:"keys,omitempty"`
	Basic    []string `json:"basic,omitempty"`
	// Sealed are Keys and Basic as they are kept; sealedSource and openSource know how.
	Sealed    string         `json:"sealed,omitempty"`
	Addresses []netip.Prefix `json:"addresses,omitempty"`
	User      UserRule       `json:"user"`
	Message   string         `json:"message_field,omitempty"`
	Fields    *FieldRules    `json:"fields,omitempty"`
	MaxBytes  int64          `json:"max_bytes,omitempty"` // 0 is maxHook
	// Draft has an address and nothing yet by which a request could be believed.
	Draft bool `json:"draft,omitempty"`
	hooks.Custom
	TokenHash string    `json:"token_hash"`
	Created   time.Time `json:"created"`
	Changed   time.Time `json:"changed"`
}

// hookRecord says which source a token names.
type hookRecord struct {
	Workspace string `json:"w"`
	Source    string `json:"source"`
}

// mostBytes is how large a request of the source may be.
func (r sourceRecord) mostBytes() int64 { return cmp.Or(r.MaxBytes, maxHook) }

// secretless reports whether there is nothing yet by which a request could be believed.
func (r sourceRecord) secretless() bool {
	return len(r.Keys)+len(r.Basic)+len(r.Addresses) == 0 && r.Sealed == ""
}

func (r sourceRecord) secrets() hooks.Secrets {
	return hooks.Secrets{Keys: r.Keys, Basic: r.Basic, Addresses: r.Addresses}
}

// apply makes the record what the request says.
func (r *sourceRecord) apply(request SourceRequest, providers *hooks.Hooks) error {
	if _, ok := providers.Provider(request.Provider); !ok {
		return event.Invalid("provider", "is not one of "+strings.Join(providers.Names(), ", "))
	}
	if r.Provider != "" && r.Provider != request.Provider {
		return event.Invalid("provider", "is "+r.Provider+" and stays: delete the source, or make another one")
	}
	r.Provider, r.Custom = request.Provider, hooks.Custom{Verify: request.Verify, Mapping: request.Mapping}
	provider, err := providers.For(r.Provider, r.Custom)
	if err != nil {
		return err
	}
	if err := r.applySecrets(request); err != nil {
		return err
	}
	if r.Draft = request.Draft && r.secretless(); !r.Draft {
		if err := provider.Check(r.secrets()); err != nil {
			return err
		}
	}
	r.User = UserRule{By: userByAddress}
	if request.User != nil {
		if err := request.User.check(); err != nil {
			return err
		}
		r.User = *request.User
	}
	if request.MaxBytes != nil {
		if *request.MaxBytes < minHookBound || *request.MaxBytes > maxHookBound {
			return event.Invalid("max_bytes", fmt.Sprintf("is not from %d to %d", minHookBound, maxHookBound))
		}
		r.MaxBytes = *request.MaxBytes
	}
	if r.Fields = request.Fields; r.Fields != nil {
		if _, err := mapping.CompileFields(r.Fields.texts()); err != nil {
			return err
		}
	}
	r.Message = request.Message
	if len(r.Message) > maxFieldPath {
		return event.Invalid("message_field", "has more than 200 bytes")
	}
	return nil
}

// minSecret is the least length of a secret of a source, in bytes: with a shorter one
// somebody who has seen one request could find it by trying.
const minSecret = 12

// checkSecrets looks at secrets that are new; those of before stay good.
func checkSecrets(request SourceRequest) *event.FieldError {
	short := fmt.Sprintf("has fewer than %d bytes: make a longer one, such as by openssl rand -hex 24", minSecret)
	for i, key := range request.Keys {
		if len(key) < minSecret {
			return event.Invalid(fmt.Sprintf("keys[%d]", i), short)
		}
	}
	for i, basic := range request.Basic {
		if _, password, _ := strings.Cut(basic, ":"); len(password) < minSecret {
			return event.Invalid(fmt.Sprintf("basic[%d]", i), short)
		}
	}
	return nil
}

func (r *sourceRecord) applySecrets(request SourceRequest) error {
	if len(request.Keys) > maxKeys || len(request.Basic) > maxKeys || len(request.Addresses) > maxPrefixes {
		return event.Invalid("keys", "are too many: at most 10 keys, 10 of basic and 200 addresses are taken")
	}
	if err := checkSecrets(request); err != nil {
		return err
	}
	if request.Keys != nil {
		r.Keys = request.Keys
	}
	if request.Basic != nil {
		r.Basic = request.Basic
	}
	if request.Addresses == nil {
		return nil
	}
	r.Addresses = make([]netip.Prefix, len(request.Addresses))
	for i, text := range request.Addresses {
		prefix, err := netip.ParsePrefix(text)
		if at, addrErr := netip.ParseAddr(text); addrErr == nil {
			prefix, err = at.Prefix(at.BitLen())
		}
		if err != nil {
			return event.Invalid(fmt.Sprintf("addresses[%d]", i), "is not a network such as 3.134.147.250/32")
		}
		r.Addresses[i] = prefix.Masked()
	}
	return nil
}

func (u UserRule) check() *event.FieldError {
	switch u.By {
	case userByAddress:
		if u.Value != "" {
			return event.Invalid("user.value", "is not used with address")
		}
		return nil
	case userByField, userFixed:
		return account.CheckName("user.value", u.Value)
	}
	return event.Invalid("user.by", "is not one of address, field, fixed")
}

// putSourceRecord makes or replaces a source. token is empty when the source keeps
// the one that it has.
func (s *Server) putSourceRecord(ctx context.Context, workspace, name string, request SourceRequest) (record sourceRecord, token string, err error) {
	now := s.Clock().UTC().Truncate(time.Second)
	record, err = account.Get[sourceRecord](ctx, s.Records, workspace, kindSource, name)
	if errors.Is(err, event.ErrNotFound) {
		record, err = sourceRecord{Name: name, Created: now}, nil
	}
	if err != nil {
		return record, "", fmt.Errorf("find source: %w", err)
	}
	if err := s.openSource(ctx, workspace, &record); err != nil {
		if !errors.Is(err, event.ErrUnavailable) || request.Keys == nil && request.Basic == nil {
			return record, "", err
		}
		record.Sealed = "" // What cannot be opened is entered again.
	}
	if err := record.apply(request, s.Hooks); err != nil {
		return record, "", err
	}
	record.Changed = now
	old := record.TokenHash
	if old == "" || request.NewToken {
		secret, err := account.RandomText(s.Rand, account.SecretLength)
		if err != nil {
			return record, "", err
		}
		token = hookPrefix + secret
		record.TokenHash = account.HashOf(token)
	}
	// The source goes first: an address that works always has one.
	kept, err := s.sealedSource(ctx, workspace, record)
	if err != nil {
		return record, "", err
	}
	if err := account.Put(ctx, s.Records, workspace, kindSource, name, kept); err != nil {
		return record, "", fmt.Errorf("keep source: %w", err)
	}
	if token != "" {
		if err := account.Put(ctx, s.Records, account.NoWorkspace, kindHook, record.TokenHash, hookRecord{workspace, name}); err != nil {
			return record, "", fmt.Errorf("keep the address of a source: %w", err)
		}
		if old != "" {
			if err := s.Records.Delete(ctx, account.NoWorkspace, kindHook, old); err != nil {
				return record, "", fmt.Errorf("forget the old address of a source: %w", err)
			}
		}
	}
	return record, token, nil
}

// removeSource takes a source off, its address first.
func (s *Server) removeSource(ctx context.Context, workspace, name string) error {
	record, err := account.Get[sourceRecord](ctx, s.Records, workspace, kindSource, name)
	if err != nil {
		return fmt.Errorf("find source: %w", err)
	}
	if err := s.Records.Delete(ctx, account.NoWorkspace, kindHook, record.TokenHash); err != nil {
		return fmt.Errorf("forget the address of a source: %w", err)
	}
	if err := s.rejected.forget(ctx, workspace, name); err != nil {
		return err
	}
	s.traffic.forget(workspace, name)
	if err := s.Records.Delete(ctx, workspace, kindSource, name); err != nil {
		return fmt.Errorf("delete source: %w", err)
	}
	return s.Secrets.Forget(ctx, workspace, kindSource, name)
}

// source finds what a token names. ErrNotFound is also a token that another has
// replaced.
func (s *Server) source(ctx context.Context, token string) (workspace string, record sourceRecord, err error) {
	if !strings.HasPrefix(token, hookPrefix) || len(token) > 2*account.SecretLength {
		return "", record, fmt.Errorf("source: %w", event.ErrNotFound)
	}
	hash := account.HashOf(token)
	hook, err := account.Get[hookRecord](ctx, s.Records, account.NoWorkspace, kindHook, hash)
	if err != nil {
		return "", record, fmt.Errorf("find source: %w", err)
	}
	record, err = account.Get[sourceRecord](ctx, s.Records, hook.Workspace, kindSource, hook.Source)
	if err != nil {
		return "", record, fmt.Errorf("find source: %w", err)
	}
	if record.TokenHash != hash {
		return "", record, fmt.Errorf("source: %w", event.ErrNotFound)
	}
	if err := s.openSource(ctx, hook.Workspace, &record); err != nil {
		return "", record, err
	}
	return hook.Workspace, record, nil
}

// complete turns what a provider decoded into an event of the source, as the
// source's settings say.
func (r sourceRecord) complete(e hooks.Event, users map[string]string, rules *mapping.Fields) event.Input {
	in := e.Input
	in.Source = r.Name
	if rules != nil {
		applyFields(rules.Run(e.Payload), &in)
	}
	if r.Message != "" {
		if own := hooks.Lookup(e.Payload, r.Message); own != "" {
			in.Message = own
		}
	}
	if in.User != "" {
		if known, ok := users[address.Fold(in.User)]; ok {
			in.User = known
		}
		return in
	}
	switch r.User.By {
	case userFixed:
		in.User = r.User.Value
	case userByField:
		in.User = hooks.Lookup(e.Payload, r.User.Value)
		if known, ok := users[address.Fold(in.User)]; ok {
			in.User = known
		}
	default:
		in.User = users[address.Fold(e.Owner)]
	}
	return in
}

// FieldRules are expressions for single fields, whatever the provider.
type FieldRules struct {
	User    string `json:"user,omitempty" maxLength:"2000" doc:"a user's id, or one of their addresses"`
	Message string `json:"message,omitempty" maxLength:"2000"`
	Subject string `json:"subject,omitempty" maxLength:"2000"`
}

func (f FieldRules) texts() map[string]string {
	return map[string]string{"user": f.User, "message": f.Message, "subject": f.Subject}
}

// program is nil without rules. They were checked when the source was made.
func (f *FieldRules) program() (*mapping.Fields, error) {
	if f == nil {
		return nil, nil
	}
	program, err := mapping.CompileFields(f.texts())
	if err != nil {
		return nil, fmt.Errorf("fields of a source: %w", err)
	}
	return program, nil
}

// applyFields sets the fields of which something came out.
func applyFields(found map[string]string, in *event.Input) {
	for name, at := range map[string]*string{"user": &in.User, "message": &in.Message, "subject": &in.Subject} {
		if text := found[name]; text != "" {
			*at = text
		}
	}
}
