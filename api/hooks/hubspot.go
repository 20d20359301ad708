package hooks

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"tidings/api/hooks/mapping"
	"tidings/event"
)

// hubspot is HubSpot: what an app's subscriptions report, in batches, and the
// webhooks of workflows, which carry a whole contact.
// https://developers.hubspot.com/docs/api/webhooks
//
// A subscription reports the number of an object and no address, so the person
// of such an event is the object: contact-51@hubspot.invalid.
type hubspot struct{}

// Check wants the app's client secret.
func (hubspot) Check(s Secrets) *event.FieldError { return needKeys(s, "the client secret of the app") }

// Verify checks version 3 of HubSpot's signatures: over the method, the address,
// the body and the time. Behind a proxy we cannot know whether the address
// began with https, so both are tried.
func (hubspot) Verify(_ context.Context, r *Request, s Secrets, now time.Time) error {
	signature, timestamp, err := hubspotSigned(r, now)
	if err != nil {
		return err
	}
	_, rest, _ := strings.Cut(r.URL, "://")
	found := false
	for _, scheme := range []string{"https://", "http://"} {
		found = anyKey(s.Keys, signature, []byte(http.MethodPost+scheme+rest), r.Body, []byte(timestamp)) || found
	}
	if !found {
		return Wrong
	}
	return nil
}

// VerifyHead wants a signature and when it was made.
func (hubspot) VerifyHead(r *Request, _ Secrets, now time.Time) error {
	_, _, err := hubspotSigned(r, now)
	return err
}

func hubspotSigned(r *Request, now time.Time) (signature []byte, timestamp string, err error) {
	given, timestamp := r.Header.Get("X-Hubspot-Signature-V3"), r.Header.Get("X-Hubspot-Request-Timestamp")
	if given == "" || timestamp == "" {
		return nil, "", Unsigned
	}
	signature, err = base64.StdEncoding.DecodeString(given)
	if err != nil || len(signature) != sha256.Size {
		return nil, "", Wrong
	}
	milliseconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return nil, "", Stale
	}
	return signature, timestamp, fresh(time.UnixMilli(milliseconds), now, skew)
}

type hubspotEvent struct {
	ID     int64  `json:"eventId"`
	What   string `json:"subscriptionType"`
	Portal int64  `json:"portalId"`
	Object int64  `json:"objectId"`
	// Kind is the number of the object's type where the subscription says
	// "object". An association has two ends, and no object.
	Kind        string  `json:"objectTypeId"`
	From        int64   `json:"fromObjectId"`
	FromKind    string  `json:"fromObjectTypeId"`
	To          int64   `json:"toObjectId"`
	ToKind      string  `json:"toObjectTypeId"`
	Association string  `json:"associationType"`
	Removed     bool    `json:"associationRemoved"`
	Occurred    instant `json:"occurredAt"`
	Name        string  `json:"propertyName"`
	Value       string  `json:"propertyValue"`

	// What follows is of workflows.
	Contact    int64                     `json:"vid"`
	Properties map[string]jsontext.Value `json:"properties"`
}

// Decode reads a batch, or the contact of a workflow.
func (hubspot) Decode(r *Request) (Decoded, error) { return each(r.Body, hubspotEvent.read) }

func (e hubspotEvent) read(jsontext.Value) ([]Event, string, error) {
	if e.What == "" && e.Contact != 0 {
		return e.workflow()
	}
	if e.What == "" {
		return nil, "", nameless("subscriptionType")
	}
	object, what, ok := strings.Cut(e.What, ".")
	if e.Object == 0 {
		e.Object, e.Kind = e.From, firstOf(e.Kind, e.FromKind)
	}
	if name := hubspotObjects[e.Kind]; name != "" && object == "object" {
		object = name
	}
	if !ok || e.Object == 0 || !knownObject[object] {
		return nil, e.What, nil
	}
	number, value := strconv.FormatInt(e.Object, 10), e.Value
	in := event.Input{
		ID:      key(strconv.FormatInt(e.Portal, 10), strconv.FormatInt(e.ID, 10), e.What, number, e.occurred()),
		Message: "hubspot/" + object + "/" + number,
		Recipient: &event.Person{
			Email: object + "-" + number + "@hubspot.invalid", Name: "HubSpot " + object + " " + number,
		},
	}
	in.Time = e.Occurred.moment()
	if object == "contact" && e.Name == "email" && strings.Contains(value, "@") {
		in.Recipient = personOf(value, "")
	}
	in = custom(in, object+"."+what, object+" "+sentence[what])
	if e.Name != "" {
		in.Title = shorten(object+" "+e.Name+": "+value, maxText)
	}
	if e.To != 0 {
		verb := "linked to"
		if e.Removed {
			verb = "unlinked from"
		}
		in.Title = shorten(object+" "+verb+" "+firstOf(hubspotObjects[e.ToKind], "object")+" "+strconv.FormatInt(e.To, 10), maxText)
		in.ID = key(in.ID, strconv.FormatInt(e.To, 10))
	}
	return []Event{{Input: in}}, "", nil
}

// occurred is the time for an event's key, in milliseconds.
func (e hubspotEvent) occurred() string {
	if e.Occurred.IsZero() {
		return "0"
	}
	return strconv.FormatInt(e.Occurred.UnixMilli(), 10)
}

// knownObject are the objects whose events are shown.
var knownObject = map[string]bool{
	"contact": true, "company": true, "deal": true, "ticket": true, "product": true, "line_item": true,
	"conversation": true, "object": true,
}

// hubspotObjects are objects by the numbers of their types.
// https://developers.hubspot.com/docs/api/crm/understanding-the-crm#object-type-ids
var hubspotObjects = map[string]string{
	"0-1": "contact", "0-2": "company", "0-3": "deal", "0-5": "ticket", "0-7": "product", "0-8": "line_item", "0-11": "conversation",
}

// sentence says in words what happened to an object.
var sentence = map[string]string{
	"creation": "made", "deletion": "deleted", "privacyDeletion": "deleted for privacy", "merge": "merged",
	"restore": "restored", "propertyChange": "changed", "associationChange": "linked", "newMessage": "new message",
}

// workflow is a contact that a workflow sends.
func (e hubspotEvent) workflow() ([]Event, string, error) {
	number := strconv.FormatInt(e.Contact, 10)
	changed := e.property("lastmodifieddate")
	in := event.Input{
		ID: key("workflow", number, changed), Message: "hubspot/contact/" + number,
		Recipient: &event.Person{
			Email: firstOf(address(e.property("email")), "contact-"+number+"@hubspot.invalid"),
			Name:  shorten(e.property("firstname")+" "+e.property("lastname"), maxName),
		},
	}
	in.Time = momentOf(mapping.Instant(changed))
	in = custom(in, "contact.workflow", "contact "+firstOf(e.property("lifecyclestage"), "in a workflow"))
	return []Event{{Input: in}}, "", nil
}

// property is a contact's: a value, or an object with one.
func (e hubspotEvent) property(name string) string {
	raw := e.Properties[name]
	var text string
	if jsonv2.Unmarshal(raw, &text, lenient()) == nil {
		return text
	}
	var within struct {
		Value string `json:"value"`
	}
	if jsonv2.Unmarshal(raw, &within, lenient()) == nil {
		return within.Value
	}
	return ""
}

// Sample is a deal that moved.
func (hubspot) Sample() *Request {
	return &Request{Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(
		`[{"eventId":100,"subscriptionId":1,"portalId":62515,"occurredAt":1763285400250,"subscriptionType":"deal.propertyChange",` +
			`"attemptNumber":0,"objectId":17,"propertyName":"dealstage","propertyValue":"closedwon"}]`)}
}
