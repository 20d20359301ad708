package deliver

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"tidings/deliver/crm"
	"tidings/event"
	"tidings/secret"
)

// Kinds of records. A note outside of any workspace says which have endpoints, and another
// is written anew with each change of any.
const (
	kindEndpoint  = "endpoint"
	kindHealth    = "endpoint-health"
	kindWorkspace = "endpoint-workspace"
	kindRevision  = "endpoint-revision"
	noWorkspace   = ""
)

// MaxEndpoints is how many a workspace may have.
const MaxEndpoints = 100

// Kept is an endpoint as it is kept: what is secret of it is sealed.
type Kept struct {
	Name string `json:"name"`
	Kind Kind   `json:"kind"`
	// URL is a webhook's; a chat's is sealed, and Host is where it leads.
	URL     string `json:"url,omitempty"`
	Host    string `json:"host,omitempty"`
	To      string `json:"to,omitempty"`
	Enabled bool   `json:"enabled"`
	// Search chooses the events that are sent, "" for none.
	Search string `json:"search,omitempty"`
	// Steps are what is made sure of in a CRM.
	Steps   []crm.EnsureStep `json:"steps,omitempty"`
	Sealed  string           `json:"sealed,omitempty"`
	Created time.Time        `json:"created"`
	// Since is from when on events are sent: when it was made or its search changed.
	Since   time.Time `json:"since"`
	Changed time.Time `json:"changed"`
}

// Secrets are what is sealed of an endpoint.
type Secrets struct {
	URL     string          `json:"url,omitempty"`
	Signing []SigningSecret `json:"signing,omitempty"`
	// Token is HubSpot's, the client Salesforce's.
	Token        string `json:"token,omitempty"`
	ClientID     string `json:"client_id,omitempty"`
	ClientSecret string `json:"client_secret,omitempty"`
}

func (s Secrets) empty() bool {
	return s.URL == "" && len(s.Signing) == 0 && s.Token == "" && s.ClientID == "" && s.ClientSecret == ""
}

// Directory keeps endpoints.
type Directory struct {
	records Records
	box     *secret.Box
	mail    *SMTP
	// Devices are those that people are pushed to.
	Devices *Devices
	// Addresses finds the address of a workspace's user, event.ErrNotFound where they have
	// none. Without it nobody has.
	Addresses func(ctx context.Context, workspace, user string) (string, error)
}

// NewDirectory makes a Directory. mail is who sends mail, nil where nobody does.
func NewDirectory(records Records, box *secret.Box, mail *SMTP) *Directory {
	devices := &Devices{records: records, box: box, Clock: time.Now}
	return &Directory{records: records, box: box, mail: mail, Devices: devices}
}

// CanMail reports whether there is a mail server.
func (d *Directory) CanMail() bool { return d.mail != nil }

// Get returns an endpoint with its secrets, or event.ErrNotFound.
func (d *Directory) Get(ctx context.Context, key EndpointKey) (Kept, Secrets, error) {
	var kept Kept
	var secrets Secrets
	doc, err := d.records.Get(ctx, key.Workspace, kindEndpoint, key.Endpoint)
	if err == nil {
		err = json.Unmarshal(doc, &kept)
	}
	if err == nil && kept.Sealed != "" {
		var plain []byte
		if plain, err = d.box.OpenText(ctx, key.Workspace, kindEndpoint, key.Endpoint, kept.Sealed); err == nil {
			err = json.Unmarshal(plain, &secrets)
		}
	}
	if err != nil {
		return kept, secrets, fmt.Errorf("find endpoint: %w", err)
	}
	return kept, secrets, nil
}

// Put keeps an endpoint with its secrets.
func (d *Directory) Put(ctx context.Context, workspace string, kept Kept, secrets Secrets) error {
	plain, err := json.Marshal(secrets)
	if err != nil {
		return err
	}
	kept.Sealed = ""
	if !secrets.empty() {
		if kept.Sealed, err = d.box.Seal(ctx, workspace, kindEndpoint, kept.Name, plain); err != nil {
			return fmt.Errorf("keep endpoint: %w", err)
		}
	}
	doc, err := json.Marshal(kept)
	if err == nil {
		// The note goes first: a workspace with endpoints always has one.
		err = d.records.Put(ctx, noWorkspace, kindWorkspace, workspace, json.RawMessage("true"))
	}
	if err == nil {
		err = d.records.Put(ctx, workspace, kindEndpoint, kept.Name, doc)
	}
	if err == nil {
		err = d.changed(ctx)
	}
	if err != nil {
		return fmt.Errorf("keep endpoint: %w", err)
	}
	return nil
}

// Delete takes an endpoint off; there need not be one.
func (d *Directory) Delete(ctx context.Context, key EndpointKey) error {
	err := d.records.Delete(ctx, key.Workspace, kindEndpoint, key.Endpoint)
	if err == nil {
		err = d.records.Delete(ctx, key.Workspace, kindHealth, key.Endpoint)
	}
	if err == nil {
		err = d.box.Forget(ctx, key.Workspace, kindEndpoint, key.Endpoint)
	}
	if err == nil {
		err = d.changed(ctx)
	}
	if err != nil {
		return fmt.Errorf("delete endpoint: %w", err)
	}
	return nil
}

// changed makes a new revision, after what it is of.
func (d *Directory) changed(ctx context.Context) error {
	doc, err := json.Marshal(rand.Text())
	if err != nil {
		return err
	}
	return d.records.Put(ctx, noWorkspace, kindRevision, kindEndpoint, doc)
}

// Revision is another one after each change of an endpoint that was answered, "" before the
// first.
func (d *Directory) Revision(ctx context.Context) (string, error) {
	doc, err := d.records.Get(ctx, noWorkspace, kindRevision, kindEndpoint)
	if errors.Is(err, event.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read the revision of endpoints: %w", err)
	}
	return string(doc), nil
}

// List returns a workspace's endpoints by name, their secrets sealed.
func (d *Directory) List(ctx context.Context, workspace string) ([]Kept, error) {
	docs, err := d.records.List(ctx, workspace, kindEndpoint)
	if err != nil {
		return nil, fmt.Errorf("list endpoints: %w", err)
	}
	all := make([]Kept, len(docs))
	for i, doc := range docs {
		if err := json.Unmarshal(doc.Doc, &all[i]); err != nil {
			return nil, fmt.Errorf("list endpoints: %w", err)
		}
	}
	return all, nil
}

// Workspaces are those that have, or had, endpoints.
func (d *Directory) Workspaces(ctx context.Context) ([]string, error) {
	docs, err := d.records.List(ctx, noWorkspace, kindWorkspace)
	names := make([]string, len(docs))
	for i, doc := range docs {
		names[i] = doc.ID
	}
	if err != nil {
		return nil, fmt.Errorf("list endpoints: %w", err)
	}
	return names, nil
}

// Endpoint opens one for the worker.
func (d *Directory) Endpoint(ctx context.Context, key EndpointKey) (Endpoint, error) {
	if user, ok := mailTo(key.Endpoint); ok {
		return d.ofUser(ctx, key, user)
	}
	if user, device, ok := deviceOf(key.Endpoint); ok {
		return d.Devices.endpoint(ctx, key, user, device)
	}
	kept, secrets, err := d.Get(ctx, key)
	if err != nil {
		return Endpoint{}, err
	}
	e := Endpoint{EndpointKey: key, Kind: kept.Kind, URL: kept.URL, To: kept.To, Secrets: secrets.Signing, Enabled: kept.Enabled}
	if secrets.URL != "" {
		e.URL = secrets.URL
	}
	if d.mail != nil {
		e.Server = *d.mail
	}
	if kept.Kind.CRM() {
		e.Account = crm.Account{
			Vendor: crm.Vendor(kept.Kind), URL: kept.URL, Token: secrets.Token, ClientID: secrets.ClientID, ClientSecret: secrets.ClientSecret, Steps: kept.Steps,
		}
	}
	return e, nil
}

// ofUser is where a user's mail goes.
func (d *Directory) ofUser(ctx context.Context, key EndpointKey, user string) (Endpoint, error) {
	if d.mail == nil || d.Addresses == nil {
		return Endpoint{}, fmt.Errorf("find endpoint: %w", event.ErrNotFound)
	}
	to, err := d.Addresses(ctx, key.Workspace, user)
	if err != nil {
		return Endpoint{}, fmt.Errorf("find endpoint: %w", err)
	}
	return Endpoint{EndpointKey: key, Kind: Mail, To: to, Server: *d.mail, Enabled: true}, nil
}

// Gone lets a device go that wants nothing any more. Other endpoints stay, disabled, for
// whoever looks after them.
func (d *Directory) Gone(ctx context.Context, key EndpointKey) error {
	user, device, ok := deviceOf(key.Endpoint)
	if !ok {
		return nil
	}
	return d.Devices.Drop(ctx, key.Workspace, user, device)
}

// Health reads the health of an endpoint, and replaces it where apply is not nil.
func (d *Directory) Health(ctx context.Context, key EndpointKey, apply func(*Health)) (Health, error) {
	for range 20 { // Others of this endpoint's tries end at the same time.
		health := Health{Mode: OK}
		old, err := d.records.Get(ctx, key.Workspace, kindHealth, key.Endpoint)
		switch {
		case errors.Is(err, event.ErrNotFound):
			old = nil
		case err != nil:
			return health, fmt.Errorf("read the health of an endpoint: %w", err)
		default:
			if err := json.Unmarshal(old, &health); err != nil {
				return health, fmt.Errorf("read the health of an endpoint: %w", err)
			}
		}
		if apply == nil {
			return health, nil
		}
		apply(&health)
		doc, err := json.Marshal(health)
		if err == nil && bytes.Equal(doc, old) {
			return health, nil
		}
		if err == nil {
			err = d.records.Swap(ctx, key.Workspace, kindHealth, key.Endpoint, old, doc)
		}
		if !errors.Is(err, event.ErrConflict) {
			return health, err
		}
	}
	return Health{}, fmt.Errorf("write the health of an endpoint: %w", event.ErrConflict)
}

// Reseal seals again what is sealed by an older key, in every workspace.
func (d *Directory) Reseal(ctx context.Context) error {
	workspaces, err := d.Workspaces(ctx)
	if err != nil {
		return err
	}
	for _, workspace := range workspaces {
		all, err := d.List(ctx, workspace)
		if err != nil {
			return err
		}
		for _, kept := range all {
			if err := d.reseal(ctx, EndpointKey{workspace, kept.Name}); err != nil && !errors.Is(err, event.ErrNotFound) && !errors.Is(err, secret.ErrLocked) {
				return err
			}
		}
	}
	sealed, err := secret.SealedRecords(ctx, d.records)
	if err != nil {
		return err
	}
	for _, at := range sealed {
		if at.Kind == KindDevices {
			if err := d.Devices.reseal(ctx, at.Workspace, at.ID); err != nil {
				return err
			}
		}
	}
	return d.Devices.resealKey(ctx)
}

func (d *Directory) reseal(ctx context.Context, key EndpointKey) error {
	kept, secrets, err := d.Get(ctx, key)
	if err != nil || kept.Sealed == "" {
		return err
	}
	stale, err := d.box.Stale(ctx, key.Workspace, kept.Sealed)
	if err != nil || !stale {
		return err
	}
	return d.Put(ctx, key.Workspace, kept, secrets)
}

// CheckName says what is wrong with the name of an endpoint.
func CheckName(name string) error {
	if name == "" || len(name) > 100 || strings.ContainsAny(name, "|/\x00\r\n") {
		return event.Invalid("name", "is empty, has more than 100 bytes, or holds | or /")
	}
	return nil
}
