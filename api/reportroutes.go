package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tidings/account"
	"tidings/feed"
)

// statsInput are the parameters of GET /v1/stats.
type statsInput struct {
	QuestionInput
	UnlessTimed bool     `query:"unless_timed" doc:"since and until hold only where q names no time itself"`
	Interval    string   `query:"interval" enum:"hour,day,week" doc:"the steps of the series; chosen by the length of the time when absent"`
	Fields      []string `query:"fields,explode" enum:"totals,unique,rates,automated,series,heatmap,recipients,domains,links,messages,users,previous,answer_times" maxItems:"20" doc:"what is wanted; everything but answer_times when absent. A strip beside a feed wants totals, unique and rates"`
}

type statsOutput struct{ Body feed.Stats }

// exportInput are the parameters of GET /v1/export.
type exportInput struct {
	QuestionInput
	UnlessTimed bool   `query:"unless_timed" doc:"since and until hold only where q names no time itself"`
	Format      string `query:"format" enum:"csv,ndjson" default:"csv"`
}

func (s *Server) reportRoutes(docs huma.API) {
	handle(s, docs, route{
		id: "get-stats", audit: auditReads, embedded: true, inTurn: true, method: http.MethodGet, path: "/v1/stats", group: "Feed", may: readers(), scope: account.ScopeStats,
		summary: "Numbers of what the feed lists",
		description: "The same parameters give the same events as the feed. Everything is counted within two seconds, from the newest " +
			"week backwards; partial and reached say when that was not enough.",
	}, s.getStats)
	handle(s, docs, route{
		id: "export-events", audit: auditTakes, uses: useExports, method: http.MethodGet, path: "/v1/export", group: "Feed", may: readers(), scope: account.ScopeExport,
		summary: "All that the feed lists, newest first",
		description: "CSV has a header row; a text that a spreadsheet would run as a formula has an apostrophe in front. " +
			"NDJSON has an item a line, as on a page. A failure on the way breaks the connection off.",
		failures: []int{http.StatusTooManyRequests},
	}, s.getExport)
	documentExport(docs.OpenAPI().Paths["/v1/export"].Get)
}

// documentExport tells what huma cannot see of a stream.
func documentExport(operation *huma.Operation) {
	operation.Responses["200"].Description = "Every event, newest first"
	operation.Responses["200"].Content = map[string]*huma.MediaType{
		typeCSV:    {Schema: &huma.Schema{Type: huma.TypeString}},
		typeNDJSON: {Schema: &huma.Schema{Type: huma.TypeString, Description: "an Item a line"}},
	}
}

func (s *Server) getStats(ctx context.Context, caller Caller, in *statsInput) (*statsOutput, error) {
	filter, err := in.filter()
	if err != nil {
		return nil, err
	}
	filter.UnlessTimed = in.UnlessTimed
	settings, err := settingsOf(ctx, caller, s.zones.preferences)
	if err != nil {
		return nil, err
	}
	scope := caller.Scope()
	if scope.Zone, err = s.zone(ctx, caller, in.TZ); err != nil {
		return nil, err
	}
	fields := make([]feed.StatsField, len(in.Fields))
	for i, field := range in.Fields {
		fields[i] = feed.StatsField(field)
	}
	stats, err := s.Reports.Stats(ctx, feed.StatsRequest{
		Scope: scope, Text: in.Q, Filter: filter, Interval: feed.Interval(in.Interval),
		WeekStart: settings.Effective.firstDay(), Fields: fields,
	})
	if err != nil {
		return nil, err
	}
	return &statsOutput{stats}, nil
}

// firstDay is the first day of a week, Monday when nothing is set.
func (p Preferences) firstDay() time.Weekday {
	switch p.WeekStart {
	case "saturday":
		return time.Saturday
	case "sunday":
		return time.Sunday
	}
	return time.Monday
}

func (s *Server) getExport(ctx context.Context, caller Caller, in *exportInput) (*huma.StreamResponse, error) {
	filter, err := in.filter()
	if err != nil {
		return nil, err
	}
	filter.UnlessTimed = in.UnlessTimed
	scope := caller.Scope()
	if scope.Zone, err = s.zone(ctx, caller, in.TZ); err != nil {
		return nil, err
	}
	done, err := s.exporting.begin(caller)
	if err != nil {
		return nil, err
	}
	request := feed.ExportRequest{Scope: scope, Text: in.Q, Filter: filter}
	return &huma.StreamResponse{Body: func(stream huma.Context) {
		defer done()
		s.whileOpen(stream, &caller, func(ctx context.Context) { s.export(ctx, stream, request, in.Format) })
	}}, nil
}

// whileOpen answers by a stream until the caller may not see it any more.
//
//nolint:contextcheck // the stream brings the context of its request
func (s *Server) whileOpen(stream huma.Context, caller *Caller, answer func(context.Context)) {
	ctx, leave, err := s.open(stream.Context(), caller, false)
	if err != nil {
		writeProblem(stream, s.problemFor(stream.Context(), err))
		return
	}
	defer leave()
	answer(ctx)
}
