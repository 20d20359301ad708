package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tidings/account"
	"tidings/audit"
	"tidings/event"
)

type auditInput struct {
	Kind   string `query:"kind" enum:"sign-in,read,begun,change,secret,refused,log" doc:"rows of one kind"`
	Actor  string `query:"actor" maxLength:"200" doc:"who: user:ID, key:…, session:…, operator:UID, server or nobody"`
	Object string `query:"object" maxLength:"300" doc:"whose or what: user:ID, message:ID, event:ID, or a person's address"`
	Route  string `query:"route" maxLength:"200" doc:"method and path, such as GET /v1/feed"`
	Since  string `query:"since" doc:"RFC 3339 or Unix seconds, inclusive"`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
	Cursor string `query:"cursor" doc:"next of the page before" maxLength:"100"`
}

type accessInput struct {
	Email  pathText `path:"email" doc:"the address, percent-encoded"`
	Limit  int      `query:"limit" minimum:"1" maximum:"500" default:"100"`
	Cursor string   `query:"cursor" doc:"next of the page before" maxLength:"100"`
}

type mineInput struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
	Cursor string `query:"cursor" doc:"next of the page before" maxLength:"100"`
}

// AuditPage is a part of the audit log.
type AuditPage struct {
	Items []AuditRow `json:"items" nullable:"false"`
	Next  *string    `json:"next" doc:"cursor of the page after this one; null when there is none"`
}

// AuditRow is one row of the audit log.
type AuditRow struct {
	ID         string        `json:"id" doc:"unique, in the order of time"`
	At         time.Time     `json:"at"`
	Kind       string        `json:"kind" enum:"sign-in,read,begun,change,secret,refused,log"`
	Actor      string        `json:"actor" doc:"user:ID, key:…, session:…, operator:UID, server or nobody"`
	ActorName  string        `json:"actor_name,omitempty" doc:"of a user who is known"`
	Credential string        `json:"credential,omitempty" doc:"beginning of the hash of the key or session"`
	Address    string        `json:"address,omitempty" doc:"network that it came from"`
	Route      string        `json:"route"`
	Object     string        `json:"object,omitempty" doc:"what was asked for, with persons' keys instead of addresses"`
	About      []string      `json:"about,omitempty" doc:"whose mail was looked at, and what"`
	Result     int           `json:"result,omitempty" doc:"status of the answer"`
	Rows       int           `json:"rows,omitempty" doc:"how many rows the answer had"`
	Count      int           `json:"count,omitempty" doc:"of how many requests a summed row stands"`
	Since      *time.Time    `json:"since,omitempty" doc:"the first of them"`
	Changes    []AuditChange `json:"changes,omitempty" doc:"records that were written"`
	Of         string        `json:"of,omitempty" doc:"id of the row that this one ends"`
	Trace      string        `json:"trace,omitempty" doc:"X-Request-Id of the answer"`
	Reason     string        `json:"reason,omitempty" doc:"Tidings-Reason of the request, or why it was refused"`
	Seq        int64         `json:"seq,omitempty" doc:"number of the row in its day"`
	Hash       string        `json:"hash,omitempty" doc:"by which the next row follows this one"`
}

// AuditChange is one record that was written.
type AuditChange struct {
	Kind   string `json:"kind"`
	ID     string `json:"id"`
	Before string `json:"before,omitempty" doc:"keyed hash of what it was; absent when it is new"`
	After  string `json:"after,omitempty" doc:"keyed hash of what it is; absent when it is gone"`
}

type auditOutput struct{ Body AuditPage }

// auditors are the roles that read the audit log.
func auditors() []Role { return []Role{account.RoleAuditor, account.RoleAdmin} }

// people are the roles that somebody may have.
func people() []Role { return append([]Role{account.RoleRead}, account.PersonRoles()...) }

func (s *Server) auditRoutes(docs huma.API) {
	if s.Audit == nil {
		return
	}
	handle(s, docs, route{
		id: "list-audit", scope: account.ScopeAudit, audit: auditLog, method: http.MethodGet, path: "/v1/audit", group: "Audit", may: auditors(),
		summary:     "Who signed in, changed something or looked at somebody else's mail, newest first",
		description: "Reading it is on record too. Persons outside are keys: ask by address for theirs.",
	}, s.listAudit)
	handle(s, docs, route{
		id: "list-audit-mine", audit: auditLog, method: http.MethodGet, path: "/v1/audit/mine", group: "Audit", may: people(),
		summary: "Who looked at my mail, newest first",
	}, s.listMine)
	handle(s, docs, route{
		id: "list-person-access", scope: account.ScopeAudit, audit: auditLog, method: http.MethodGet, path: "/v1/people/{email}/access", group: "Audit", may: auditors(),
		summary:     "Who saw what is stored about a person, newest first",
		description: "For a person's own request. Rows that are about everybody, such as an export, are among them.",
	}, s.listAccess)
}

func (s *Server) listAudit(ctx context.Context, caller Caller, in *auditInput) (*auditOutput, error) {
	question := audit.Question{Workspace: caller.Workspace, Kind: audit.Kind(in.Kind), Actor: in.Actor, Route: in.Route, Limit: in.Limit}
	if in.Object != "" {
		// An address is a person's; everything else is written as the rows have it.
		question.About = []string{in.Object}
		if names := s.Audit.Names(); names.Text(in.Object) == names.Person(in.Object) {
			question.About = []string{names.Person(in.Object), audit.EveryPerson}
		}
	}
	since, err := moment("since", in.Since)
	if err != nil {
		return nil, err
	}
	if since != 0 {
		question.From = time.Unix(since, 0).UTC()
	}
	return s.auditPage(ctx, question, in.Cursor, func(row AuditRow) (AuditRow, bool) { return row, true })
}

func (s *Server) listMine(ctx context.Context, caller Caller, in *mineInput) (*auditOutput, error) {
	if caller.User == "" {
		return nil, problem(http.StatusForbidden, "this takes somebody who is signed in, or a key of a user")
	}
	question := audit.Question{
		Workspace: caller.Workspace, About: []string{"user:" + caller.User, audit.EveryUser}, Limit: in.Limit,
	}
	return s.auditPage(ctx, question, in.Cursor, func(row AuditRow) (AuditRow, bool) {
		// What others were asked for or where they are is not the reader's to know.
		shown := AuditRow{
			ID: row.ID, At: row.At, Kind: row.Kind, Actor: row.Actor, ActorName: row.ActorName, Route: row.Route,
			Result: row.Result, Rows: row.Rows, Count: row.Count, Since: row.Since, Reason: row.Reason,
		}
		for _, subject := range row.About {
			if subject == "user:"+caller.User || subject == audit.EveryUser {
				shown.About = append(shown.About, subject)
			}
		}
		return shown, row.Actor != "user:"+caller.User
	})
}

func (s *Server) listAccess(ctx context.Context, caller Caller, in *accessInput) (*auditOutput, error) {
	email, err := pathAddress(in.Email)
	if err != nil {
		return nil, err
	}
	question := audit.Question{
		Workspace: caller.Workspace, About: []string{s.Audit.Names().Person(email), audit.EveryPerson}, Limit: in.Limit,
	}
	return s.auditPage(ctx, question, in.Cursor, func(row AuditRow) (AuditRow, bool) { return row, row.Kind != string(audit.KindLog) })
}

// auditPage reads a page and shows each row that show lets through.
func (s *Server) auditPage(ctx context.Context, question audit.Question, cursor string, show func(AuditRow) (AuditRow, bool)) (*auditOutput, error) {
	page, err := s.Audit.Read(ctx, question, cursor)
	if err != nil {
		return nil, inQuery(err)
	}
	users, err := s.directory.Users(ctx, question.Workspace)
	if err != nil {
		return nil, err
	}
	names := make(map[string]string, len(users))
	for _, user := range users {
		names["user:"+user.ID] = user.Name
	}
	out := &auditOutput{AuditPage{Items: make([]AuditRow, 0, len(page.Rows))}}
	for _, row := range page.Rows {
		view := auditRow(row)
		view.ActorName = names[row.Actor]
		if view, ok := show(view); ok {
			out.Body.Items = append(out.Body.Items, view)
		}
	}
	if page.Next != "" {
		out.Body.Next = &page.Next
	}
	return out, nil
}

func inQuery(err error) error {
	var field *event.FieldError
	if errors.As(err, &field) {
		return located("query", field)
	}
	return err
}

func auditRow(r audit.Row) AuditRow {
	view := AuditRow{
		ID: r.ID, At: r.At, Kind: string(r.Kind), Actor: r.Actor, Credential: r.Credential, Address: r.Address, Route: r.Route,
		Object: r.Object, About: r.About, Result: r.Result, Rows: r.Rows, Count: r.Count, Since: r.Since, Of: r.Of, Trace: r.Trace,
		Reason: r.Reason, Seq: r.Seq, Hash: r.Hash,
	}
	for _, c := range r.Changes {
		view.Changes = append(view.Changes, AuditChange(c))
	}
	return view
}
