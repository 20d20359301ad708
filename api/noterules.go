package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tidings/account"
	"tidings/feed"
	"tidings/notify"
)

// RuleRequest is what a rule of notifications asks, as its owner writes it.
type RuleRequest notify.Ask

// NotificationRule is a rule of notifications.
type NotificationRule struct {
	Name string `json:"name"`
	notify.Ask
	Problem string     `json:"problem,omitempty" doc:"why it tells nothing: its search is not understood any more"`
	Created *time.Time `json:"created,omitempty" doc:"from when on it tells"`
	Done    string     `json:"done,omitempty" doc:"of once: id of the event that it told of; it is gone two days later"`
}

// NotificationRuleList is a reader's rules.
type NotificationRuleList struct {
	Items []NotificationRule `json:"items" nullable:"false"`
	Most  int                `json:"most" doc:"how many one may have"`
}

// RulePreview is what a rule would have told last week.
type RulePreview struct {
	Count    int               `json:"count" doc:"how often it would have told"`
	More     bool              `json:"more,omitempty" doc:"it finds more events than are looked at, which are the newest 1,000"`
	Since    time.Time         `json:"since"`
	Until    time.Time         `json:"until"`
	Days     []notify.DayCount `json:"days" nullable:"false" doc:"each day of the reader's zone, the oldest first"`
	Examples []feed.Item       `json:"examples" nullable:"false" doc:"the newest 20"`
}

type noteRuleInput struct {
	content
	Name pathText `path:"name" doc:"percent-encoded"`
}

type noteRuleNameInput struct {
	Name pathText `path:"name" doc:"percent-encoded"`
}

type (
	noteRuleOutput    struct{ Body NotificationRule }
	noteRulesOutput   struct{ Body NotificationRuleList }
	rulePreviewOutput struct{ Body RulePreview }
)

func (s *Server) noteRuleRoutes(docs huma.API) {
	const group, path = "Notifications", "/v1/notification-rules"
	handle(s, docs, route{
		id: "list-notification-rules", scope: account.ScopeNotifications, audit: auditReads, method: http.MethodGet, path: path, group: group, may: readers(),
		summary: "The reader's rules, by name",
	}, s.listNoteRules)
	handle(s, docs, route{
		id: "put-notification-rule", method: http.MethodPut, path: path + "/{name}", group: group, may: readers(),
		request: RuleRequest{}, failures: []int{http.StatusTooManyRequests},
		summary:     "Make or replace a rule: be told of what a search finds, or of one message",
		description: "At most 50 each. A rule finds what its owner may see, from then on; it is gone with its owner.",
	}, s.putNoteRule)
	handle(s, docs, route{
		id: "delete-notification-rule", method: http.MethodDelete, path: path + "/{name}", group: group, may: readers(),
		success: http.StatusNoContent, summary: "Delete a rule of the reader's",
	}, s.deleteNoteRule)
	handle(s, docs, route{
		id: "preview-notification-rule", scope: account.ScopeNotifications, audit: auditReads, inTurn: true, method: http.MethodPost, path: path + "/preview", group: group, may: readers(),
		request:     RuleRequest{},
		summary:     "What a rule would have told last week",
		description: "Nobody is told of anything, and nothing is kept.",
	}, s.previewNoteRule)
}

// ruleIn is the rule of a request.
func (s *Server) ruleIn(caller Caller, in *content, name string) (notify.Rule, error) {
	request, err := decodeDocument[RuleRequest](&s.bodies, in)
	if err != nil {
		return notify.Rule{}, err
	}
	if caller.User == "" {
		return notify.Rule{}, errNobody
	}
	return notify.Rule{Name: name, Owner: caller.User, Ask: notify.Ask(request)}, nil
}

func (s *Server) listNoteRules(ctx context.Context, caller Caller, _ *empty) (*noteRulesOutput, error) {
	out := &noteRulesOutput{NotificationRuleList{Items: []NotificationRule{}, Most: notify.MaxRules}}
	if caller.User == "" {
		return out, nil
	}
	rules, err := s.Notify.Books.Rules(ctx, caller.Workspace, caller.User)
	if err != nil {
		return nil, err
	}
	for _, r := range rules {
		view := viewOfRule(r)
		if err := s.Notify.CheckRule(ctx, caller.Workspace, r); err != nil {
			p, known := problemOf(err)
			if !known || p.Status >= http.StatusInternalServerError {
				return nil, err
			}
			view.Problem = err.Error()
		}
		out.Body.Items = append(out.Body.Items, view)
	}
	return out, nil
}

func viewOfRule(r notify.Rule) NotificationRule {
	view := NotificationRule{Name: r.Name, Ask: r.Ask, Created: momentOf(r.Created)}
	if !r.Done.IsZero() {
		view.Done = r.Done.String()
	}
	return view
}

func (s *Server) putNoteRule(ctx context.Context, caller Caller, in *noteRuleInput) (*noteRuleOutput, error) {
	name, err := in.Name.decode("name")
	if err != nil {
		return nil, err
	}
	rule, err := s.ruleIn(caller, &in.content, name)
	if err != nil {
		return nil, err
	}
	if err := s.Notify.CheckRule(ctx, caller.Workspace, rule); err != nil {
		return nil, inBody(err)
	}
	rule, err = s.Notify.Books.PutRule(ctx, caller.Workspace, rule)
	if err != nil {
		return nil, inBody(err)
	}
	return &noteRuleOutput{viewOfRule(rule)}, nil
}

func (s *Server) deleteNoteRule(ctx context.Context, caller Caller, in *noteRuleNameInput) (*empty, error) {
	name, err := in.Name.decode("name")
	if err != nil {
		return nil, err
	}
	return nil, s.Notify.Books.DeleteRule(ctx, caller.Workspace, caller.User, name)
}

func (s *Server) previewNoteRule(ctx context.Context, caller Caller, in *notifyInput) (*rulePreviewOutput, error) {
	rule, err := s.ruleIn(caller, &in.content, "preview")
	if err != nil {
		return nil, err
	}
	preview, err := s.Notify.PreviewRule(ctx, caller.Workspace, rule)
	if err != nil {
		return nil, inBody(err)
	}
	items, err := s.Feed.Items(ctx, caller.Scope(), preview.Examples)
	if err != nil {
		return nil, err
	}
	out := &rulePreviewOutput{RulePreview{
		Count: preview.Count, More: preview.More, Since: preview.Since.UTC(), Until: preview.Until.UTC(), Days: preview.Days, Examples: []feed.Item{},
	}}
	for _, id := range preview.Examples {
		if item, ok := items[id]; ok {
			out.Body.Examples = append(out.Body.Examples, item)
		}
	}
	return out, nil
}
