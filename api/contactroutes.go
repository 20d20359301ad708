package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"tidings/feed"
)

type contactInput struct {
	Email pathText `path:"email" doc:"the address, percent-encoded"`
	TZ    string   `query:"tz" doc:"IANA time zone of hours; the reader's setting when absent" maxLength:"100"`
}

type contactOutput struct{ Body feed.PersonView }

type companyInput struct {
	Domain pathText `path:"domain" doc:"what stands behind the @ of an address"`
	TZ     string   `query:"tz" doc:"IANA time zone of hours; the reader's setting when absent" maxLength:"100"`
}

type companyOutput struct{ Body feed.CompanyView }

func (s *Server) contactRoutes(docs huma.API) {
	const how = "Made of the newest thousand events within 52 weeks that the reader may see; more says that there are older ones."
	handle(s, docs, route{
		id: "get-person", inTurn: true, method: http.MethodGet, path: "/v1/people/{email}", group: "Feed", may: readers(),
		summary: "What is known of a person", description: how,
	}, s.getPerson)
	handle(s, docs, route{
		id: "get-company", inTurn: true, method: http.MethodGet, path: "/v1/companies/{domain}", group: "Feed", may: readers(),
		summary: "What is known of the people of a domain", description: how,
	}, s.getCompany)
}

func (s *Server) getPerson(ctx context.Context, caller Caller, in *contactInput) (*contactOutput, error) {
	email, err := pathAddress(in.Email)
	if err != nil {
		return nil, err
	}
	scope := caller.Scope()
	if scope.Zone, err = s.zone(ctx, caller, in.TZ); err != nil {
		return nil, err
	}
	view, err := s.Contacts.Person(ctx, scope, email)
	if err != nil {
		return nil, err
	}
	return &contactOutput{view}, nil
}

func (s *Server) getCompany(ctx context.Context, caller Caller, in *companyInput) (*companyOutput, error) {
	domain, err := scannerDomain(in.Domain)
	if err != nil {
		return nil, err
	}
	scope := caller.Scope()
	if scope.Zone, err = s.zone(ctx, caller, in.TZ); err != nil {
		return nil, err
	}
	view, err := s.Contacts.Company(ctx, scope, domain)
	if err != nil {
		return nil, err
	}
	return &companyOutput{view}, nil
}
