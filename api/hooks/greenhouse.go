package hooks

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"tidings/event"
)

// greenhouse is the applicant tracker Greenhouse.
// https://developers.greenhouse.io/webhooks.html
type greenhouse struct{}

// Check wants the secret key of the webhook.
func (greenhouse) Check(s Secrets) *event.FieldError {
	return needKeys(s, "the secret key of the webhook")
}

// Verify checks the signature over the body. Greenhouse signs no time; the
// event's own key keeps a replay from becoming a second event.
func (greenhouse) Verify(_ context.Context, r *Request, s Secrets, _ time.Time) error {
	signature, err := greenhouseSigned(r)
	if err == nil && !anyKey(s.Keys, signature, r.Body) {
		return Wrong
	}
	return err
}

// VerifyHead wants a signature.
func (greenhouse) VerifyHead(r *Request, _ Secrets, _ time.Time) error {
	_, err := greenhouseSigned(r)
	return err
}

func greenhouseSigned(r *Request) ([]byte, error) {
	given := r.Header.Get("Signature")
	if given == "" {
		return nil, Unsigned
	}
	scheme, coded, _ := strings.Cut(given, " ")
	signature, err := hex.DecodeString(strings.TrimSpace(coded))
	if err != nil || scheme != "sha256" || len(signature) != sha256.Size {
		return nil, Wrong
	}
	return signature, nil
}

type greenhouseBody struct {
	Action  string            `json:"action"`
	Payload greenhousePayload `json:"payload"`
}

type greenhousePayload struct {
	Application struct {
		ID        int64               `json:"id"`
		Candidate greenhouseCandidate `json:"candidate"`
		// Person is the candidate's number where the candidate is not told.
		Person int64 `json:"candidate_id"`
		Jobs   []struct {
			Name string `json:"name"`
		} `json:"jobs"`
		Stage struct {
			Name string `json:"name"`
		} `json:"current_stage"`
		Applied  instant `json:"applied_at"`
		Rejected instant `json:"rejected_at"`
		Active   instant `json:"last_activity_at"`
	} `json:"application"`
	Candidate greenhouseCandidate `json:"candidate"`
	Interview *struct {
		ID        int64  `json:"id"`
		Status    string `json:"status"`
		Candidate int64  `json:"application_id"`
		Kind      struct {
			Name string `json:"name"`
		} `json:"interview"`
		Start struct {
			At instant `json:"date_time"`
		} `json:"start"`
		Changed instant `json:"updated_at"`
	} `json:"interview"`
	Offer struct {
		ID      int64   `json:"id"`
		Status  string  `json:"offer_status"`
		Created instant `json:"created_at"`
	} `json:"offer"`
	Updated instant `json:"updated_at"`
	Created instant `json:"created_at"`

	// Person is who was merged, Scorecard what was deleted. The numbers are of
	// payloads without their object, such as those of offers.
	Person    greenhouseCandidate `json:"person"`
	Scorecard struct {
		Candidate int64   `json:"candidate_id"`
		Changed   instant `json:"updated_at"`
	} `json:"scorecard"`
	ApplicationID int64 `json:"application_id"`
	CandidateID   int64 `json:"candidate_id"`
}

// candidate is whom an action is about, as far as it tells.
func (p greenhousePayload) candidate() greenhouseCandidate {
	for _, known := range []greenhouseCandidate{p.Application.Candidate, p.Candidate, p.Person} {
		if known.ID != 0 {
			return known
		}
	}
	for _, number := range []int64{p.Application.Person, p.CandidateID, p.Scorecard.Candidate} {
		if number != 0 {
			return greenhouseCandidate{ID: number}
		}
	}
	return greenhouseCandidate{}
}

type greenhouseCandidate struct {
	ID     int64  `json:"id"`
	First  string `json:"first_name"`
	Last   string `json:"last_name"`
	Emails []struct {
		Value string `json:"value"`
	} `json:"email_addresses"`
	Recruiter struct {
		Emails []string `json:"email_addresses"`
		Email  string   `json:"email"`
	} `json:"recruiter"`
	Updated instant `json:"updated_at"`
	Created instant `json:"created_at"`
}

// greenhouseTitles are the actions that become events, and how they read.
var greenhouseTitles = map[string]string{
	"new_candidate_application": "applied", "new_prospect_application": "became a prospect",
	"candidate_stage_change": "moved", "hire_candidate": "hired", "unhire_candidate": "not hired after all",
	"reject_candidate": "rejected", "unreject_candidate": "not rejected after all", "update_candidate": "changed",
	"delete_candidate": "deleted", "merge_candidate": "merged", "candidate_anonymized": "anonymized",
	"application_updated": "application changed", "delete_application": "application deleted",
	"offer_created": "offer made", "offer_updated": "offer changed", "offer_approved": "offer approved", "offer_deleted": "offer deleted",
	"new_interview": "interview", "update_interview": "interview changed", "delete_interview": "interview called off",
	"scorecard_deleted": "scorecard deleted",
}

// Decode reads one action.
func (greenhouse) Decode(r *Request) (Decoded, error) {
	body, err := decode[greenhouseBody](r.Body)
	if err != nil {
		return Decoded{}, err
	}
	if body.Action == "" {
		return Decoded{}, nameless("action")
	}
	var out Decoded
	switch title, known := greenhouseTitles[body.Action]; {
	case body.Action == "ping":
		// Greenhouse tries the address when the webhook is made.
	case !known:
		out.unknownIn(body.Action, r.Body)
	default:
		e := body.event(title)
		e.ID = key(firstOf(r.Header.Get("Greenhouse-Event-Id"), e.ID))
		e.Untimed = e.Time == nil && r.Header.Get("Greenhouse-Event-Id") != ""
		out.add(r.Body, e)
	}
	return out, nil
}

func (b greenhouseBody) event(title string) Event {
	p := b.Payload
	candidate := p.candidate()
	at := p.when(b.Action, candidate)
	application := p.Application.ID
	if p.Interview != nil && application == 0 {
		application = p.Interview.Candidate
	}
	if application == 0 {
		application = p.ApplicationID
	}
	about := "candidate/" + strconv.FormatInt(candidate.ID, 10)
	if application != 0 {
		about = "application/" + strconv.FormatInt(application, 10)
	}
	in := event.Input{
		Time: at.moment(), Message: "greenhouse/" + about, ID: key(b.Action, about, at.exact()),
	}
	if candidate.ID != 0 {
		in.Recipient = &event.Person{
			Email: "candidate-" + strconv.FormatInt(candidate.ID, 10) + "@greenhouse.invalid",
			Name:  shorten(candidate.First+" "+candidate.Last, maxName),
		}
	}
	if len(candidate.Emails) > 0 && strings.Contains(candidate.Emails[0].Value, "@") {
		in.Recipient = personOf(candidate.Emails[0].Value, candidate.First+" "+candidate.Last)
	}
	owner := candidate.Recruiter.Email
	if len(candidate.Recruiter.Emails) > 0 {
		owner = candidate.Recruiter.Emails[0]
	}
	if p.Interview != nil {
		return Event{Input: p.meeting(in, b.Action), Owner: strings.ToLower(owner)}
	}
	var words []string
	if len(p.Application.Jobs) > 0 {
		words = append(words, p.Application.Jobs[0].Name)
	}
	if b.Action == "candidate_stage_change" && p.Application.Stage.Name != "" {
		title = "moved to " + p.Application.Stage.Name
	}
	in = custom(in, b.Action, strings.Join(append([]string{title}, words...), ", "))
	return Event{Input: in, Owner: strings.ToLower(owner)}
}

// when is when an action happened; Greenhouse has no one place for it.
func (p greenhousePayload) when(action string, candidate greenhouseCandidate) instant {
	switch {
	case p.Interview != nil:
		return firstInstant(p.Interview.Changed, p.Interview.Start.At)
	case strings.HasPrefix(action, "new_"):
		return firstInstant(p.Application.Applied, candidate.Created, p.Created)
	case action == "reject_candidate":
		return firstInstant(p.Application.Rejected, p.Application.Active)
	case action == "offer_created":
		return firstInstant(p.Offer.Created, p.Created, p.Application.Active)
	}
	return firstInstant(p.Application.Active, p.Updated, candidate.Updated, p.Created)
}

func (p greenhousePayload) meeting(in event.Input, action string) event.Input {
	in.Type = event.Meeting
	in.Meeting = &event.AppointmentInput{
		Title: shorten(firstOf(p.Interview.Kind.Name, "Interview"), maxText), Start: p.Interview.Start.At.moment(),
	}
	if action == "delete_interview" {
		in.Meeting.Answer = "no"
	}
	in.Kind = action
	return in
}

// Sample is a candidate who moved on.
func (greenhouse) Sample() *Request {
	return &Request{Header: http.Header{"Content-Type": {"application/json"}, "Greenhouse-Event-Id": {"sample"}}, Body: jsontext.Value(
		`{"action":"candidate_stage_change","payload":{"application":{"id":17,"last_activity_at":"2025-11-16T09:30:00Z",` +
			`"jobs":[{"id":1,"name":"Engineer"}],"current_stage":{"id":2,"name":"Onsite"},"candidate":{"id":9,"first_name":"Jo",` +
			`"last_name":"Reyes","email_addresses":[{"value":"jo@example.com","type":"personal"}]}}}}`)}
}
