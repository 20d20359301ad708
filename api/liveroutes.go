package api

import (
	"cmp"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"tidings/event"
)

// liveRoutes puts the live handlers behind the check of who is asking.
func (s *Server) liveRoutes(docs huma.API) {
	for _, live := range []struct {
		path, id, summary, description string
		handler                        http.Handler
		answer                         int
	}{
		{
			"/v1/live", "get-live", "The live feed as a websocket",
			"Subprotocol tidings.v1; see docs/api.md for its frames.", s.Live, http.StatusSwitchingProtocols,
		},
		{
			"/v1/live/sse", "get-live-sse", "The live feed as server-sent events",
			"text/event-stream, for where a proxy refuses websockets.", s.SSE, http.StatusOK,
		},
	} {
		if live.handler == nil {
			continue
		}
		s.engine.GET(live.path, s.live(live.handler))
		documentLive(docs, live.path, live.id, live.summary, live.description, live.answer)
	}
}

// live checks a caller, and ends with what they may see.
func (s *Server) live(handler http.Handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		caller, err := s.authorize(c.Request, route{method: http.MethodGet, may: readers()})
		ctx, leave := c.Request.Context(), func() {}
		if err == nil {
			caller, err = s.takeSocket(c, caller)
		}
		if err == nil {
			ctx, leave, err = s.open(ctx, &caller, true)
		}
		if err == nil {
			defer leave()
			ctx, err = s.recordLive(ctx, caller, c)
		}
		if err != nil {
			p := s.problemFor(c.Request.Context(), err)
			s.refused(ctx, c.Request, "GET "+c.FullPath(), caller, p.Status)
			p.write(c.Writer)
			return
		}
		handler.ServeHTTP(c.Writer, c.Request.WithContext(withCaller(ctx, caller)))
	}
}

// takeSocket takes one of a caller's sockets, and waits a while until there is one: who is
// refused at once comes back at once, and a connection costs more than what waits on it.
// Who has waited is looked at again.
func (s *Server) takeSocket(c *gin.Context, caller Caller) (Caller, error) {
	patience := cmp.Or(s.SocketPatience, socketPatience)
	began := time.Now()
	err := s.spend(c.Request, c.Writer.Header().Set, useSockets, caller, 1)
	if err == nil {
		return caller, nil
	}
	for {
		var bound *event.TooMuch
		left := patience - time.Since(began)
		if !errors.As(err, &bound) || left <= 0 {
			return caller, err
		}
		select {
		case <-c.Request.Context().Done():
			return caller, err
		case <-time.After(min(left, max(bound.After, socketRetry))):
		}
		if err = s.spend(c.Request, c.Writer.Header().Set, useSockets, caller, 1); err == nil {
			return s.authorize(c.Request, route{method: http.MethodGet, may: readers()})
		}
	}
}
