package crmtest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
)

// Salesforce keeps leads and tasks by a unique key, contacts by their id, and members by
// campaign and person. Tokens end.
type Salesforce struct {
	server
	clientID, secret string
	token            string
	tokens           int
	campaigns        []string
	records          []sfRecord
}

type sfRecord struct {
	kind, id  string
	fields    map[string]any
	converted bool
}

// NewSalesforce starts one with campaigns, for an app that signs in as itself.
func NewSalesforce(clientID, secret string, campaigns ...string) *Salesforce {
	s := &Salesforce{clientID: clientID, secret: secret, campaigns: campaigns}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	return s
}

// AddContact has a contact be there, and returns its id.
func (s *Salesforce) AddContact(email string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.add("Contact", map[string]any{"Email": email})
}

// Convert makes a contact of the lead with an address, as people in sales do.
func (s *Salesforce) Convert(email string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, record := range s.records {
		if record.kind == "Lead" && record.fields["Email"] == email {
			s.records[i].converted = true
		}
	}
	return s.add("Contact", map[string]any{"Email": email})
}

// Rename gives the lead with an address another one.
func (s *Salesforce) Rename(email, to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, record := range s.records {
		if record.kind == "Lead" && record.fields["Email"] == email {
			record.fields["Email"] = to
		}
	}
}

// Count counts the records of a kind with fields of these values.
func (s *Salesforce) Count(kind string, fields map[string]string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, record := range s.records {
		fits := record.kind == kind
		for name, value := range fields {
			fits = fits && record.fields[name] == value
		}
		if fits {
			n++
		}
	}
	return n
}

// Find is the id and the fields of the first record of a kind with an address.
func (s *Salesforce) Find(kind, email string) (id string, fields map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, record := range s.records {
		if record.kind == kind && record.fields["Email"] == email {
			return record.id, record.fields
		}
	}
	return "", nil
}

var sfPrefixes = map[string]string{"Lead": "00Q", "Contact": "003", "Task": "00T", "CampaignMember": "00v"}

func (s *Salesforce) add(kind string, fields map[string]any) string {
	id := fmt.Sprintf("%s%015d", sfPrefixes[kind], len(s.records)+1)
	s.records = append(s.records, sfRecord{kind: kind, id: id, fields: fields})
	return id
}

func sfProblem(w http.ResponseWriter, status int, code, message string) {
	answer(w, status, []any{map[string]any{"errorCode": code, "message": message}})
}

func (s *Salesforce) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fault := s.next()
	switch {
	case fault == Dead:
		hangUp()
	case fault == Limited:
		w.Header().Set("Retry-After", "10")
		sfProblem(w, http.StatusTooManyRequests, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
		return
	case fault == Broken:
		sfProblem(w, http.StatusServiceUnavailable, "SERVER_UNAVAILABLE", "The server is busy")
		return
	case r.URL.Path == "/services/oauth2/token":
		s.signIn(w, r)
		return
	case fault == Expired, s.token == "", r.Header.Get("Authorization") != "Bearer "+s.token:
		s.token = ""
		sfProblem(w, http.StatusUnauthorized, "INVALID_SESSION_ID", "Session expired or invalid")
		return
	}
	const base = "/services/data/v62.0"
	switch path := strings.TrimPrefix(r.URL.Path, base); {
	case path == "/query":
		s.query(w, r.URL.Query().Get("q"))
	case path == "/composite/sobjects" && r.Method == http.MethodPost:
		s.save(w, r, "", fault)
	case strings.HasPrefix(path, "/composite/sobjects/") && strings.HasSuffix(path, "/Tidings_Key__c") && r.Method == http.MethodPatch:
		s.save(w, r, "Tidings_Key__c", fault)
	default:
		sfProblem(w, http.StatusNotFound, "NOT_FOUND", "The requested resource does not exist")
	}
	if fault == Lost {
		hangUp()
	}
}

func (s *Salesforce) signIn(w http.ResponseWriter, r *http.Request) {
	if r.FormValue("grant_type") != "client_credentials" || r.FormValue("client_id") != s.clientID || r.FormValue("client_secret") != s.secret {
		answer(w, http.StatusBadRequest, map[string]string{"error": "invalid_client", "error_description": "invalid client credentials"})
		return
	}
	s.tokens++
	s.token = fmt.Sprintf("00D!%d", s.tokens)
	answer(w, http.StatusOK, map[string]string{"access_token": s.token, "token_type": "Bearer", "instance_url": s.URL})
}

var (
	sfFrom   = regexp.MustCompile(`FROM (\w+)`)
	sfEmails = regexp.MustCompile(`Email IN \((.*)\) ORDER BY CreatedDate, Id LIMIT (\d+)$`)
	sfText   = regexp.MustCompile(`'((?:[^'\\]|\\.)*)'`)
)

// query answers the queries that are asked here.
func (s *Salesforce) query(w http.ResponseWriter, q string) {
	from := sfFrom.FindStringSubmatch(q)
	if from == nil {
		sfProblem(w, http.StatusBadRequest, "MALFORMED_QUERY", "unexpected token")
		return
	}
	records := []any{}
	if texts := sfText.FindAllStringSubmatch(q, -1); from[1] == "Campaign" {
		if len(texts) == 1 && slices.Contains(s.campaigns, texts[0][1]) {
			records = append(records, map[string]any{"Id": texts[0][1]})
		}
	} else if in := sfEmails.FindStringSubmatch(q); in != nil {
		var wanted []string
		for _, text := range sfText.FindAllStringSubmatch(in[1], -1) {
			wanted = append(wanted, strings.ToLower(strings.NewReplacer(`\'`, `'`, `\\`, `\`).Replace(text[1])))
		}
		for _, record := range s.records {
			email, _ := record.fields["Email"].(string)
			if record.kind == from[1] && !record.converted && slices.Contains(wanted, strings.ToLower(email)) && len(records) < 200 {
				records = append(records, map[string]any{"attributes": map[string]string{"type": record.kind}, "Id": record.id, "Email": email})
			}
		}
	}
	answer(w, http.StatusOK, map[string]any{"totalSize": len(records), "done": true, "records": records})
}

func sfRefusal(code, message string) map[string]any {
	return map[string]any{"success": false, "errors": []any{map[string]any{"statusCode": code, "message": message, "fields": []string{}}}}
}

func (s *Salesforce) save(w http.ResponseWriter, r *http.Request, key string, fault Fault) {
	var body struct {
		AllOrNone bool             `json:"allOrNone"`
		Records   []map[string]any `json:"records"`
	}
	if !read(r, &body) || len(body.Records) == 0 || len(body.Records) > 200 || body.AllOrNone {
		sfProblem(w, http.StatusBadRequest, "JSON_PARSER_ERROR", "what was sent cannot be read")
		return
	}
	s.largest = max(s.largest, len(body.Records))
	seen := map[any]bool{}
	var results []any
	for i, fields := range body.Records {
		kind, _ := fields["attributes"].(map[string]any)["type"].(string)
		delete(fields, "attributes")
		switch {
		case fault == Half && i >= (len(body.Records)+1)/2:
			hangUp()
		case fault == Locked && i%2 == 0, fault == Partial && i%2 == 1:
			results = append(results, sfRefusal("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record or 1 records: 701xx"))
			continue
		case key != "" && seen[fields[key]]:
			results = append(results, sfRefusal("DUPLICATE_EXTERNAL_ID", "a user-specified external id matches a record"))
			continue
		case fault == Raced:
			s.one(kind, key, fields)
			results = append(results, sfRefusal("DUPLICATE_VALUE", "duplicate value found: "+key+" duplicates value on record with id"))
			continue
		}
		if key != "" {
			seen[fields[key]] = true
		}
		results = append(results, s.one(kind, key, fields))
	}
	answer(w, http.StatusOK, results)
	if fault == Half {
		hangUp()
	}
}

// one saves a record.
func (s *Salesforce) one(kind, key string, fields map[string]any) map[string]any {
	saved := func(id string, made bool) map[string]any {
		return map[string]any{"id": id, "success": true, "created": made, "errors": []any{}}
	}
	switch kind {
	case "Lead":
		if fields["LastName"] == nil || fields["Company"] == nil {
			return sfRefusal("REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName, Company]")
		}
	case "CampaignMember":
		return s.member(fields, saved)
	case "Task":
		if s.person(fields["WhoId"]) == nil {
			return sfRefusal("ENTITY_IS_DELETED", "entity is deleted")
		}
	}
	for _, record := range s.records {
		if record.kind != kind || record.fields[key] != fields[key] {
			continue
		}
		if record.converted {
			return sfRefusal("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
		}
		return saved(record.id, false)
	}
	return saved(s.add(kind, fields), true)
}

func (s *Salesforce) member(fields map[string]any, saved func(string, bool) map[string]any) map[string]any {
	who := fields["LeadId"]
	if who == nil {
		who = fields["ContactId"]
	}
	person := s.person(who)
	switch {
	case person == nil:
		return sfRefusal("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
	case person.converted:
		return sfRefusal("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
	case !slices.Contains(s.campaigns, fmt.Sprint(fields["CampaignId"])):
		return sfRefusal("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
	}
	for _, record := range s.records {
		if record.kind == "CampaignMember" && record.fields["who"] == who && record.fields["CampaignId"] == fields["CampaignId"] {
			return sfRefusal("DUPLICATE_VALUE", "Already a campaign member.")
		}
	}
	fields["who"] = who
	return saved(s.add("CampaignMember", fields), true)
}

func (s *Salesforce) person(id any) *sfRecord {
	for i, record := range s.records {
		if record.id == id && (record.kind == "Lead" || record.kind == "Contact") {
			return &s.records[i]
		}
	}
	return nil
}
