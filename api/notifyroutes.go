package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tidings/account"
	"tidings/deliver"
	"tidings/event"
	"tidings/feed"
	"tidings/notify"
)

type notificationsInput struct {
	Unread bool   `query:"unread" doc:"those alone that were not read"`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"30"`
	Cursor string `query:"cursor" doc:"next of the page before" maxLength:"100"`
}

type decisionsInput struct {
	User    string `query:"user" maxLength:"200" doc:"another than the reader, for admins and support"`
	Outcome string `query:"outcome" enum:"notified,held,not,withdrawn"`
	Kind    string `query:"kind" maxLength:"20" doc:"such as open or reply"`
	Message string `query:"message" maxLength:"2000"`
	Limit   int    `query:"limit" minimum:"1" maximum:"100" default:"30"`
	Cursor  string `query:"cursor" doc:"next of the page before" maxLength:"100"`
}

// DecisionPage is a part of the log of decisions.
type DecisionPage struct {
	Items  []DecisionView `json:"items" nullable:"false"`
	Unread int            `json:"unread" doc:"notifications that were not read, 500 at most"`
	Next   *string        `json:"next" doc:"cursor of the page after this one; null when there is none"`
}

// DecisionView is a decision about telling the reader of an event, and why.
type DecisionView struct {
	ID       string           `json:"id"`
	Time     time.Time        `json:"time" doc:"when it was decided"`
	Outcome  notify.Outcome   `json:"outcome" enum:"notified,held,not,withdrawn"`
	Kind     notify.Kind      `json:"kind" doc:"such as open or reply; unopened, unreplied, schedule, count, rate, silence and report are of rules, key is of a key that ends or is not used, access of access that the operator gave"`
	Reasons  []notify.Reason  `json:"reasons" nullable:"false" doc:"yours, team, everyone, rule, correction, absence, schedule, count, rate or admin"`
	Check    notify.Check     `json:"check,omitempty" doc:"which check stopped it"`
	Found    string           `json:"found,omitempty" doc:"what that check found, or why it was told, in a sentence"`
	Until    *time.Time       `json:"until,omitempty" doc:"until when what leaves the house waits"`
	Rules    []string         `json:"rules,omitempty" doc:"names of the reader's rules that found it"`
	Other    string           `json:"other,omitempty" doc:"id of the event that was told instead"`
	Channels []notify.Channel `json:"channels" nullable:"false"`
	Read     bool             `json:"read"`
	Shadow   bool             `json:"shadow,omitempty" doc:"the workspace decided and told nobody: this is what it would have told"`
	About    *EventStub       `json:"about,omitempty" doc:"support: the event, of which it sees no more"`
	Event    *feed.Item       `json:"event" doc:"null when it is gone, may not be seen any more, or there is none: a rule of a time is about no one event. Of absence it is the send"`
}

type decisionsOutput struct {
	Body DecisionPage
	of   string // whose decisions, for the audit log
}

// ReadRequest marks notifications as read.
type ReadRequest struct {
	IDs []string `json:"ids,omitempty" maxItems:"100" doc:"of decisions; all when absent"`
}

// NotificationSettings are what a person wants to be told.
type NotificationSettings notify.Settings

// SettingsInForce are a person's settings with what follows from them.
type SettingsInForce struct {
	Settings NotificationSettings `json:"settings" doc:"what the reader has chosen"`
	// Rows are what holds for each kind, chosen or not.
	Rows notify.Cells `json:"rows" doc:"what holds by scope and kind, chosen or not"`
	Mode notify.Mode  `json:"mode" enum:"off,shadow,on" doc:"shadow decides and keeps a log, and tells nobody; off does neither"`
	// Locks are the kinds whose rows the workspace says.
	Locks map[notify.Kind]string `json:"locks" nullable:"false" doc:"kinds whose rows the workspace's admins have locked, by the name of who did, empty where that is not known"`
	// Mail and Chats are where the channels mail and chat can lead.
	Mail  string   `json:"mail,omitempty" doc:"the reader's address that the channel mail goes to; absent where the server sends no mail, or the reader has none"`
	Chats []string `json:"chats" nullable:"false" doc:"names of the workspace's endpoints that the channel chat can lead to"`
}

type notifyInput struct{ content }

type noteSettingsOutput struct{ Body SettingsInForce }

func (s *Server) notifyRoutes(docs huma.API) {
	if s.Notify == nil {
		return
	}
	const group = "Notifications"
	handle(s, docs, route{
		id: "list-notifications", scope: account.ScopeNotifications, audit: auditReads, method: http.MethodGet, path: "/v1/notifications", group: group, may: readers(),
		summary: "What the reader was told, newest first",
	}, s.getNotifications)
	handle(s, docs, route{
		id: "read-notifications", scope: account.ScopeNotifications, audit: auditNothing, method: http.MethodPost, path: "/v1/notifications/read", group: group, may: readers(),
		request: ReadRequest{}, success: http.StatusNoContent,
		summary: "Mark notifications as read",
	}, s.readNotifications)
	handle(s, docs, route{
		id: "list-decisions", scope: account.ScopeNotifications, audit: auditReads, method: http.MethodGet, path: "/v1/decisions", group: group, may: helpers(readers()), forOthers: true,
		summary:     "What was decided about telling the reader, newest first, and why",
		description: "What a kind that is switched off has stopped is not kept. Support asks for others, with Tidings-Reason, and sees of an event its id, type and time (about).",
	}, s.getDecisions)
	handle(s, docs, route{
		id: "get-notification-settings", scope: account.ScopeNotifications, audit: auditNothing, method: http.MethodGet, path: "/v1/notification-settings", group: group, may: readers(),
		summary: "What the reader wants to be told",
	}, s.getNoteSettings)
	handle(s, docs, route{
		id: "put-notification-settings", method: http.MethodPut, path: "/v1/notification-settings", group: group, may: readers(),
		request: NotificationSettings{}, failures: []int{http.StatusConflict},
		summary:     "Replace what the reader wants to be told",
		description: "rev is the one that was read; 409 when the settings have changed since.",
	}, s.putNoteSettings)
	handle(s, docs, route{
		id: "patch-notification-settings", method: http.MethodPatch, path: "/v1/notification-settings", group: group, may: readers(),
		request: NotificationChange{}, failures: []int{http.StatusConflict},
		summary:     "Change what the reader wants to be told",
		description: "What is absent stays, whatever it is by then: mutes, rows and quiet hours are changed one at a time.",
	}, s.patchNoteSettings)
	handle(s, docs, route{
		id: "why-notified", scope: account.ScopeNotifications, audit: auditReads, method: http.MethodGet, path: "/v1/notifications/why", group: group, may: helpers(readers()), forOthers: true,
		failures: []int{http.StatusNotFound},
		summary:  "Why the reader was told of an event, or was not",
	}, s.getWhy)
	handle(s, docs, route{
		id: "simulate-notifications", scope: account.ScopeNotifications, audit: auditReads, inTurn: true, method: http.MethodPost, path: "/v1/notifications/simulate", group: group, may: readers(),
		request:     SimulationRequest{},
		summary:     "What other settings would have told",
		description: "Nobody is told of anything, and nothing is kept. With the settings of now it is what the log has, but for corrections.",
	}, s.simulateNotes)
	s.noteRuleRoutes(docs)
	s.noteDefaultsRoutes(docs)
}

func (s *Server) getNotifications(ctx context.Context, caller Caller, in *notificationsInput) (*decisionsOutput, error) {
	return s.decisionPage(ctx, caller, notify.Filter{Outcome: notify.Notified, Unread: in.Unread}, in.Cursor, in.Limit)
}

func (s *Server) getDecisions(ctx context.Context, caller Caller, in *decisionsInput) (*decisionsOutput, error) {
	user, err := askedFor(caller, in.User)
	if err != nil {
		return nil, err
	}
	filter := notify.Filter{User: user, Outcome: notify.Outcome(in.Outcome), Kind: notify.Kind(in.Kind), Message: in.Message}
	return s.decisionPage(ctx, caller, filter, in.Cursor, in.Limit)
}

// decisionPage is a page of the decisions of a user; a key of nobody has none.
func (s *Server) decisionPage(ctx context.Context, caller Caller, filter notify.Filter, after string, most int) (*decisionsOutput, error) {
	out := &decisionsOutput{Body: DecisionPage{Items: []DecisionView{}}}
	if filter.User == "" {
		filter.User = caller.User
	}
	if filter.User == "" {
		return out, nil
	}
	out.of = filter.User
	page, next, err := s.Notify.Store.Page(ctx, caller.Workspace, filter, after, most)
	if err != nil {
		return nil, err
	}
	if out.Body.Unread, err = notify.UnreadOf(ctx, s.Notify.Store, caller.Workspace, filter.User); err != nil {
		return nil, err
	}
	ids := make([]event.ID, len(page))
	for i, d := range page {
		ids[i] = d.Event
	}
	items, err := s.Feed.Items(ctx, seenBy(caller), ids)
	if err != nil {
		return nil, err
	}
	for _, d := range page {
		view := viewOfDecision(d)
		if item, ok := items[d.Event]; ok {
			view.Event = &item
		}
		if caller.Role == account.RoleSupport {
			view = redacted(view)
		}
		out.Body.Items = append(out.Body.Items, view)
	}
	if next != "" {
		out.Body.Next = &next
	}
	return out, nil
}

func viewOfDecision(d notify.Decision) DecisionView {
	view := DecisionView{
		ID: d.ID, Time: time.UnixMilli(d.At).UTC(), Outcome: d.Outcome, Kind: d.Kind, Reasons: d.Reasons, Rules: d.Rules,
		Check: d.Check, Found: d.Found, Channels: d.Channels, Read: d.Read, Shadow: d.Shadow,
	}
	if view.Reasons == nil {
		view.Reasons = []notify.Reason{}
	}
	if view.Channels == nil {
		view.Channels = []notify.Channel{}
	}
	if !d.Other.IsZero() {
		view.Other = d.Other.String()
	}
	if d.Until != 0 {
		until := time.Unix(d.Until, 0).UTC()
		view.Until = &until
	}
	return view
}

func (s *Server) readNotifications(ctx context.Context, caller Caller, in *notifyInput) (*empty, error) {
	request, err := decodeDocument[ReadRequest](&s.bodies, &in.content)
	if err != nil {
		return nil, err
	}
	if len(request.IDs) > 100 {
		return nil, event.Invalid("ids", "has too many; 100 are taken")
	}
	none := request.IDs != nil && len(request.IDs) == 0 // a list without any is not all
	if caller.User == "" || none {
		return nil, nil
	}
	return nil, s.Notify.Read(ctx, caller.Workspace, caller.User, request.IDs)
}

func (s *Server) getNoteSettings(ctx context.Context, caller Caller, _ *empty) (*noteSettingsOutput, error) {
	settings, err := s.Notify.Books.Settings(ctx, caller.Workspace, caller.User)
	if err != nil {
		return nil, err
	}
	return s.noteSettings(ctx, caller, settings)
}

// noteSettings are settings with what follows from them.
func (s *Server) noteSettings(ctx context.Context, caller Caller, settings notify.Settings) (*noteSettingsOutput, error) {
	book, err := s.Notify.Books.Load(ctx, caller.Workspace)
	if err != nil {
		return nil, err
	}
	out := &noteSettingsOutput{SettingsInForce{Settings: NotificationSettings(settings), Rows: notify.Rows(settings, book.Defaults), Mode: modeOf(book.Mode), Chats: []string{}}}
	if out.Body.Locks, err = s.locks(ctx, caller.Workspace, book.Defaults); err != nil {
		return nil, err
	}
	if s.Endpoints == nil {
		return out, nil
	}
	all, err := s.Endpoints.Directory.List(ctx, caller.Workspace)
	if err != nil {
		return nil, err
	}
	for _, one := range all {
		if one.Enabled && one.Kind != deliver.Mail && !one.Kind.CRM() {
			out.Body.Chats = append(out.Body.Chats, one.Name)
		}
	}
	if !s.Endpoints.Directory.CanMail() || caller.User == "" {
		return out, nil
	}
	member, err := s.directory.User(ctx, caller.Workspace, caller.User)
	if errors.Is(err, event.ErrNotFound) || err == nil && len(member.Emails) == 0 {
		return out, nil
	}
	if err == nil {
		out.Body.Mail = member.Emails[0]
	}
	return out, err
}

// locks are the kinds that a workspace locks, by the name of who did.
func (s *Server) locks(ctx context.Context, workspace string, d notify.Defaults) (map[notify.Kind]string, error) {
	locks := make(map[notify.Kind]string)
	for kind, locked := range d.Locked {
		if !locked {
			continue
		}
		locks[kind] = ""
		if d.LockedBy[kind] == "" {
			continue
		}
		user, err := s.directory.User(ctx, workspace, d.LockedBy[kind])
		if err != nil && !errors.Is(err, event.ErrNotFound) {
			return nil, err
		}
		locks[kind] = user.Name
	}
	return locks, nil
}

// errNobody is for keys that belong to nobody.
var errNobody = problem(http.StatusUnprocessableEntity, "this key belongs to nobody, and nobody is told of anything")

func (s *Server) putNoteSettings(ctx context.Context, caller Caller, in *notifyInput) (*noteSettingsOutput, error) {
	request, err := decodeDocument[NotificationSettings](&s.bodies, &in.content)
	if err != nil {
		return nil, err
	}
	if caller.User == "" {
		return nil, errNobody
	}
	settings, err := s.Notify.Books.ChangeSettings(ctx, caller.Workspace, caller.User, func(now *notify.Settings) error {
		if now.Rev != request.Rev {
			return event.ErrConflict
		}
		*now = notify.Settings(request)
		return nil
	})
	if err != nil {
		return nil, inBody(err)
	}
	return s.noteSettings(ctx, caller, settings)
}

// NotificationChange is what changes of a person's settings.
type NotificationChange notify.SettingsChange

func (s *Server) patchNoteSettings(ctx context.Context, caller Caller, in *notifyInput) (*noteSettingsOutput, error) {
	request, err := decodeDocument[NotificationChange](&s.bodies, &in.content)
	if err != nil {
		return nil, err
	}
	if caller.User == "" {
		return nil, errNobody
	}
	settings, err := s.Notify.Books.Change(ctx, caller.Workspace, caller.User, notify.SettingsChange(request))
	if err != nil {
		return nil, inBody(err)
	}
	return s.noteSettings(ctx, caller, settings)
}

type whyInput struct {
	Event string `query:"event" maxLength:"100" doc:"id of the event"`
	User  string `query:"user" maxLength:"200" doc:"another than the reader, for admins and support"`
}

// WhyView is how it came that somebody was told of an event, or was not.
type WhyView struct {
	Decision *DecisionView    `json:"decision" doc:"null where none is kept: a kind that is switched off keeps none"`
	Checks   []notify.Checked `json:"checks" nullable:"false" doc:"what was asked, in order, by the settings of then, up to what stopped it"`
	Now      DecisionView     `json:"now" doc:"what would be decided with the settings of today, were the event new"`
	Fixes    []notify.Fix     `json:"fixes" nullable:"false" doc:"changes that turn it round"`
}

type whyOutput struct {
	Body WhyView
	of   string
}

func (s *Server) getWhy(ctx context.Context, caller Caller, in *whyInput) (*whyOutput, error) {
	user, err := askedFor(caller, in.User)
	if err != nil {
		return nil, err
	}
	if user == "" {
		return nil, event.Invalid("user", "is required: this key belongs to nobody")
	}
	id, err := event.ParseID(in.Event)
	if err != nil {
		return nil, event.Invalid("event", "is not an id")
	}
	items, err := s.Feed.Items(ctx, seenBy(caller), []event.ID{id})
	if err != nil {
		return nil, err
	}
	item, seen := items[id]
	if !seen {
		return nil, fmt.Errorf("event: %w", event.ErrNotFound)
	}
	why, err := s.Notify.Why(ctx, caller.Workspace, user, id)
	if err != nil {
		return nil, err
	}
	out := &whyOutput{of: user, Body: WhyView{Checks: why.Checks, Now: viewOfDecision(why.Now), Fixes: why.Fixes}}
	if why.Fixes == nil {
		out.Body.Fixes = []notify.Fix{}
	}
	out.Body.Now.Event = &item
	if why.Kept != nil {
		view := viewOfDecision(*why.Kept)
		view.Event = out.Body.Now.Event
		out.Body.Decision = &view
	}
	if caller.Role == account.RoleSupport {
		redactWhy(&out.Body)
	}
	return out, nil
}
