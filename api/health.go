package api

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"tidings/event"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Health says whether the process, or what it stands on, is up.
type Health struct {
	Status string            `json:"status" enum:"ok,degraded,unavailable" doc:"degraded: it works, but for what problems says"`
	Checks map[string]string `json:"checks,omitempty" doc:"each dependency: ok, degraded or unavailable"`
	// Problems hold words of our own alone: the answer is public.
	Problems []string `json:"problems,omitempty" doc:"what cannot be done, and why, in words"`
}

type healthOutput struct {
	Status int
	Body   Health
}

type readyInput struct {
	Self bool `query:"self" doc:"only whether this process takes requests, for load balancers: not while it starts or stops. A store that is away is away for every process, and taking events in may go on"`
}

func (s *Server) healthRoutes(docs huma.API) {
	handle(s, docs, route{
		id: "get-health", audit: auditNothing, method: http.MethodGet, path: "/healthz", group: "Operation",
		summary: "Whether the process is up",
	}, func(context.Context, Caller, *empty) (*healthOutput, error) {
		return &healthOutput{http.StatusOK, Health{Status: "ok"}}, nil
	})
	handle(s, docs, route{
		id: "get-ready", audit: auditNothing, method: http.MethodGet, path: "/readyz", group: "Operation",
		summary: "Whether everything that the server stands on is up",
	}, s.ready)
	ready := docs.OpenAPI().Paths["/readyz"].Get
	ready.Responses["503"] = &huma.Response{Description: "Something is away", Content: ready.Responses["200"].Content}
	s.engine.GET("/metrics", gin.WrapH(promhttp.HandlerFor(s.Metrics, promhttp.HandlerOpts{Registry: s.Metrics})))
}

func (s *Server) ready(ctx context.Context, _ Caller, in *readyInput) (*healthOutput, error) {
	out := &healthOutput{http.StatusOK, Health{Status: "ok", Checks: map[string]string{}}}
	check := s.Ready
	if in.Self {
		check = s.ReadySelf
	}
	if check == nil {
		return out, nil
	}
	for name, err := range check(ctx) {
		out.Body.Checks[name] = "ok"
		if err == nil {
			continue
		}
		// What a vendor says is for the log: this answer is public.
		s.Logger.WarnContext(ctx, "not ready", "dependency", name, "error", err)
		problem, degraded := readinessProblem(name, err)
		out.Body.Problems = append(out.Body.Problems, problem)
		out.Body.Checks[name] = "degraded"
		if degraded && out.Status == http.StatusOK {
			out.Body.Status = "degraded"
		}
		if !degraded {
			out.Status = http.StatusServiceUnavailable
			out.Body.Status = "unavailable"
			out.Body.Checks[name] = "unavailable"
		}
	}
	slices.Sort(out.Body.Problems)
	return out, nil
}

// readinessProblem says in words what cannot be done because something is not ready, and
// whether everything else can.
func readinessProblem(name string, err error) (problem string, degraded bool) {
	if damaged, other := event.SplitDamaged(err); other == nil {
		return damaged.Error(), true
	}
	if degraded, ok := errors.AsType[*event.Degraded](err); ok {
		return degraded.Error(), true
	}
	switch cause := event.CauseOf(err); name {
	case "accept":
		return "events cannot be accepted: " + cause, false
	case "stream":
		return "events cannot be accepted or indexed, and nothing is pushed: the queue: " + cause, false
	case "index":
		return "events cannot be indexed or read: the index: " + cause, false
	case "state":
		return "events cannot be indexed or read: the state store: " + cause, false
	case "live":
		return "nothing is pushed: " + cause, false
	case "server":
		return "the server is stopping", false
	default:
		return name + ": " + cause, false
	}
}
