package api

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tidings/account"
	"tidings/event"
	"tidings/secret"
)

// problemOf is the one place where kinds of errors become HTTP. known is false
// for an error that nobody has foreseen: it is the server's fault and its text
// is for the log alone.
func problemOf(err error) (p *Problem, known bool) {
	var field *event.FieldError
	switch {
	case errors.As(err, &p):
		return p, p.Status != http.StatusInternalServerError
	case errors.As(err, &field):
		return located("query", field), true
	case errors.Is(err, event.ErrInvalid):
		return problem(http.StatusUnprocessableEntity, "the request cannot be understood"), true
	case errors.Is(err, event.ErrNotFound):
		return problem(http.StatusNotFound, "not found"), true
	case errors.Is(err, event.ErrForbidden):
		return problem(http.StatusForbidden, "this caller may not do that"), true
	case errors.Is(err, account.ErrLastAdmin):
		return problem(http.StatusConflict, "this is the last admin of the workspace; make somebody else admin first"), true
	case errors.Is(err, event.ErrConflict):
		return problem(http.StatusConflict, "somebody else changed it at the same time"), true
	case errors.Is(err, event.ErrTooMuch):
		return tooMuch(err), true
	case errors.Is(err, secret.ErrNoKey):
		return problem(http.StatusNotImplemented, "this server keeps no secrets: whoever runs it must start it with --secrets-key FILE"), true
	case errors.Is(err, secret.ErrLocked):
		return problem(http.StatusServiceUnavailable, "the key that sealed this secret is not here: whoever runs the server must bring secrets.key back, or enter the secret again"), true
	case errors.Is(err, errors.ErrUnsupported):
		return problem(http.StatusNotImplemented, "this server is not set up for that"), true
	case errors.Is(err, event.ErrUnavailable), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		p = problem(http.StatusServiceUnavailable, "the server is unavailable for the moment; try again soon")
		p.header = http.Header{"Retry-After": {"1"}}
		return p, !errors.Is(err, context.DeadlineExceeded)
	}
	return problem(http.StatusInternalServerError, "something went wrong on the server; nothing is wrong with the request"), false
}

func tooMuch(err error) *Problem {
	p := problem(http.StatusTooManyRequests, "too much at once")
	after := time.Second
	var bound *event.TooMuch
	if errors.As(err, &bound) {
		p.Detail = bound.What
		after = max(after, bound.After)
	}
	p.header = http.Header{"Retry-After": {strconv.Itoa(int(math.Ceil(after.Seconds())))}}
	return p
}

// useProblems makes huma's own errors Problems. huma keeps these choices in
// package variables, so they are made once for the process.
var useProblems = sync.OnceFunc(func() {
	huma.DefaultArrayNullable = false
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		return problemOfHuma(status, message, errs)
	}
	huma.NewErrorWithContext = func(_ huma.Context, status int, message string, errs ...error) huma.StatusError {
		return problemOfHuma(status, message, errs)
	}
})

// problemOfHuma turns what huma found wrong with parameters into a Problem.
func problemOfHuma(status int, message string, errs []error) *Problem {
	p := problem(status, message)
	if status >= http.StatusInternalServerError {
		p.Detail = "something went wrong on the server; nothing is wrong with the request"
		return p
	}
	for _, err := range errs {
		if len(p.Errors) == maxProblemErrors {
			break
		}
		var detail *huma.ErrorDetail
		if errors.As(err, &detail) {
			p.Errors = append(p.Errors, ProblemError{Location: clip(detail.Location), Message: detail.Message, Value: clipValue(detail.Value)})
		}
	}
	if len(p.Errors) > 0 {
		p.Detail = fmt.Sprintf("%s: %s", p.Errors[0].Location, p.Errors[0].Message)
	}
	return p
}

// maxEcho is how much of a request an answer repeats, in bytes.
const maxEcho = 100

// clip shortens a text that came with the request.
func clip(text string) string {
	if len(text) > maxEcho {
		text = text[:maxEcho] + "…"
	}
	return strings.ToValidUTF8(text, "�")
}

func clipValue(value any) any {
	switch value := value.(type) {
	case string:
		if value == "" {
			return nil
		}
		return clip(value)
	case int64, uint64, float64, bool:
		return value
	}
	return nil
}
