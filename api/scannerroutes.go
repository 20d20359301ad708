package api

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tidings/account"
	"tidings/event"
	"tidings/verdict"
)

// scannersLooked is how far back scanners are looked for.
const scannersLooked = 4 * 7 * 24 * time.Hour

// Scanners are those that a workspace has adopted, and those that it might.
type Scanners struct {
	Items       []account.Scanner   `json:"items" doc:"adopted, by domain"`
	Suggestions []ScannerSuggestion `json:"suggestions" doc:"by domain; they do nothing until they are adopted"`
	Since       time.Time           `json:"since" doc:"since when mails were looked at for the suggestions"`
	Partial     bool                `json:"partial" doc:"there were too many mails to look at all of four weeks: since is later"`
	Within      int                 `json:"within_seconds" doc:"how soon after a mail's arrival an open or a click counts as soon"`
}

// ScannerSuggestion is a domain that seems to have a scanner, and why.
type ScannerSuggestion struct {
	Domain   string           `json:"domain"`
	Mails    int              `json:"mails" doc:"how many arrived there, each recipient of each counted"`
	Scanned  int              `json:"scanned" doc:"of how many these networks opened or clicked something soon"`
	People   int              `json:"people" doc:"how many recipients the mails had"`
	Networks []ScannerNetwork `json:"networks" doc:"the busiest first"`
	Examples []event.ID       `json:"examples" doc:"the newest events, as of GET /v1/events/{id}"`
}

// ScannerNetwork is what came from one network of a suggestion.
type ScannerNetwork struct {
	Network netip.Prefix `json:"network"`
	Mails   int          `json:"mails" doc:"of how many mails something was opened or clicked soon"`
	Later   int          `json:"later" doc:"opens and clicks that came later: with many, people may sit there too"`
}

type (
	scannersOutput struct{ Body Scanners }
	scannerInput   struct {
		content
		Domain pathText `path:"domain" doc:"what follows the @ of its recipients; percent-encoded"`
	}
	scannerNameInput struct {
		Domain pathText `path:"domain" doc:"percent-encoded"`
	}
	scannerOutput struct{ Body account.Scanner }
)

func (s *Server) scannerRoutes(docs huma.API) {
	handle(s, docs, route{
		id: "list-scanners", audit: auditNothing, inTurn: true, method: http.MethodGet, path: "/v1/scanners", group: "Scanners", may: admins(),
		summary: "Scanners of recipients' domains: adopted ones, and suggestions",
		description: "A suggestion is a domain of which nearly all mails of the last four weeks were opened or clicked within a minute " +
			"of their arrival, from the same few networks. Nothing follows from it until somebody adopts it.",
	}, s.listScanners)
	handle(s, docs, route{
		id: "put-scanner", method: http.MethodPut, path: "/v1/scanners/{domain}", group: "Scanners", may: admins(),
		request: account.ScannerRequest{},
		summary: "Adopt a scanner of a recipient's domain, or replace one",
		description: "From then on, what comes from these networks about mails to this domain is a machine's (scanner-domain). " +
			"What was judged before follows when its week is rebuilt.",
	}, s.putScanner)
	handle(s, docs, route{
		id: "delete-scanner", method: http.MethodDelete, path: "/v1/scanners/{domain}", group: "Scanners", may: admins(),
		success: http.StatusNoContent,
		summary: "Take a scanner back",
	}, s.deleteScanner)
}

func (s *Server) listScanners(ctx context.Context, caller Caller, _ *empty) (*scannersOutput, error) {
	adopted, err := s.scanners.List(ctx, caller.Workspace)
	if err != nil {
		return nil, err
	}
	since := s.Clock().Add(-scannersLooked).UTC().Truncate(time.Second)
	var learner verdict.Learner
	reached, err := s.Reports.Evidence(ctx, caller.Workspace, since, learner.Add)
	if err != nil {
		return nil, err
	}
	out := &scannersOutput{Scanners{
		Items: adopted, Suggestions: []ScannerSuggestion{}, Since: reached, Partial: reached.After(since),
		Within: int(verdict.LearnWindow / time.Second),
	}}
	for _, suggestion := range learner.Suggestions() {
		if !known(adopted, suggestion) {
			out.Body.Suggestions = append(out.Body.Suggestions, viewOf(suggestion))
		}
	}
	return out, nil
}

// known reports whether all networks of a suggestion are adopted.
func known(adopted []account.Scanner, suggestion verdict.Suggestion) bool {
	at := slices.IndexFunc(adopted, func(a account.Scanner) bool { return a.Domain == suggestion.Domain })
	if at < 0 {
		return false
	}
	return !slices.ContainsFunc(suggestion.Networks, func(n verdict.LearnedNetwork) bool {
		return !slices.ContainsFunc(adopted[at].Networks, func(have netip.Prefix) bool {
			return have.Bits() <= n.Network.Bits() && have.Contains(n.Network.Addr())
		})
	})
}

func viewOf(suggestion verdict.Suggestion) ScannerSuggestion {
	view := ScannerSuggestion{
		Domain: suggestion.Domain, Mails: suggestion.Mails, Scanned: suggestion.Scanned, People: suggestion.People,
		Networks: make([]ScannerNetwork, len(suggestion.Networks)), Examples: suggestion.Examples,
	}
	for i, network := range suggestion.Networks {
		view.Networks[i] = ScannerNetwork(network)
	}
	return view
}

func (s *Server) putScanner(ctx context.Context, caller Caller, in *scannerInput) (*scannerOutput, error) {
	domain, err := scannerDomain(in.Domain)
	if err != nil {
		return nil, err
	}
	request, err := decodeDocument[account.ScannerRequest](&s.bodies, &in.content)
	if err != nil {
		return nil, err
	}
	networks, wrong := request.Prefixes()
	if wrong != nil {
		return nil, inBody(wrong)
	}
	scanner := account.Scanner{
		Domain: domain, Networks: networks, Reason: request.Reason, User: caller.User, At: s.Clock().UTC().Truncate(time.Second),
	}
	if err := s.scanners.Adopt(ctx, caller.Workspace, scanner); err != nil {
		return nil, inPath(err)
	}
	return &scannerOutput{scanner}, nil
}

func (s *Server) deleteScanner(ctx context.Context, caller Caller, in *scannerNameInput) (*empty, error) {
	domain, err := scannerDomain(in.Domain)
	if err != nil {
		return nil, err
	}
	return nil, s.scanners.Remove(ctx, caller.Workspace, domain)
}

// scannerDomain reads a domain out of a path.
func scannerDomain(part pathText) (string, error) {
	text, err := part.decode("domain")
	if err != nil {
		return "", err
	}
	domain, wrong := account.ScannerDomain(text)
	if wrong != nil {
		return "", located("path", wrong)
	}
	return domain, nil
}

// inPath makes a field at fault one of the path.
func inPath(err error) error {
	var field *event.FieldError
	if errors.As(err, &field) {
		return located("path", field)
	}
	return err
}
