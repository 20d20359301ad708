package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"tidings/api/hooks"
)

// ReplayReceipt is what became of several that were tried again.
type ReplayReceipt struct {
	Replayed int `json:"replayed"`
	Failed   int `json:"failed" doc:"these are still there"`
}

type (
	rejectedInput struct {
		Name pathText `path:"name" doc:"percent-encoded"`
		ID   pathText `path:"id"`
	}
	rejectedOutput struct {
		Body struct {
			Items []RejectedView `json:"items"`
		} `nameHint:"RejectedList"`
	}
	replayOutput struct{ Body ReplayReceipt }
)

func (s *Server) rejectedRoutes(docs huma.API) {
	handle(s, docs, route{
		id: "list-rejected", audit: auditReads, method: http.MethodGet, path: "/v1/sources/{name}/rejected", group: "Sources", may: admins(),
		summary: "What came signed and could not be understood, or is of a kind that is not known, masked, newest first; at most 500 of each, for 30 days",
	}, s.listRejected)
	handle(s, docs, route{
		id: "replay-all-rejected", method: http.MethodPost, path: "/v1/sources/{name}/rejected/replay", group: "Sources",
		may: admins(), failures: []int{http.StatusTooManyRequests},
		summary: "Try all rejected requests of a source again",
	}, s.replayAllRejected)
	handle(s, docs, route{
		id: "replay-rejected", method: http.MethodPost, path: "/v1/sources/{name}/rejected/{id}/replay", group: "Sources",
		may: admins(), success: http.StatusNoContent, failures: []int{http.StatusTooManyRequests},
		summary:     "Try a rejected request again",
		description: "422 when it still cannot be understood.",
	}, s.replayOneRejected)
	handle(s, docs, route{
		id: "drop-rejected", method: http.MethodDelete, path: "/v1/sources/{name}/rejected/{id}", group: "Sources",
		may: admins(), success: http.StatusNoContent,
		summary: "Forget a rejected request",
	}, s.dropRejected)
}

func (s *Server) listRejected(ctx context.Context, caller Caller, in *sourceNameInput) (*rejectedOutput, error) {
	source, err := s.namedSource(ctx, caller, in.Name)
	if err != nil {
		return nil, err
	}
	all, err := s.rejected.list(ctx, caller.Workspace, source.Name)
	if err != nil {
		return nil, err
	}
	out := new(rejectedOutput)
	out.Body.Items = make([]RejectedView, len(all))
	for i, r := range all {
		out.Body.Items[i] = r.view()
	}
	return out, nil
}

// namedRejected is a rejected request of one of the caller's sources.
func (s *Server) namedRejected(ctx context.Context, caller Caller, in *rejectedInput) (sourceRecord, rejectedRecord, error) {
	source, err := s.namedSource(ctx, caller, in.Name)
	if err != nil {
		return source, rejectedRecord{}, err
	}
	id, err := in.ID.decode("id")
	if err != nil {
		return source, rejectedRecord{}, err
	}
	r, err := s.rejected.get(ctx, caller.Workspace, source.Name, id)
	return source, r, err
}

func (s *Server) replayOneRejected(ctx context.Context, caller Caller, in *rejectedInput) (*empty, error) {
	source, r, err := s.namedRejected(ctx, caller, in)
	if err != nil {
		return nil, err
	}
	err = s.replayRejected(ctx, caller.Workspace, source, r)
	if errors.Is(err, errStillRejected) {
		return nil, problem(http.StatusUnprocessableEntity, hooks.Masked([]byte(err.Error()), maxReason))
	}
	return nil, err
}

func (s *Server) replayAllRejected(ctx context.Context, caller Caller, in *sourceNameInput) (*replayOutput, error) {
	source, err := s.namedSource(ctx, caller, in.Name)
	if err != nil {
		return nil, err
	}
	all, err := s.rejected.list(ctx, caller.Workspace, source.Name)
	if err != nil {
		return nil, err
	}
	out := new(replayOutput)
	for _, r := range all {
		switch err := s.replayRejected(ctx, caller.Workspace, source, r); {
		case err == nil:
			out.Body.Replayed++
		case errors.Is(err, errStillRejected):
			out.Body.Failed++
		default:
			return nil, err
		}
	}
	return out, nil
}

func (s *Server) dropRejected(ctx context.Context, caller Caller, in *rejectedInput) (*empty, error) {
	source, r, err := s.namedRejected(ctx, caller, in)
	if err != nil {
		return nil, err
	}
	return nil, s.rejected.drop(ctx, caller.Workspace, source.Name, r.ID)
}
