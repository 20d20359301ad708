package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tidings/account"
	"tidings/event"
)

// Settings are kept under kindSetting: the workspace's, and each reader's
// behind a prefix.
const (
	kindSetting      = "setting"
	workspaceSetting = "workspace"
	readerSetting    = "reader/"
)

// Preferences are one set of settings. What is empty is left to the
// workspace's, and there to UTC and Monday.
type Preferences struct {
	TimeZone  string `json:"time_zone,omitempty" doc:"IANA name, such as Europe/Lisbon"`
	WeekStart string `json:"week_start,omitempty" enum:"monday,saturday,sunday" doc:"the first day of a week"`
}

// Settings are the workspace's and the reader's.
type Settings struct {
	Workspace Preferences  `json:"workspace"`
	Reader    *Preferences `json:"reader" doc:"null when the key belongs to nobody"`
	// Effective is what counts for this reader.
	Effective Preferences `json:"effective" doc:"what counts for this reader"`
	Erased    string      `json:"erased" enum:"keep,refuse" doc:"what becomes of events that happen to a person after they were erased"`
	Warnings  []string    `json:"warnings" nullable:"false" doc:"for admins: what is wrong with how the server is set up, as far as requests have shown it"`
}

// SettingsRequest replaces those sets that it holds.
type SettingsRequest struct {
	Workspace *Preferences `json:"workspace,omitempty" doc:"admins alone"`
	Reader    *Preferences `json:"reader,omitempty"`
	Erased    string       `json:"erased,omitempty" enum:"keep,refuse" doc:"admins alone: keep what happens to a person after they were erased, or refuse it by name"`
}

func (p Preferences) check(field string) *event.FieldError {
	if p.TimeZone != "" {
		if _, err := location(p.TimeZone); err != nil {
			return event.Invalid(field+".time_zone", "is not an IANA time zone")
		}
	}
	days := []string{"", "monday", "saturday", "sunday"}
	if !slices.Contains(days, p.WeekStart) {
		return event.Invalid(field+".week_start", "is not one of monday, saturday, sunday")
	}
	return nil
}

// location is a zone by its IANA name. "Local" is no such name.
func location(name string) (*time.Location, error) {
	if name == "Local" {
		return nil, fmt.Errorf("time zone: %w", event.ErrInvalid)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("time zone: %w", err)
	}
	return zone, nil
}

type settingsInput struct{ content }

type settingsOutput struct{ Body Settings }

func (s *Server) settingsRoutes(docs huma.API) {
	handle(s, docs, route{
		id: "get-settings", audit: auditNothing, embedded: true, method: http.MethodGet, path: "/v1/settings", group: "Settings", may: withSettings(),
		summary: "The workspace's settings and the reader's",
	}, s.getSettings)
	handle(s, docs, route{
		id: "put-settings", method: http.MethodPut, path: "/v1/settings", group: "Settings", may: withSettings(),
		request: SettingsRequest{},
		summary: "Replace the workspace's settings, the reader's, or both",
	}, s.putSettings)
}

func (s *Server) getSettings(ctx context.Context, caller Caller, _ *empty) (*settingsOutput, error) {
	settings, err := settingsOf(ctx, caller, preferencesIn(s.Records))
	if err != nil {
		return nil, err
	}
	if settings.Erased, err = s.erasedPolicy.of(ctx, caller.Workspace); err != nil {
		return nil, err
	}
	settings.Warnings = []string{}
	if caller.Role == account.RoleAdmin {
		settings.Warnings = s.Warnings(ctx)
	}
	return &settingsOutput{settings}, nil
}

func (s *Server) putSettings(ctx context.Context, caller Caller, in *settingsInput) (*settingsOutput, error) {
	request, err := decodeDocument[SettingsRequest](&s.bodies, &in.content)
	if err != nil {
		return nil, err
	}
	if err := request.check(caller); err != nil {
		return nil, err
	}
	if request.Workspace != nil {
		if err := s.zones.put(ctx, caller.Workspace, workspaceSetting, request.Workspace); err != nil {
			return nil, err
		}
	}
	if request.Reader != nil {
		if err := s.zones.put(ctx, caller.Workspace, readerSetting+caller.User, request.Reader); err != nil {
			return nil, err
		}
	}
	if request.Erased != "" {
		if err := s.erasedPolicy.put(ctx, caller.Workspace, request.Erased); err != nil {
			return nil, err
		}
	}
	return s.getSettings(ctx, caller, nil)
}

// check looks at all of the request before any of it is written.
func (r SettingsRequest) check(caller Caller) error {
	if r.Workspace == nil && r.Reader == nil && r.Erased == "" {
		return invalidBody("", "must hold workspace, reader or erased")
	}
	if (r.Workspace != nil || r.Erased != "") && caller.Role != account.RoleAdmin {
		return problem(http.StatusForbidden, "the workspace's settings take a key with the role admin")
	}
	if !slices.Contains([]string{"", erasedKeep, erasedRefuse}, r.Erased) {
		return inBody(event.Invalid("erased", "is not one of keep, refuse"))
	}
	if r.Workspace != nil {
		if err := r.Workspace.check("workspace"); err != nil {
			return inBody(err)
		}
	}
	if r.Reader != nil {
		if caller.User == "" {
			return invalidBody("reader", "cannot be set: this key belongs to nobody")
		}
		if err := r.Reader.check("reader"); err != nil {
			return inBody(err)
		}
	}
	return nil
}

// preferencesOf reads one set of settings of a workspace.
type preferencesOf func(ctx context.Context, workspace, id string) (Preferences, error)

// settingsOf reads what is set for a caller.
func settingsOf(ctx context.Context, caller Caller, read preferencesOf) (Settings, error) {
	settings := Settings{Effective: Preferences{TimeZone: "UTC", WeekStart: "monday"}}
	var err error
	if settings.Workspace, err = read(ctx, caller.Workspace, workspaceSetting); err != nil {
		return Settings{}, err
	}
	settings.Effective = settings.Effective.with(settings.Workspace)
	if caller.User != "" {
		reader, err := read(ctx, caller.Workspace, readerSetting+caller.User)
		if err != nil {
			return Settings{}, err
		}
		settings.Reader = &reader
		settings.Effective = settings.Effective.with(reader)
	}
	return settings, nil
}

// with lays what is set in over over p.
func (p Preferences) with(over Preferences) Preferences {
	if over.TimeZone != "" {
		p.TimeZone = over.TimeZone
	}
	if over.WeekStart != "" {
		p.WeekStart = over.WeekStart
	}
	return p
}

func preferencesIn(records Records) preferencesOf {
	return func(ctx context.Context, workspace, id string) (Preferences, error) {
		p, err := account.Get[Preferences](ctx, records, workspace, kindSetting, id)
		if errors.Is(err, event.ErrNotFound) {
			return Preferences{}, nil
		}
		return p, err
	}
}

// zones tells where callers' days begin, for every page anew: settings that were read a
// moment ago are not read again.
type zones struct {
	records Records
	lately  *account.Lately[Preferences]
}

func newZones(records Records, clock func() time.Time) *zones {
	return &zones{records, account.NewLately[Preferences](clock, account.FreshFor)}
}

func (z *zones) put(ctx context.Context, workspace, id string, p *Preferences) error {
	err := account.Put(ctx, z.records, workspace, kindSetting, id, p)
	z.lately.Forget(workspace + "/" + id)
	return err
}

func (z *zones) preferences(ctx context.Context, workspace, id string) (Preferences, error) {
	known, begun, ok := z.lately.Get(workspace + "/" + id)
	if ok {
		return known, nil
	}
	p, err := preferencesIn(z.records)(ctx, workspace, id)
	if err == nil {
		z.lately.Keep(workspace+"/"+id, p, begun)
	}
	return p, err
}

// zone is where the caller's days begin: named in the question, or else their
// setting.
func (s *Server) zone(ctx context.Context, caller Caller, named string) (*time.Location, error) {
	if named == "" {
		return zoneOf(ctx, caller, s.zones.preferences)
	}
	zone, err := location(named)
	if err != nil {
		return nil, located("query", event.Invalid("tz", "is not an IANA time zone"))
	}
	return zone, nil
}

// Zones tells where a caller's days begin, by the settings in records.
func Zones(records Records) func(context.Context, Caller) (*time.Location, error) {
	return func(ctx context.Context, caller Caller) (*time.Location, error) {
		return zoneOf(ctx, caller, preferencesIn(records))
	}
}

func zoneOf(ctx context.Context, caller Caller, read preferencesOf) (*time.Location, error) {
	settings, err := settingsOf(ctx, caller, read)
	if err != nil {
		return nil, err
	}
	return location(settings.Effective.TimeZone)
}
