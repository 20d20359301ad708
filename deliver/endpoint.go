package deliver

import (
	"encoding/base64"
	"strings"
	"time"

	"tidings/deliver/crm"
	"tidings/event"
)

// Kind is what an endpoint is.
type Kind string

// The kinds.
const (
	Webhook Kind = "webhook"
	Slack   Kind = "slack"
	Teams   Kind = "teams"
	Mail    Kind = "mail"
	// HubSpot and Salesforce are CRMs in which something is made sure of.
	HubSpot    Kind = Kind(crm.HubSpot)
	Salesforce Kind = Kind(crm.Salesforce)
	// Push is a person's device; nobody makes it as an endpoint.
	Push Kind = "push"
)

// Kinds are all kinds that endpoints are made of.
var Kinds = []Kind{Webhook, Slack, Teams, Mail, HubSpot, Salesforce}

// CRM reports whether a kind is a CRM.
func (k Kind) CRM() bool { return k == HubSpot || k == Salesforce }

// Endpoint is where something is delivered to, with its secrets open.
type Endpoint struct {
	EndpointKey
	Kind Kind
	// URL is the address; of Slack and Teams it is a secret.
	URL string
	// To is the recipient of mail: one, so that no try gives another a second copy.
	To string
	// Secrets sign webhooks, the newest first; an older one ends at Until.
	Secrets []SigningSecret
	Enabled bool
	// Server is who sends mail.
	Server SMTP
	// Target is a device's, and URL its push service's.
	Target PushTarget
	// Account is a CRM's.
	Account crm.Account
}

// SigningSecret is a whsec_ text, and until when it signs; zero for no end.
type SigningSecret struct {
	Text  string    `json:"text"`
	Until time.Time `json:"until,omitzero"`
}

// Bounds of secrets, in bytes, as Standard Webhooks has them.
const (
	minSecret = 24
	maxSecret = 64
	// RotationTime is how long the secret before signs too.
	RotationTime = 24 * time.Hour
)

// secretBytes reads a secret.
func secretBytes(text string) ([]byte, error) {
	coded, ok := strings.CutPrefix(text, "whsec_")
	raw, err := base64.StdEncoding.DecodeString(coded)
	if !ok || err != nil || len(raw) < minSecret || len(raw) > maxSecret {
		return nil, event.Invalid("secret", "is not whsec_ followed by 24 to 64 bytes in base64")
	}
	return raw, nil
}

// CheckSecret says what is wrong with a secret.
func CheckSecret(text string) error {
	_, err := secretBytes(text)
	return err
}

// active are the secrets that sign at a time.
func (e Endpoint) active(now time.Time) []string {
	var active []string
	for _, secret := range e.Secrets {
		if secret.Until.IsZero() || now.Before(secret.Until) {
			active = append(active, secret.Text)
		}
	}
	return active
}

// schedule is when tries are made.
func (k Kind) schedule() Schedule {
	switch k {
	case Slack, Teams:
		return chatSchedule
	case Mail:
		return mailSchedule
	case Push:
		return pushSchedule
	}
	return webhookSchedule
}
