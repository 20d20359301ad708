package api

import "strings"

// Registered are all routes that a server answers, as the document writes them:
// "GET /v1/events/{id}".
func (s *Server) Registered() []string {
	var all []string
	for _, route := range s.engine.Routes() {
		parts := strings.Split(route.Path, "/")
		for i, part := range parts {
			if name, parameter := strings.CutPrefix(part, ":"); parameter {
				parts[i] = "{" + name + "}"
			}
		}
		all = append(all, route.Method+" "+strings.Join(parts, "/"))
	}
	return all
}
