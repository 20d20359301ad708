package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tidings/account"
	"tidings/event"
	"tidings/feed"
	"tidings/query"
)

// A workspace has one sample at most, which is one record.
const (
	kindSample = "sample"
	sampleID   = "sample"
	// sampleSource is the source of every event of a sample.
	sampleSource = "sample"
	// sampleWait is how long what was taken in may be on its way before a removal goes on
	// without it.
	sampleWait = 10 * time.Minute
)

// sampleRecord is kept from before the first event of a sample is taken in until after the
// last one is removed. The events follow from it.
type sampleRecord struct {
	Added time.Time `json:"added"`
	User  string    `json:"user,omitempty"`
	// Removing is set once all of it was there to be removed: a removal that was stopped goes on.
	Removing bool `json:"removing,omitempty"`
}

// SampleView is what a sample consists of.
type SampleView struct {
	Events int `json:"events"`
	People int `json:"people" doc:"whom they name; addresses below .example, which are nobody's"`
}

type sampleOutput struct{ Body SampleView }

func (s *Server) sampleRoutes(docs huma.API) {
	handle(s, docs, route{
		id: "add-sample", method: http.MethodPost, path: "/v1/sample", group: "Operation", may: admins(),
		success: http.StatusAccepted, failures: []int{http.StatusConflict},
		summary: "Fill an empty workspace with sample events",
		description: "Some weeks of made-up mail to a dozen people, of the source sample, as the caller's own. " +
			"409 where the workspace has events, since what is removed could be taken for theirs.",
	}, s.addSample)
	handle(s, docs, route{
		id: "remove-sample", method: http.MethodDelete, path: "/v1/sample", group: "Operation", may: admins(),
		success: http.StatusNoContent,
		summary: "Remove the sample events, and all that was noted of their people",
		description: "Other events stay. 503 while the sample is still being indexed: try again. It may be repeated after a crash, " +
			"and answers 404 once nothing of it is left.",
	}, s.removeSample)
}

func (s *Server) addSample(ctx context.Context, caller Caller, _ *empty) (*sampleOutput, error) {
	if s.Samples == nil {
		return nil, fmt.Errorf("sample: %w", event.ErrNotFound)
	}
	record := sampleRecord{Added: s.Clock().UTC().Truncate(time.Second), User: caller.User}
	switch before, err := account.Get[sampleRecord](ctx, s.Records, caller.Workspace, kindSample, sampleID); {
	case err == nil && before.Removing:
		return nil, problem(http.StatusConflict, "the sample of before is being removed")
	case err == nil:
		record = before // what was stopped in the middle goes on
	case !errors.Is(err, event.ErrNotFound):
		return nil, fmt.Errorf("find sample: %w", err)
	default:
		page, err := s.Feed.Page(ctx, feed.PageRequest{
			Scope: feed.Scope{Workspace: caller.Workspace}, Filter: query.Filter{Automated: query.AutomatedShow}, Limit: 1,
		})
		if err != nil {
			return nil, err
		}
		if len(page.Items) > 0 {
			return nil, problem(http.StatusConflict, "the workspace has events already")
		}
		if err := account.Put(ctx, s.Records, caller.Workspace, kindSample, sampleID, record); err != nil {
			return nil, fmt.Errorf("note sample: %w", err)
		}
	}
	inputs, events, err := s.sample(caller.Workspace, record)
	if err != nil {
		return nil, err
	}
	// Asked for again and again they are the same events, but have to be written each time.
	if _, err := s.limits.take(useEvents, caller, "", len(events)); err != nil {
		return nil, err
	}
	// What happened weeks ago is told to nobody.
	if err := s.Intake.Publish(ctx, event.LaneBulk, events); err != nil {
		return nil, fmt.Errorf("publish: %w", err)
	}
	return &sampleOutput{SampleView{Events: len(events), People: len(s.Samples.People(inputs))}}, nil
}

// sample are the events of a record.
func (s *Server) sample(workspace string, record sampleRecord) ([]event.Input, []event.Event, error) {
	inputs := s.Samples.Sample(record.Added)
	events := make([]event.Event, len(inputs))
	for i := range inputs {
		inputs[i].User, inputs[i].Source = record.User, sampleSource
		e, err := inputs[i].Event(workspace, sampleSource, event.Limits{Now: s.Clock()})
		if err != nil {
			return nil, nil, fmt.Errorf("make a sample: %w", err)
		}
		events[i] = e
	}
	return inputs, events, nil
}

func (s *Server) removeSample(ctx context.Context, caller Caller, _ *empty) (*empty, error) {
	record, err := account.Get[sampleRecord](ctx, s.Records, caller.Workspace, kindSample, sampleID)
	if err != nil {
		return nil, fmt.Errorf("find sample: %w", err)
	}
	if s.Samples == nil {
		return nil, fmt.Errorf("sample: %w", event.ErrNotFound)
	}
	inputs, events, err := s.sample(caller.Workspace, record)
	if err != nil {
		return nil, err
	}
	if !record.Removing {
		if s.Clock().Sub(record.Added) < sampleWait {
			if err := s.sampleIsIn(ctx, caller.Workspace, events); err != nil {
				return nil, err
			}
		}
		record.Removing = true
		if err := account.Put(ctx, s.Records, caller.Workspace, kindSample, sampleID, record); err != nil {
			return nil, fmt.Errorf("note that a sample is removed: %w", err)
		}
	}
	for _, email := range s.Samples.People(inputs) {
		if err := s.ForgetPerson(ctx, caller.Workspace, email); err != nil {
			return nil, fmt.Errorf("remove a sample: %w", err)
		}
		if err := s.Samples.Remove(ctx, caller.Workspace, email); err != nil {
			return nil, fmt.Errorf("remove a sample: %w", err)
		}
	}
	if err := s.Records.Delete(ctx, caller.Workspace, kindSample, sampleID); err != nil {
		return nil, fmt.Errorf("forget a sample: %w", err)
	}
	return nil, nil
}

// sampleIsIn fails while events are on their way that would come after their removal.
func (s *Server) sampleIsIn(ctx context.Context, workspace string, events []event.Event) error {
	if s.Known == nil {
		return nil
	}
	ids := make([]event.ID, len(events))
	for i, e := range events {
		ids[i] = e.ID
	}
	known, err := s.Known.Known(ctx, workspace, ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if !known[id] {
			return &event.Cause{Words: "the sample is still coming in"}
		}
	}
	return nil
}

// hasSample reports whether a workspace shows sample events.
func (s *Server) hasSample(ctx context.Context, workspace string) (bool, error) {
	_, err := account.Get[sampleRecord](ctx, s.Records, workspace, kindSample, sampleID)
	if errors.Is(err, event.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
