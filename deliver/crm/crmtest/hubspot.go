package crmtest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
)

// HubSpot keeps contacts by their address, static lists, and events by their uuid.
type HubSpot struct {
	server
	// token is the one that is taken.
	token string
	made  int
	// contacts are ids by address in lower case.
	contacts map[string]string
	fields   map[string]map[string]string // by id
	lists    map[string]map[string]int    // list, contact, how often
	events   map[string]int               // contact and uuid, how often
}

// NewHubSpot starts one that has a list. It takes one token.
func NewHubSpot(token string, lists ...string) *HubSpot {
	h := &HubSpot{
		token: token, contacts: map[string]string{}, fields: map[string]map[string]string{}, lists: map[string]map[string]int{}, events: map[string]int{},
	}
	for _, list := range lists {
		h.lists[list] = map[string]int{}
	}
	h.Server = httptest.NewServer(http.HandlerFunc(h.serve))
	return h
}

// SetToken has another token be the one.
func (h *HubSpot) SetToken(token string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.token = token
}

// Contacts are the ids by address.
func (h *HubSpot) Contacts() map[string]string {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := make(map[string]string, len(h.contacts))
	for email, id := range h.contacts {
		all[email] = id
	}
	return all
}

// Fields are the properties of a contact.
func (h *HubSpot) Fields(email string) map[string]string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.fields[h.contacts[email]]
}

// Members are the contacts of a list, and Events how many there are of a contact.
func (h *HubSpot) Members(list string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.lists[list])
}

// Events counts the events of a contact.
func (h *HubSpot) Events(email string) (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for key := range h.events {
		if strings.HasPrefix(key, h.contacts[email]+"|") {
			n++
		}
	}
	return n
}

// Merge gives a contact another id, as merging it into another does.
func (h *HubSpot) Merge(email string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	old := h.contacts[email]
	h.put(email, nil, true)
	delete(h.fields, old)
}

// put makes a contact, or another one for the same address.
func (h *HubSpot) put(email string, fields map[string]string, another bool) (id string, made bool) {
	email = strings.ToLower(email)
	if id, there := h.contacts[email]; there && !another {
		return id, false
	}
	h.made++
	id = fmt.Sprint(100 + h.made)
	h.contacts[email], h.fields[id] = id, fields
	return id, true
}

func hubProblem(w http.ResponseWriter, status int, category, message string) {
	answer(w, status, map[string]any{"status": "error", "category": category, "message": message, "correlationId": "c"})
}

func (h *HubSpot) serve(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	fault := h.next()
	switch {
	case fault == Dead:
		hangUp()
	case fault == Expired, r.Header.Get("Authorization") != "Bearer "+h.token:
		hubProblem(w, http.StatusUnauthorized, "EXPIRED_AUTHENTICATION", "The OAuth token used to make this call expired")
		return
	case fault == Limited:
		w.Header().Set("Retry-After", "10")
		hubProblem(w, http.StatusTooManyRequests, "RATE_LIMITS", "You have reached your ten_secondly_rolling limit.")
		return
	case fault == Broken:
		hubProblem(w, http.StatusBadGateway, "", "")
		return
	case fault == Locked:
		hubProblem(w, http.StatusLocked, "", "the resource is locked")
		return
	}
	switch path := r.URL.Path; {
	case r.Method == http.MethodGet && path == "/crm/v3/objects/contacts":
		answer(w, http.StatusOK, map[string]any{"results": []any{}})
	case path == "/crm/v3/objects/contacts/batch/read":
		h.read(w, r)
	case path == "/crm/v3/objects/contacts/batch/upsert":
		h.upsert(w, r, fault)
	case path == "/events/v3/send/batch":
		h.send(w, r, fault)
	case strings.HasPrefix(path, "/crm/v3/lists/"):
		h.list(w, r, fault)
	default:
		hubProblem(w, http.StatusNotFound, "OBJECT_NOT_FOUND", "no such path")
	}
	if fault == Lost {
		hangUp() // What was written has not left: the answer is smaller than a buffer.
	}
}

type hubBatch struct {
	IDProperty string `json:"idProperty"`
	Inputs     []struct {
		ID         string            `json:"id"`
		IDProperty string            `json:"idProperty"`
		Trace      string            `json:"objectWriteTraceId"`
		Properties map[string]string `json:"properties"`
		Name       string            `json:"eventName"`
		Contact    string            `json:"objectId"`
		UUID       string            `json:"uuid"`
	} `json:"inputs"`
}

func (h *HubSpot) batch(w http.ResponseWriter, r *http.Request, most int) (b hubBatch, ok bool) {
	if !read(r, &b) || len(b.Inputs) == 0 || len(b.Inputs) > most {
		hubProblem(w, http.StatusBadRequest, "VALIDATION_ERROR", "Invalid input JSON")
		return b, false
	}
	h.largest = max(h.largest, len(b.Inputs))
	return b, true
}

func (h *HubSpot) read(w http.ResponseWriter, r *http.Request) {
	b, ok := h.batch(w, r, 100)
	if !ok {
		return
	}
	results := []any{}
	for _, in := range b.Inputs {
		if id, there := h.contacts[strings.ToLower(in.ID)]; there && b.IDProperty == "email" {
			results = append(results, map[string]any{"id": id, "properties": map[string]string{"email": strings.ToLower(in.ID)}})
		}
	}
	status := http.StatusOK
	if len(results) < len(b.Inputs) {
		status = http.StatusMultiStatus
	}
	answer(w, status, map[string]any{"status": "COMPLETE", "results": results})
}

func (h *HubSpot) upsert(w http.ResponseWriter, r *http.Request, fault Fault) {
	b, ok := h.batch(w, r, 100)
	if !ok {
		return
	}
	seen := map[string]bool{}
	for _, in := range b.Inputs {
		switch {
		case seen[strings.ToLower(in.ID)]:
			hubProblem(w, http.StatusBadRequest, "VALIDATION_ERROR", "Duplicate IDs found in batch input")
			return
		case strings.HasPrefix(in.ID, "bad"):
			hubProblem(w, http.StatusBadRequest, "VALIDATION_ERROR", "Property values were not valid")
			return
		}
		seen[strings.ToLower(in.ID)] = true
	}
	if fault == Raced {
		h.put(b.Inputs[0].ID, nil, false)
		hubProblem(w, http.StatusConflict, "CONFLICT", "Contact already exists.")
		return
	}
	results, errors := []any{}, []any{}
	for i, in := range b.Inputs {
		switch {
		case fault == Half && i >= (len(b.Inputs)+1)/2:
			hangUp()
		case fault == Partial && i%2 == 0:
			errors = append(errors, map[string]any{"category": "INTERNAL_ERROR", "message": "an item failed", "context": map[string]any{"objectWriteTraceId": []string{in.Trace}}})
			continue
		}
		id, made := h.put(in.ID, in.Properties, false)
		results = append(results, map[string]any{"id": id, "new": made, "objectWriteTraceId": in.Trace, "properties": map[string]string{"email": strings.ToLower(in.ID)}})
	}
	status := http.StatusOK
	if len(errors) > 0 {
		status = http.StatusMultiStatus
	}
	answer(w, status, map[string]any{"status": "COMPLETE", "results": results, "errors": errors, "numErrors": len(errors)})
	if fault == Half {
		hangUp()
	}
}

func (h *HubSpot) list(w http.ResponseWriter, r *http.Request, fault Fault) {
	name, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/crm/v3/lists/"), "/")
	list := h.lists[name]
	if list == nil {
		hubProblem(w, http.StatusNotFound, "OBJECT_NOT_FOUND", "List does not exist with ID "+name)
		return
	}
	if r.Method == http.MethodGet {
		answer(w, http.StatusOK, map[string]any{"list": map[string]any{"listId": name}})
		return
	}
	var ids []string
	if rest != "memberships/add" || r.Method != http.MethodPut || !read(r, &ids) {
		hubProblem(w, http.StatusBadRequest, "VALIDATION_ERROR", "Invalid input JSON")
		return
	}
	added, missing := []string{}, []string{}
	for i, id := range ids {
		if _, there := h.fields[id]; !there {
			missing = append(missing, id)
			continue
		}
		if fault == Half && i >= (len(ids)+1)/2 {
			hangUp()
		}
		if list[id] == 0 {
			list[id]++
			added = append(added, id)
		}
	}
	answer(w, http.StatusOK, map[string]any{"recordsIdsAdded": added, "recordIdsMissing": missing, "recordIdsRemoved": []string{}})
	if fault == Half {
		hangUp()
	}
}

func (h *HubSpot) send(w http.ResponseWriter, r *http.Request, fault Fault) {
	b, ok := h.batch(w, r, 500)
	if !ok {
		return
	}
	for i, in := range b.Inputs {
		if fault == Half && i >= (len(b.Inputs)+1)/2 {
			hangUp()
		}
		if in.Name == "" || in.Contact == "" || in.UUID == "" {
			hubProblem(w, http.StatusBadRequest, "VALIDATION_ERROR", "eventName and a contact are required")
			return
		}
		// Each uuid counts once, whoever's it is.
		h.events[in.Contact+"|"+in.UUID]++
	}
	if fault == Raced {
		hubProblem(w, http.StatusConflict, "CONFLICT", "an event with this uuid was sent before")
		return
	}
	answer(w, http.StatusNoContent, nil)
	if fault == Half {
		hangUp()
	}
}
