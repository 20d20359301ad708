package api

import (
	"bufio"
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"tidings/feed"
)

type contactInput struct {
	Email pathText `path:"email" doc:"the address, percent-encoded"`
	TZ    string   `query:"tz" doc:"IANA time zone of hours; the reader's setting when absent" maxLength:"100"`
}

type contactOutput struct{ Body feed.PersonView }

type companyInput struct {
	Domain pathText `path:"domain" doc:"what follows the @ of an address"`
	TZ     string   `query:"tz" doc:"IANA time zone of hours; the reader's setting when absent" maxLength:"100"`
}

type companyOutput struct{ Body feed.CompanyView }

func (s *Server) contactRoutes(docs huma.API) {
	const how = "Made of the newest thousand events within 52 weeks that the reader may see; more says that there are older ones."
	handle(s, docs, route{
		id: "get-person", audit: auditReads, inTurn: true, method: http.MethodGet, path: "/v1/people/{email}", group: "Feed", may: readers(),
		summary: "What is known of a person", description: how,
	}, s.getPerson)
	handle(s, docs, route{
		id: "get-company", audit: auditReads, inTurn: true, method: http.MethodGet, path: "/v1/companies/{domain}", group: "Feed", may: readers(),
		summary: "What is known of the people of a domain", description: how,
	}, s.getCompany)
	const data = "/v1/people/{email}/data"
	handle(s, docs, route{
		id: "export-person", audit: auditTakes, method: http.MethodGet, path: data, group: "Operation", may: admins(),
		summary: "All that is stored about a person, for their own request",
		description: "NDJSON: every event with them, newest first, with its text and its raw evidence. Of a send it tells this recipient alone. " +
			"A failure on the way breaks the connection off.",
		failures: []int{http.StatusTooManyRequests},
	}, s.getPersonData)
	answer := docs.OpenAPI().Paths[data].Get.Responses["200"]
	answer.Description = "Every event, newest first"
	answer.Content = map[string]*huma.MediaType{
		typeNDJSON: {Schema: &huma.Schema{Type: huma.TypeString, Description: "an EventView a line"}},
	}
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

func (s *Server) getPersonData(_ context.Context, caller Caller, in *personInput) (*huma.StreamResponse, error) {
	email, err := in.address()
	if err != nil {
		return nil, err
	}
	done, err := s.exporting.begin(caller)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(stream huma.Context) {
		defer done()
		s.whileOpen(stream, &caller, func(ctx context.Context) { s.personData(ctx, stream, caller.Workspace, email) })
	}}, nil
}

// personData streams what is stored about a person.
func (s *Server) personData(ctx context.Context, stream huma.Context, workspace, email string) {
	rows := ndjsonRows{bufio.NewWriter(humagin.Unwrap(stream).Writer)}
	s.stream(ctx, stream, rows, "person.ndjson", func(ctx context.Context, batch func(write func() error) error) error {
		return s.Reports.PersonData(ctx, workspace, email, func(views []feed.EventView) error {
			if len(views) == 0 {
				return batch(nil)
			}
			return batch(func() error {
				for i := range views {
					if err := rows.line(&views[i]); err != nil {
						return err
					}
				}
				return nil
			})
		})
	})
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
