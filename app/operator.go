package app

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"tidings/event"
)

// OperatorPath is below what only the operator of this machine reaches, through
// the socket in the data directory. It is no part of the HTTP contract: the
// command and the server are one program.
const OperatorPath = "/operator/"

// operatorRoutes are the API for the operator, and what only this process can
// do with the directory that it holds.
func (a *App) operatorRoutes() http.Handler {
	routes := http.NewServeMux()
	routes.Handle("/", a.Server.Operator())
	routes.HandleFunc("POST "+OperatorPath+"rollover", answering(a.RunRollover))
	routes.HandleFunc("POST "+OperatorPath+"rebuild", answering(a.Rebuild))
	routes.HandleFunc("POST "+OperatorPath+"backup", answering(a.Backup))
	routes.HandleFunc("POST "+OperatorPath+"restore-week", answering(a.RestoreWeek))
	routes.HandleFunc("POST "+OperatorPath+"copy", answering(a.CopySealed))
	routes.HandleFunc("POST "+OperatorPath+"weeks", answering(a.WeekHealth))
	routes.HandleFunc("POST "+OperatorPath+"warnings", answering(a.warnings))
	routes.HandleFunc("POST "+OperatorPath+"rotate-secrets", answering(a.RotateSecrets))
	routes.HandleFunc("POST "+OperatorPath+"access-grant", answering(a.GrantAccess))
	routes.HandleFunc("POST "+OperatorPath+"audit-verify", answering(a.CheckAudit))
	routes.HandleFunc("POST "+OperatorPath+"audit-heads", answering(a.AuditHeads))
	return a.onRecord(routes)
}

// warnings say what requests have shown to be wrong with how the server is set up.
func (a *App) warnings(ctx context.Context, _ struct{}) ([]string, error) {
	return a.Server.Warnings(ctx), nil
}

// maxRequest bounds what an operator may ask.
const maxRequest = 1 << 20

// answering makes a handler of a function from one JSON value to another.
func answering[In, Out any](do func(context.Context, In) (Out, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in In
		err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest)).Decode(&in)
		if err != nil {
			err = event.Invalid("", "the request cannot be read: "+err.Error())
		}
		var out any
		if err == nil {
			out, err = do(r.Context(), in)
		}
		answer(w, out, err)
	}
}

// answer writes what came of a request, or the problem.
func answer(w http.ResponseWriter, out any, err error) {
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		status := statusOf(err)
		w.WriteHeader(status)
		out = map[string]any{"status": status, "title": http.StatusText(status), "detail": err.Error()}
	}
	_ = json.NewEncoder(w).Encode(out) // Who asked is gone; there is nobody to tell.
}

func statusOf(err error) int {
	switch {
	case errors.Is(err, event.ErrInvalid):
		return http.StatusUnprocessableEntity
	case errors.Is(err, event.ErrNotFound):
		return http.StatusNotFound
	case errors.Is(err, event.ErrConflict):
		return http.StatusConflict
	case errors.Is(err, event.ErrUnavailable):
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}
