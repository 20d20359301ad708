package api

import (
	"encoding/json"
	"net/http"
	"strconv"

	"tidings/event"
)

// Problem is an error as callers see it, after RFC 9457. It never holds the
// text of an internal error.
type Problem struct {
	Title  string `json:"title" doc:"the status in words"`
	Status int    `json:"status" doc:"the HTTP status"`
	Detail string `json:"detail" doc:"what is wrong this time"`
	// Reference finds what was logged.
	Reference string         `json:"reference,omitempty" doc:"failures of the server: quote it to whoever runs it, who finds it in the log"`
	Errors    []ProblemError `json:"errors,omitempty" doc:"each field that is at fault, at most 100"`

	header http.Header
}

// ProblemError is one field that is at fault.
type ProblemError struct {
	Location string `json:"location" doc:"where, such as events[3].recipients[0].email or query.limit"`
	Message  string `json:"message" doc:"what is wrong there"`
	Value    any    `json:"value,omitempty" doc:"what was given"`
}

// maxProblemErrors bounds how many fields one answer names.
const maxProblemErrors = 100

func problem(status int, detail string) *Problem {
	return &Problem{Title: http.StatusText(status), Status: status, Detail: detail}
}

func unauthorized(detail string) *Problem {
	p := problem(http.StatusUnauthorized, detail)
	p.header = http.Header{"Www-Authenticate": {`Bearer realm="tidings"`}}
	return p
}

// located is a field at fault in a part of the request: query, path, header.
func located(part string, err *event.FieldError) *Problem {
	location := part
	if err.Field != "" {
		location += "." + err.Field
	}
	p := problem(http.StatusUnprocessableEntity, location+" "+err.Problem)
	p.Errors = []ProblemError{{Location: location, Message: err.Problem}}
	return p
}

// as gives the problem another status.
func (p *Problem) as(status int) *Problem {
	p.Status, p.Title = status, http.StatusText(status)
	return p
}

func (p *Problem) Error() string { return p.Detail }

// GetStatus tells huma the status.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders tells huma the headers.
func (p *Problem) GetHeaders() http.Header { return p.header }

// ContentType tells huma the media type.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// write sends the problem where huma is not in charge.
func (p *Problem) write(w http.ResponseWriter) {
	body, err := json.Marshal(p)
	if err != nil {
		// Only a Value could fail, and is not worth an answer without a body.
		p.Errors = nil
		body, _ = json.Marshal(p)
	}
	for name, values := range p.header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", p.ContentType(""))
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(p.Status)
	_, _ = w.Write(body) // the reader has gone when this fails
}
