// Package hooks knows the webhooks of mail providers, calendars, CRMs and
// applicant trackers. A request as it came goes in; whether its sender may be
// believed, and the events that it reports, come out. Each vendor has one file
// with one Provider.
//
// A Provider verifies over the raw body with the standard library's
// cryptography, and decodes leniently: what a vendor adds is passed over, an
// event nobody knows is named and not failed, and one bad element of a batch
// spoils no other. It keeps nothing but what guards against replays, and
// reaches nobody but Amazon's own hosts, for certificates and subscriptions.
package hooks

import (
	"context"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"tidings/api/hooks/mapping"
	"tidings/event"

	lru "github.com/hashicorp/golang-lru/v2"
)

// Request is a webhook as it came.
type Request struct {
	// URL is the address that the sender used, for those who sign it.
	URL    string
	Header http.Header
	// Body may be used until Decode's results are done with.
	Body []byte
	// Remote is who connected.
	Remote netip.Addr
}

// Secrets are what a source's requests are verified with.
type Secrets struct {
	// Keys are shared secrets, public keys or, for Amazon, topics: whatever the
	// provider's scheme needs. Any of them will do, so that one can be replaced
	// while the other still works.
	Keys []string
	// Basic are pairs user:password of HTTP basic authentication.
	Basic []string
	// Addresses are where requests may come from.
	Addresses []netip.Prefix
}

// Decoded is what a request reports.
type Decoded struct {
	Events []Event
	// Unknown are elements of the vendor that become nothing here.
	Unknown []Unknown
	// Rejected are elements that cannot be understood.
	Rejected []Fault
	// Finish is what remains to be done once the events are durable, such as
	// confirming a subscription; nil when nothing does.
	Finish func(context.Context) error
}

// Event is one event of a request, not validated yet.
type Event struct {
	event.Input
	// Owner is the address of the person on our side, where the vendor tells.
	Owner string
	// Payload is the vendor's own object, in JSON where the vendor writes that.
	Payload []byte
	// Again is a body that this event can be decoded from again; Payload when nil.
	Again []byte
	// Untimed says that the vendor tells no time: when it first arrived counts,
	// under the event's ID.
	Untimed bool
}

// Decodable is what the event can be decoded from again.
func (e Event) Decodable() []byte {
	if e.Again != nil {
		return e.Again
	}
	return e.Payload
}

// Unknown is an element of a request that becomes nothing here.
type Unknown struct {
	// Name is the vendor's word for it.
	Name string
	// Payload is a body that holds this element alone, and can be decoded again;
	// nil where there is nothing to try again.
	Payload []byte
}

// Fault is an element of a request that cannot be understood.
type Fault struct {
	// Reason is for the admin of the source.
	Reason string
	// Payload is a body that holds this element alone, and can be decoded again.
	Payload []byte
}

// Refusal is why a request is not believed, in a word to count by.
type Refusal string

// The refusals.
const (
	// Unsigned requests carry no signature or no credentials.
	Unsigned Refusal = "unsigned"
	// Wrong signatures or credentials are not those of this source.
	Wrong Refusal = "wrong_signature"
	// Stale requests were signed too long ago, or in the future.
	Stale Refusal = "stale"
	// Replayed requests use a one-time token for another body.
	Replayed Refusal = "replayed"
	// Elsewhere is an address that the source does not allow.
	Elsewhere Refusal = "wrong_address"
)

func (r Refusal) Error() string { return "webhook refused: " + string(r) }

// Is makes every Refusal an event.ErrForbidden.
func (r Refusal) Is(target error) bool { return target == event.ErrForbidden }

// Hooks are the providers.
type Hooks struct {
	providers map[string]Provider
	// vendors are those of the providers that are mappings.
	vendors  map[string]Vendor
	compiled *lru.Cache[[32]byte, *mapped]
	claims   Claims
	clock    func() time.Time
	arrivals *lru.Cache[string, time.Time]
}

// New makes the providers. amazon fetches certificates and confirms
// subscriptions: that of package outbound, outside of tests. Without claims, each process
// knows alone which one-time tokens were used, for as long as it runs.
func New(amazon *http.Client, claims Claims) *Hooks {
	h := &Hooks{claims: claims, clock: time.Now, compiled: newCompiled(), arrivals: newArrivals(), providers: map[string]Provider{
		"sendgrid":    sendgrid{},
		"mailgun":     newMailgun(claims),
		"postmark":    postmark{},
		"ses":         newSES(amazon),
		"resend":      resend{},
		"standard":    standard{},
		"cloudevents": cloudEvents{},
		"hubspot":     hubspot{},
		"greenhouse":  greenhouse{},
		"calendly":    calendly{},
		jsonProvider:  mappedOf(Scheme{By: "path"}, mapping.Mapping{}, jsonSample()),
	}}
	var err error
	if h.vendors, err = vendors(); err != nil {
		panic(err) // the files are embedded, and tests read them all
	}
	for name, vendor := range h.vendors {
		h.providers[name] = vendor.provider()
	}
	return h
}

// Provider is a vendor by name.
func (h *Hooks) Provider(name string) (Provider, bool) {
	p, ok := h.providers[name]
	return p, ok
}

// Names lists the vendors.
func (h *Hooks) Names() []string {
	names := make([]string, 0, len(h.providers))
	for name := range h.providers {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
