package api

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"tidings/event"
	"tidings/notify"
)

// NotificationDefaults are what a workspace's people are told where they have chosen
// nothing, and what they are told whatever they chose.
type NotificationDefaults struct {
	Rev    int64         `json:"rev" doc:"grows with each change"`
	Mode   notify.Mode   `json:"mode" enum:"off,shadow,on" doc:"shadow decides and keeps a log, and tells nobody; off does neither"`
	Cells  notify.Cells  `json:"cells" nullable:"false" doc:"rows by scope and kind, which each may change for themselves"`
	Locked []notify.Kind `json:"locked" nullable:"false" doc:"kinds whose rows nobody changes: mutes do not count for them"`
	// Rows are what holds for who has chosen nothing.
	Rows notify.Cells `json:"rows" nullable:"false" doc:"what holds by scope and kind for who has chosen nothing"`
}

// NotificationDefaultsChange is what changes of them; what is absent stays.
type NotificationDefaultsChange struct {
	Mode   *notify.Mode   `json:"mode,omitempty" enum:"off,shadow,on"`
	Cells  notify.Cells   `json:"cells,omitempty" doc:"rows by scope and kind; one with an empty often goes back to the presets"`
	Locked *[]notify.Kind `json:"locked,omitempty" maxItems:"10"`
}

type noteDefaultsOutput struct{ Body NotificationDefaults }

func (s *Server) noteDefaultsRoutes(docs huma.API) {
	const group, path = "Notifications", "/v1/notification-defaults"
	handle(s, docs, route{
		id: "get-notification-defaults", audit: auditNothing, method: http.MethodGet, path: path, group: group, may: admins(),
		summary: "What the workspace's people are told where they have chosen nothing",
	}, s.getNoteDefaults)
	handle(s, docs, route{
		id: "patch-notification-defaults", method: http.MethodPatch, path: path, group: group, may: admins(),
		request: NotificationDefaultsChange{}, failures: []int{http.StatusConflict},
		summary:     "Change what the workspace's people are told where they have chosen nothing",
		description: "What is absent stays. A locked kind is told as here to everybody, whatever they chose or muted, and as the preset normal does where there is no row of it.",
	}, s.patchNoteDefaults)
}

func (s *Server) getNoteDefaults(ctx context.Context, caller Caller, _ *empty) (*noteDefaultsOutput, error) {
	d, mode, err := s.Notify.Books.Defaults(ctx, caller.Workspace)
	if err != nil {
		return nil, err
	}
	return viewOfDefaults(d, mode), nil
}

func viewOfDefaults(d notify.Defaults, mode notify.Mode) *noteDefaultsOutput {
	out := &noteDefaultsOutput{NotificationDefaults{
		Rev: d.Rev, Mode: modeOf(mode), Cells: d.Cells, Locked: []notify.Kind{}, Rows: notify.Rows(notify.Settings{}, d),
	}}
	if out.Body.Cells == nil {
		out.Body.Cells = notify.Cells{}
	}
	for _, kind := range slices.Sorted(maps.Keys(d.Locked)) {
		if d.Locked[kind] {
			out.Body.Locked = append(out.Body.Locked, kind)
		}
	}
	return out
}

// modeOf is a mode by its name.
func modeOf(mode notify.Mode) notify.Mode {
	if mode == "" {
		return notify.ModeOn
	}
	return mode
}

func (s *Server) patchNoteDefaults(ctx context.Context, caller Caller, in *notifyInput) (*noteDefaultsOutput, error) {
	request, err := decodeDocument[NotificationDefaultsChange](&s.bodies, &in.content)
	if err != nil {
		return nil, err
	}
	if err := request.check(); err != nil {
		return nil, inBody(err)
	}
	if request.Cells != nil || request.Locked != nil {
		_, err := s.Notify.Books.ChangeDefaults(ctx, caller.Workspace, func(d *notify.Defaults) error {
			d.Cells = d.Cells.With(request.Cells)
			if request.Locked != nil {
				d.Lock(*request.Locked, caller.User)
			}
			return nil
		})
		if err != nil {
			return nil, inBody(err)
		}
	}
	if request.Mode != nil {
		if err := s.Notify.Books.SetMode(ctx, caller.Workspace, *request.Mode); err != nil {
			return nil, err
		}
	}
	return s.getNoteDefaults(ctx, caller, nil)
}

// check looks at all of the request before any of it is written.
func (c NotificationDefaultsChange) check() error {
	if c.Mode != nil && !slices.Contains([]notify.Mode{notify.ModeOff, notify.ModeShadow, notify.ModeOn}, *c.Mode) {
		return event.Invalid("mode", "is not one of off, shadow, on")
	}
	if c.Locked != nil && slices.ContainsFunc(*c.Locked, func(kind notify.Kind) bool { return !slices.Contains(notify.Kinds, kind) }) {
		return event.Invalid("locked", "has a kind that is not known")
	}
	if err := (notify.Cells{}).With(c.Cells).Check(); err != nil {
		return err
	}
	return nil
}
