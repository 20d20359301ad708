package api

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gorilla/websocket"

	"tidings/account"
)

// embedProtocol is how a socket of a page brings its token: a page cannot set
// headers on a websocket.
const embedProtocol = "tidings.token."

// embedPath is the page that other sites may frame.
const embedPath = "/embed/feed"

// embedTokenIn finds a token among a handshake's subprotocols.
func embedTokenIn(r *http.Request) (string, bool) {
	if !websocket.IsWebSocketUpgrade(r) {
		return "", false
	}
	for _, protocol := range websocket.Subprotocols(r) {
		if token, ok := strings.CutPrefix(protocol, embedProtocol); ok {
			return token, true
		}
	}
	return "", false
}

// mayEmbed reports whether a request with a token for embedding may be
// answered: it only reads, and comes from this host or a page that the token
// names.
func mayEmbed(c Caller, r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	origin := r.Header.Get("Origin")
	at, err := url.Parse(origin)
	return origin == "" || slices.Contains(c.Origins, origin) || err == nil && strings.EqualFold(at.Host, r.Host)
}

// embeddedIn is who a token stands for, if it may ask what it asks.
func (s *Server) embeddedIn(r *http.Request, token string) (Caller, error) {
	caller, err := s.keys.EmbedCaller(r.Context(), token)
	if err != nil {
		return Caller{}, err
	}
	if !mayEmbed(caller, r) {
		return Caller{}, problem(http.StatusForbidden, "a token for embedding only reads, for the pages that it names")
	}
	return caller, nil
}

// framePath is what a page puts into an iframe. The token stands behind the #, so that
// it is in no log and no Referer; the origins before it are for the policy alone.
func framePath(token string, origins []string) string {
	return embedPath + "?" + url.Values{"origin": origins}.Encode() + "#token=" + token
}

// frame serves the page for other sites. Only those that its address names may frame
// it; the page shows nothing unless its token names all of them too.
func (s *Server) frame(w http.ResponseWriter, r *http.Request) {
	ancestors := "'none'"
	if origins := r.URL.Query()["origin"]; account.CheckOrigins(origins) == nil {
		ancestors = strings.Join(origins, " ")
	}
	s.Web.ServeHTTP(&framedWriter{w, ancestors}, r)
}

// framedWriter sets who may frame an answer, last.
type framedWriter struct {
	http.ResponseWriter
	ancestors string
}

// WriteHeader replaces the policy of a page that nobody may frame.
func (w *framedWriter) WriteHeader(status int) {
	h := w.Header()
	policy := h.Get("Content-Security-Policy")
	h.Set("Content-Security-Policy", strings.Replace(policy, "frame-ancestors 'none'", "frame-ancestors "+w.ancestors, 1))
	h.Set("Cache-Control", "no-store") // the policy goes with the address
	h.Del("ETag")
	h.Del("X-Frame-Options")
	w.ResponseWriter.WriteHeader(status)
}
