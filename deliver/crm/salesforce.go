package crm

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"tidings/address"
)

const (
	// salesforceAPI is the version of the REST API that is spoken.
	salesforceAPI = "/services/data/v62.0"
	// keyField is a text field, unique and an external id, that an admin adds to leads and
	// to activities: by it, what is made twice is one.
	keyField = "Tidings_Key__c"
	// mostFound is how many records one query asks for.
	mostFound = 200
)

// salesforce does steps in an org of Salesforce, by an app that signs in as itself.
type salesforce struct {
	client  *Client
	account Account
}

// sfError is one reason why Salesforce did not do something: a call names it errorCode, a
// record statusCode.
// https://developer.salesforce.com/docs/platform/api-rest/guide/errorcodes.md
type sfError struct {
	Code    string `json:"errorCode"`
	Status  string `json:"statusCode"`
	Message string `json:"message"`
}

// passing are reasons that pass by themselves: a row that another transaction holds, and
// a key that another made in the same moment, which is there the next time.
var passing = []string{
	"UNABLE_TO_LOCK_ROW", "DUPLICATE_VALUE", "DUPLICATE_EXTERNAL_ID", "ALL_OR_NONE_OPERATION_ROLLED_BACK", "SERVER_UNAVAILABLE",
	"REQUEST_RUNNING_TOO_LONG", "QUERY_TIMEOUT", "TXN_SECURITY_METERING_ERROR", "UNKNOWN_EXCEPTION",
}

// stale are reasons that the record of a person is not what it was: converted, deleted or
// merged.
var stale = []string{"CANNOT_UPDATE_CONVERTED_LEAD", "ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY"}

// failureOf is the first reason's failure.
func failureOf(r reply, reasons []sfError) *Failure {
	if len(reasons) == 0 {
		return r.failure("", "no reason was given")
	}
	code := cmp.Or(reasons[0].Code, reasons[0].Status)
	f := r.failure(code, reasons[0].Message)
	f.Stale = slices.Contains(stale, code)
	f.Final = !f.Stale && !slices.Contains(passing, code)
	return f
}

// call makes a call with the token of before, and once more with a new one where that is
// not taken any more.
func (s *salesforce) call(ctx context.Context, method, path string, body any) (reply, *Failure) {
	for again := false; ; again = true {
		token, failure := s.token(ctx, again)
		if failure != nil {
			return reply{}, failure
		}
		r, failure := s.client.call(ctx, method, s.account.URL+salesforceAPI+path, http.Header{"Authorization": {"Bearer " + token}}, body)
		if failure != nil || again || r.status != http.StatusUnauthorized {
			return r, failure
		}
	}
}

// token signs in by the client credentials flow, unless a token is there and not to be
// another. https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_client_credentials_flow.htm
func (s *salesforce) token(ctx context.Context, another bool) (string, *Failure) {
	sum := sha256.Sum256([]byte(s.account.URL + "\x00" + s.account.ClientID + "\x00" + s.account.ClientSecret))
	key := string(sum[:])
	s.client.mu.Lock()
	token := s.client.tokens[key]
	s.client.mu.Unlock()
	if token != "" && !another {
		return token, nil
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {s.account.ClientID}, "client_secret": {s.account.ClientSecret}}
	r, failure := s.client.send(ctx, http.MethodPost, s.account.URL+"/services/oauth2/token",
		http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, []byte(form.Encode()))
	if failure != nil {
		return "", failure
	}
	var answer struct {
		Token       string `json:"access_token"`
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if failure := r.read(&answer); failure != nil {
		failure.After = r.after()
		return "", failure
	}
	if r.status != http.StatusOK || answer.Token == "" {
		f := r.failure(answer.Error, answer.Description)
		f.All, f.After = true, r.after()
		return "", f
	}
	s.client.mu.Lock()
	defer s.client.mu.Unlock()
	if len(s.client.tokens) >= maxTokens {
		clear(s.client.tokens)
	}
	s.client.tokens[key] = answer.Token
	return answer.Token, nil
}

// maxTokens bounds the tokens that are kept; who has none signs in.
const maxTokens = 1000

// refused is why a whole call was not done; nil where it was.
func (s *salesforce) refused(r reply) *Failure {
	if r.status >= 200 && r.status < 300 {
		return nil
	}
	var reasons []sfError
	_ = r.read(&reasons) // What cannot be read says nothing more than the status.
	reasons = append(reasons, sfError{})
	if f := r.account(reasons[0].Code, reasons[0].Message); f != nil {
		return f
	}
	return failureOf(r, reasons)
}

type sfFound struct {
	Records []struct {
		ID    string `json:"Id"`
		Email string `json:"Email"`
	} `json:"records"`
}

// people finds contacts and then leads by their address, and makes leads of the others by
// the key of the address: two that are made at once are one.
func (s *salesforce) people(ctx context.Context, step EnsureStep, people []person) []outcome {
	outs := make([]outcome, len(people))
	missing := make([]int, len(people))
	for i := range people {
		missing[i] = i
	}
	missing = s.find(ctx, "Contact WHERE Email IN (", people, outs, missing)
	missing = s.find(ctx, "Lead WHERE IsConverted = false AND Email IN (", people, outs, missing)
	if len(missing) == 0 {
		return outs
	}
	records := make([]map[string]any, len(missing))
	for k, i := range missing {
		records[k] = s.lead(step, people[i])
	}
	for k, out := range s.upsert(ctx, "Lead", records) {
		outs[missing[k]] = out
	}
	return outs
}

// lead is a lead as it is made. Salesforce wants a last name and a company of each.
func (s *salesforce) lead(step EnsureStep, p person) map[string]any {
	local, _, _ := strings.Cut(p.email, "@")
	fields := step.fields(map[string]string{
		"Email": address.ASCII(p.email), "FirstName": p.values["first_name"], "LastName": cmp.Or(p.values["last_name"], local), "Company": cmp.Or(p.values["domain"], "unknown"),
	}, p.values)
	return record("Lead", keyOf(p.email), fields)
}

// record is one for a collection.
func record(kind, key string, fields map[string]string) map[string]any {
	all := make(map[string]any, len(fields)+2)
	for name, value := range fields {
		all[name] = value
	}
	all["attributes"] = map[string]string{"type": kind}
	if key != "" {
		all[keyField] = key
	}
	return all
}

// keyOf is the key of an address.
func keyOf(email string) string {
	sum := sha256.Sum256([]byte(email))
	return hex.EncodeToString(sum[:16])
}

// find notes the oldest record of each of missing, or why it could not be looked for, and
// returns who is not there.
func (s *salesforce) find(ctx context.Context, from string, people []person, outs []outcome, missing []int) []int {
	if len(missing) == 0 {
		return nil
	}
	quoted := make([]string, len(missing))
	for k, i := range missing {
		quoted[k] = quote(address.ASCII(people[i].email))
	}
	query := "SELECT Id, Email FROM " + from + strings.Join(quoted, ",") + ") ORDER BY CreatedDate, Id LIMIT 200"
	r, failure := s.call(ctx, http.MethodGet, "/query?q="+url.QueryEscape(query), nil)
	if failure == nil {
		failure = s.refused(r)
	}
	var found sfFound
	if failure == nil {
		failure = r.read(&found)
	}
	switch alone := len(missing) == 1; {
	case failure != nil && (failure.All || alone):
		for _, i := range missing {
			outs[i].failure = failure
		}
		return nil
	// Where so many have the same few addresses, others may be hidden behind them.
	case failure != nil, len(found.Records) >= mostFound && !alone:
		middle := len(missing) / 2
		left := s.find(ctx, from, people, outs, missing[:middle])
		return append(left, s.find(ctx, from, people, outs, missing[middle:])...)
	}
	var left []int
	for _, i := range missing {
		for _, record := range found.Records {
			if outs[i].id == "" && address.Fold(record.Email) == people[i].email {
				outs[i].id = record.ID
			}
		}
		if outs[i].id == "" {
			left = append(left, i)
		}
	}
	return left
}

// quote writes a text for SOQL.
// https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_quotedstringescapes.htm
func quote(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", " ", "\r", " ").Replace(text) + "'"
}

type sfCollection struct {
	AllOrNone bool             `json:"allOrNone"`
	Records   []map[string]any `json:"records"`
}

type sfSaved struct {
	ID      string    `json:"id"`
	Success bool      `json:"success"`
	Errors  []sfError `json:"errors"`
}

// upsert makes records by their key, or finds them: each by itself.
// https://developer.salesforce.com/docs/platform/api-rest/guide/resources-composite-sobjects-collections-upsert.html
func (s *salesforce) upsert(ctx context.Context, kind string, records []map[string]any) []outcome {
	return s.save(ctx, http.MethodPatch, "/composite/sobjects/"+kind+"/"+keyField, records)
}

func (s *salesforce) save(ctx context.Context, method, path string, records []map[string]any) []outcome {
	r, failure := s.call(ctx, method, path, sfCollection{Records: records})
	if failure == nil {
		failure = s.refused(r)
	}
	var saved []sfSaved
	if failure == nil {
		if failure = r.read(&saved); failure == nil && len(saved) != len(records) {
			failure = &Failure{Status: r.status, Text: "the answer is about other records", All: true}
		}
	}
	if failure != nil {
		if failure.All || len(records) == 1 {
			return every(len(records), failure)
		}
		return halves(records, func(part []map[string]any) []outcome { return s.save(ctx, method, path, part) })
	}
	outs := make([]outcome, len(records))
	for i, each := range saved {
		if outs[i].id = each.ID; !each.Success {
			outs[i] = outcome{failure: failureOf(r, each.Errors)}
		}
	}
	return outs
}

// members adds persons to a campaign: all in one call, since each locks the campaign. Who
// is a member already is one: of a campaign and a person there is one member.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_campaignmember.htm
func (s *salesforce) members(ctx context.Context, step EnsureStep, persons []string) []outcome {
	records := make([]map[string]any, len(persons))
	for i, person := range persons {
		records[i] = record("CampaignMember", "", step.fields(map[string]string{"CampaignId": step.Of, referenceOf(person): person}, nil))
	}
	outs := s.save(ctx, http.MethodPost, "/composite/sobjects", records)
	for i, out := range outs {
		if out.failure != nil && out.failure.Code == "DUPLICATE_VALUE" {
			outs[i] = outcome{id: persons[i]}
		}
	}
	return outs
}

// referenceOf is the field for a person: ids of contacts begin with 003, those of leads
// with 00Q.
func referenceOf(person string) string {
	if strings.HasPrefix(person, "003") {
		return "ContactId"
	}
	return "LeadId"
}

// events makes a task that is done, by the key of its delivery.
func (s *salesforce) events(ctx context.Context, step EnsureStep, occurrences []occurrence) []outcome {
	records := make([]map[string]any, len(occurrences))
	for i, each := range occurrences {
		fields := step.fields(map[string]string{
			"WhoId": each.person, "Subject": cut(each.values["sentence"]), "Status": "Completed", "ActivityDate": each.at.UTC().Format(time.DateOnly), "Description": each.values["link"],
		}, each.values)
		records[i] = record("Task", each.id, fields)
	}
	return s.upsert(ctx, "Task", records)
}

// check signs in and looks for the key fields and the campaigns.
func (s *salesforce) check(ctx context.Context, steps []EnsureStep) *Failure {
	queries := []string{"SELECT " + keyField + " FROM Lead LIMIT 1"}
	for _, step := range steps {
		switch step.Ensure {
		case ensureMember:
			queries = append(queries, "SELECT Id FROM Campaign WHERE Id = "+quote(step.Of))
		case ensureEvent:
			queries = append(queries, "SELECT "+keyField+" FROM Task LIMIT 1")
		}
	}
	for _, query := range queries {
		r, failure := s.call(ctx, http.MethodGet, "/query?q="+url.QueryEscape(query), nil)
		if failure == nil {
			failure = s.refused(r)
		}
		var found sfFound
		if failure == nil {
			failure = r.read(&found)
		}
		if failure == nil && strings.Contains(query, "FROM Campaign") && len(found.Records) == 0 {
			failure = &Failure{Status: http.StatusNotFound, Text: "there is no such campaign", Final: true}
		}
		if failure != nil {
			return failure
		}
	}
	return nil
}
