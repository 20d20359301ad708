package api

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"
)

// pages is the page that shows the document, with its script and its style, so
// that it asks no other host for anything.
//
//go:embed docs
var pages embed.FS

// documentRoutes serves the OpenAPI document and the page that shows it. The
// document is written when it is first asked for.
func (s *Server) documentRoutes(docs huma.API) error {
	completeSchemas(docs)
	written := sync.OnceValues(func() ([]byte, error) { return writeDocument(docs.OpenAPI()) })
	s.engine.GET("/openapi.json", func(c *gin.Context) {
		document, err := written()
		if err != nil {
			s.Logger.ErrorContext(c.Request.Context(), "the OpenAPI document cannot be written", "error", err)
			p, _ := problemOf(err)
			p.write(c.Writer)
			return
		}
		c.Data(http.StatusOK, "application/json", document)
	})
	for path, page := range map[string]struct{ file, mediaType string }{
		"/docs":          {"docs/docs.html", "text/html; charset=utf-8"},
		"/docs/docs.js":  {"docs/docs.js", "text/javascript; charset=utf-8"},
		"/docs/docs.css": {"docs/docs.css", "text/css; charset=utf-8"},
	} {
		content, err := pages.ReadFile(page.file)
		if err != nil {
			return fmt.Errorf("read page: %w", err)
		}
		s.engine.GET(path, func(c *gin.Context) { c.Data(http.StatusOK, page.mediaType, content) })
	}
	return nil
}

func writeDocument(openapi *huma.OpenAPI) ([]byte, error) {
	compact, err := json.Marshal(openapi)
	if err != nil {
		return nil, fmt.Errorf("write OpenAPI document: %w", err)
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, compact, "", "  "); err != nil {
		return nil, fmt.Errorf("indent OpenAPI document: %w", err)
	}
	indented.WriteByte('\n')
	return indented.Bytes(), nil
}

// documentLive writes a live route, which huma does not serve, into the
// document.
func documentLive(docs huma.API, path, id, summary, description string, answer int) {
	problems := &huma.Response{
		Description: "Not signed in, not allowed, or the server is at fault",
		Content: map[string]*huma.MediaType{
			"application/problem+json": {Schema: &huma.Schema{Ref: "#/components/schemas/Problem"}},
		},
	}
	docs.OpenAPI().AddOperation(&huma.Operation{
		OperationID: id, Method: http.MethodGet, Path: path, Summary: summary, Description: description,
		Tags:       []string{"Live"},
		Extensions: map[string]any{"x-audit": string(auditReads)},
		Security:   []map[string][]string{{"key": {}}, {"session": {}}},
		Responses: map[string]*huma.Response{
			strconv.Itoa(answer): {Description: summary},
			"default":            problems,
		},
	})
}
