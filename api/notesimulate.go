package api

import (
	"context"
	"time"

	"tidings/event"
	"tidings/feed"
	"tidings/notify"
)

// SimulationRequest asks what other settings of the reader would have told.
type SimulationRequest struct {
	Settings NotificationSettings `json:"settings"`
	Since    time.Time            `json:"since" doc:"31 days ago at most"`
}

// SimulationView is what other settings would have told, beside those of now.
type SimulationView struct {
	Since   time.Time                      `json:"since"`
	Until   time.Time                      `json:"until"`
	Now     int                            `json:"now" doc:"told with the settings of now"`
	Then    int                            `json:"then" doc:"told with the others"`
	Days    []notify.SimulatedDay          `json:"days" nullable:"false" doc:"days on which something is told, the oldest first"`
	Kinds   map[notify.Kind]notify.NowThen `json:"kinds"`
	Gained  []feed.Item                    `json:"gained" nullable:"false" doc:"what would be told too, the newest 100"`
	Lost    []feed.Item                    `json:"lost" nullable:"false" doc:"what would not be told any more, the newest 100"`
	Partial bool                           `json:"partial,omitempty" doc:"there are more events than are looked at; since is how far it went"`
}

type simulationOutput struct{ Body SimulationView }

func (s *Server) simulateNotes(ctx context.Context, caller Caller, in *notifyInput) (*simulationOutput, error) {
	request, err := decodeDocument[SimulationRequest](&s.bodies, &in.content)
	if err != nil {
		return nil, err
	}
	if caller.User == "" {
		return nil, errNobody
	}
	found, err := s.Notify.Simulate(ctx, caller.Workspace, caller.User, notify.Settings(request.Settings), request.Since)
	if err != nil {
		return nil, inBody(err)
	}
	out := &simulationOutput{SimulationView{
		Since: found.Since.UTC(), Until: found.Until.UTC(), Now: found.Now, Then: found.Then, Days: found.Days, Kinds: found.Kinds, Partial: found.Partial,
	}}
	if out.Body.Days == nil {
		out.Body.Days = []notify.SimulatedDay{}
	}
	if out.Body.Gained, err = s.itemsOf(ctx, caller, found.Gained); err != nil {
		return nil, err
	}
	out.Body.Lost, err = s.itemsOf(ctx, caller, found.Lost)
	return out, err
}

// itemsOf are those of events that a caller may see, in order.
func (s *Server) itemsOf(ctx context.Context, caller Caller, ids []event.ID) ([]feed.Item, error) {
	found, err := s.Feed.Items(ctx, caller.Scope(), ids)
	if err != nil {
		return nil, err
	}
	items := []feed.Item{}
	for _, id := range ids {
		if item, ok := found[id]; ok {
			items = append(items, item)
		}
	}
	return items, nil
}
