package crm

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"tidings/address"
)

// HubSpotURL is where HubSpot's API is.
const HubSpotURL = "https://api.hubapi.com"

// hubspot does steps in an account at HubSpot, by the token of a private app.
// https://developers.hubspot.com/docs/api-reference/error-handling
type hubspot struct {
	client  *Client
	account Account
}

// hubError is what HubSpot says of something that it did not do; any of it may be absent.
type hubError struct {
	Category string `json:"category"`
	Message  string `json:"message"`
	Context  struct {
		Trace []string `json:"objectWriteTraceId"`
	} `json:"context"`
}

type hubContacts struct {
	Results []hubContact `json:"results"`
	Errors  []hubError   `json:"errors"`
}

type hubContact struct {
	ID         string `json:"id"`
	Trace      string `json:"objectWriteTraceId"`
	Properties struct {
		Email string `json:"email"`
	} `json:"properties"`
}

type hubInputs struct {
	Inputs     []hubInput `json:"inputs"`
	Properties []string   `json:"properties,omitempty"`
	// IDProperty is of a whole batch that is read.
	IDProperty string `json:"idProperty,omitempty"`
}

type hubInput struct {
	ID         string            `json:"id"`
	IDProperty string            `json:"idProperty,omitempty"`
	Trace      string            `json:"objectWriteTraceId,omitempty"`
	Properties map[string]string `json:"properties,omitempty"`
}

func (h *hubspot) call(ctx context.Context, method, path string, body any) (reply, *Failure) {
	header := http.Header{"Authorization": {"Bearer " + h.account.Token}}
	return h.client.call(ctx, method, h.account.URL+path, header, body)
}

// refused is why a call was not done; nil where it was.
func (h *hubspot) refused(r reply) *Failure {
	if r.status >= 200 && r.status < 300 {
		return nil
	}
	var said hubError
	_ = r.read(&said) // What cannot be read says nothing more than the status.
	if f := r.account(said.Category, said.Message); f != nil {
		return f
	}
	f := r.failure(said.Category, said.Message)
	// 409 says that somebody else writes the same record: at the next try it is there.
	f.Final = r.status != http.StatusConflict
	return f
}

// people finds contacts by their address, which is unique, and makes those that are not
// there. Making is an upsert: one that was made by somebody else meanwhile is the same.
// https://developers.hubspot.com/docs/api-reference/legacy/crm/objects/contacts/batch/upsert-contacts
func (h *hubspot) people(ctx context.Context, step EnsureStep, people []person) []outcome {
	found, failure := h.find(ctx, people)
	if failure != nil {
		return every(len(people), failure)
	}
	outs := make([]outcome, len(people))
	var missing []int
	for i, person := range people {
		if outs[i].id = found[person.email]; outs[i].id == "" {
			missing = append(missing, i)
		}
	}
	if len(missing) > 0 {
		for k, out := range h.create(ctx, step, people, missing) {
			outs[missing[k]] = out
		}
	}
	return outs
}

// find reads which contacts there are, by address.
func (h *hubspot) find(ctx context.Context, people []person) (map[string]string, *Failure) {
	inputs := hubInputs{Properties: []string{"email"}, IDProperty: "email"}
	for _, person := range people {
		inputs.Inputs = append(inputs.Inputs, hubInput{ID: address.ASCII(person.email)})
	}
	r, failure := h.call(ctx, http.MethodPost, "/crm/v3/objects/contacts/batch/read", inputs)
	if failure != nil {
		return nil, failure
	}
	found := make(map[string]string)
	if r.status == http.StatusNotFound || r.status == http.StatusBadRequest {
		return found, nil // None of them, or one that is no address: making says so of it alone.
	}
	if failure := h.refused(r); failure != nil {
		return nil, failure
	}
	var contacts hubContacts
	if failure := r.read(&contacts); failure != nil {
		return nil, failure
	}
	for _, contact := range contacts.Results {
		found[address.Fold(contact.Properties.Email)] = contact.ID
	}
	return found, nil
}

func (h *hubspot) create(ctx context.Context, step EnsureStep, people []person, missing []int) []outcome {
	var inputs hubInputs
	for _, i := range missing {
		email := address.ASCII(people[i].email)
		values := people[i].values
		inputs.Inputs = append(inputs.Inputs, hubInput{
			ID: email, IDProperty: "email", Trace: traceOf(i),
			Properties: step.fields(map[string]string{"email": email, "firstname": values["first_name"], "lastname": values["last_name"]}, values),
		})
	}
	r, failure := h.call(ctx, http.MethodPost, "/crm/v3/objects/contacts/batch/upsert", inputs)
	if failure == nil {
		failure = h.refused(r)
	}
	if failure != nil {
		if failure.All || len(missing) == 1 {
			return every(len(missing), failure)
		}
		return halves(missing, func(part []int) []outcome { return h.create(ctx, step, people, part) })
	}
	var contacts hubContacts
	if failure := r.read(&contacts); failure != nil {
		return every(len(missing), failure)
	}
	return h.sort(r, contacts, people, missing)
}

func traceOf(i int) string { return fmt.Sprintf("tidings-%d", i) }

// sort finds out of a batch what came of whom. Whom it does not name is asked for again
// at the next try.
func (h *hubspot) sort(r reply, contacts hubContacts, people []person, missing []int) []outcome {
	outs := make([]outcome, len(missing))
	for k, i := range missing {
		outs[k].failure = &Failure{Status: r.status, Text: "the answer does not name the contact"}
		for _, contact := range contacts.Results {
			if contact.ID != "" && (contact.Trace == traceOf(i) || contact.Trace == "" && address.Fold(contact.Properties.Email) == people[i].email) {
				outs[k] = outcome{id: contact.ID}
			}
		}
		for _, said := range contacts.Errors {
			if slices.Contains(said.Context.Trace, traceOf(i)) {
				outs[k].failure = r.failure(said.Category, said.Message)
				outs[k].failure.Final = strings.Contains(said.Category, "VALIDATION")
			}
		}
	}
	return outs
}

// members adds contacts to a list; those that are on it already are left as they are.
// https://developers.hubspot.com/docs/api-reference/legacy/crm/lists/memberships/add-to-list
func (h *hubspot) members(ctx context.Context, step EnsureStep, persons []string) []outcome {
	r, failure := h.call(ctx, http.MethodPut, "/crm/v3/lists/"+step.Of+"/memberships/add", persons)
	if failure == nil {
		failure = h.refused(r)
	}
	if failure != nil {
		return every(len(persons), failure)
	}
	var answer struct {
		Missing []string `json:"recordIdsMissing"`
	}
	if failure := r.read(&answer); failure != nil {
		return every(len(persons), failure)
	}
	outs := make([]outcome, len(persons))
	for i, person := range persons {
		outs[i].id = person
		if slices.Contains(answer.Missing, person) {
			outs[i] = outcome{failure: &Failure{Status: r.status, Text: "the contact is not there any more", Stale: true}}
		}
	}
	return outs
}

type hubEvents struct {
	Inputs []hubEvent `json:"inputs"`
}

type hubEvent struct {
	Name       string            `json:"eventName"`
	Contact    string            `json:"objectId"`
	At         string            `json:"occurredAt"`
	UUID       string            `json:"uuid"`
	Properties map[string]string `json:"properties"`
}

// events sends occurrences of an event. Of several with one uuid HubSpot keeps the first,
// for a year.
// https://developers.hubspot.com/docs/api-reference/legacy/events/send-event-data/batch-send-occurrences
func (h *hubspot) events(ctx context.Context, step EnsureStep, occurrences []occurrence) []outcome {
	var body hubEvents
	for _, each := range occurrences {
		body.Inputs = append(body.Inputs, hubEvent{
			step.Of, each.person, each.at.UTC().Format(time.RFC3339), uuidOf(each.id), step.fields(nil, each.values),
		})
	}
	r, failure := h.call(ctx, http.MethodPost, "/events/v3/send/batch", body)
	if failure == nil {
		failure = h.refused(r)
	}
	switch {
	case failure == nil:
	case len(occurrences) > 1 && !failure.All:
		return halves(occurrences, func(part []occurrence) []outcome { return h.events(ctx, step, part) })
	case r.status != http.StatusConflict: // A conflict says that this uuid was sent before.
		return every(len(occurrences), failure)
	}
	outs := make([]outcome, len(occurrences))
	for i := range outs {
		outs[i].id = body.Inputs[i].UUID
	}
	return outs
}

// uuidOf is the same for the same delivery, in the form of RFC 9562, version 8.
func uuidOf(id string) string {
	sum := sha256.Sum256([]byte(id))
	sum[6] = sum[6]&0x0f | 0x80
	sum[8] = sum[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// check looks for contacts, which any token may that can make them, and for the lists.
func (h *hubspot) check(ctx context.Context, steps []EnsureStep) *Failure {
	paths := []string{"/crm/v3/objects/contacts?limit=1&properties=email"}
	for _, step := range steps {
		if step.Ensure == ensureMember {
			paths = append(paths, "/crm/v3/lists/"+step.Of)
		}
	}
	for _, path := range paths {
		r, failure := h.call(ctx, http.MethodGet, path, nil)
		if failure == nil {
			failure = h.refused(r)
		}
		if failure != nil {
			return failure
		}
	}
	return nil
}
