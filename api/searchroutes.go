package api

import (
	"context"
	"net/http"

	"tidings/account"

	"github.com/danielgtaylor/huma/v2"
)

type searchesOutput struct {
	Body struct {
		Items []account.SavedSearch `json:"items"`
	} `nameHint:"SavedSearchList"`
}

type searchInput struct {
	content
	Name pathText `path:"name" doc:"percent-encoded"`
}

type searchNameInput struct {
	Name pathText `path:"name" doc:"percent-encoded"`
}

type searchOutput struct{ Body account.SavedSearch }

func (s *Server) searchRoutes(docs huma.API) {
	handle(s, docs, route{
		id: "list-searches", audit: auditNothing, method: http.MethodGet, path: "/v1/searches", group: "Feed", may: readers(),
		summary:     "Saved searches, by name",
		description: "Your own, the workspace's, and those that somebody shares whose events you see.",
	}, s.listSearches)
	handle(s, docs, route{
		id: "put-search", method: http.MethodPut, path: "/v1/searches/{name}", group: "Feed", may: readers(),
		request: account.SearchRequest{}, failures: []int{http.StatusTooManyRequests},
		summary:     "Make or replace a search of your own",
		description: "At most 200 each. A search that a key of nobody saves belongs to the workspace.",
	}, s.putSearch)
	handle(s, docs, route{
		id: "delete-search", method: http.MethodDelete, path: "/v1/searches/{name}", group: "Feed", may: readers(),
		success:     http.StatusNoContent,
		summary:     "Delete a search of your own",
		description: "Admins without a search of that name delete the workspace's.",
	}, s.deleteSearch)
}

func (s *Server) listSearches(ctx context.Context, caller Caller, _ *empty) (*searchesOutput, error) {
	all, err := s.searches.List(ctx, caller)
	if err != nil {
		return nil, err
	}
	out := new(searchesOutput)
	out.Body.Items = all
	return out, nil
}

func (s *Server) putSearch(ctx context.Context, caller Caller, in *searchInput) (*searchOutput, error) {
	name, err := searchName(in.Name)
	if err != nil {
		return nil, err
	}
	request, err := decodeDocument[account.SearchRequest](&s.bodies, &in.content)
	if err != nil {
		return nil, err
	}
	if err := request.Check(); err != nil {
		return nil, inBody(err)
	}
	if request.Shared && caller.Role == account.RoleViewer {
		return nil, problem(http.StatusForbidden, "a viewer's searches are theirs alone; sharing one takes the role member")
	}
	saved, err := s.searches.Put(ctx, caller, name, request)
	if err != nil {
		return nil, err
	}
	return &searchOutput{saved}, nil
}

func (s *Server) deleteSearch(ctx context.Context, caller Caller, in *searchNameInput) (*empty, error) {
	name, err := searchName(in.Name)
	if err != nil {
		return nil, err
	}
	return nil, s.searches.Remove(ctx, caller, name)
}

// searchName reads the name of a search out of a path.
func searchName(part pathText) (string, error) {
	name, err := part.decode("name")
	if err != nil {
		return "", err
	}
	if err := account.CheckName("name", name); err != nil {
		return "", badPath("name", err.Problem)
	}
	return name, nil
}
