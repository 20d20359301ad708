package cli

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"tidings/event"
)

// operatorPath is below what only the operator of this machine reaches, through
// the socket in the data directory. It is no part of the HTTP contract: the
// command and the server are one program.
const operatorPath = "/operator/"

// operatorRoutes are the API for the operator, and what only this process can
// do with the directory that it holds.
func (a *app) operatorRoutes() http.Handler {
	routes := http.NewServeMux()
	routes.Handle("/", a.server.Operator())
	routes.HandleFunc("POST "+operatorPath+"rollover", answering(a.runRollover))
	routes.HandleFunc("POST "+operatorPath+"rebuild", answering(a.rebuild))
	routes.HandleFunc("POST "+operatorPath+"backup", answering(a.backup))
	routes.HandleFunc("POST "+operatorPath+"copy", answering(a.copySealed))
	routes.HandleFunc("POST "+operatorPath+"weeks", answering(a.weekHealth))
	return routes
}

// answering makes a handler of a function from one JSON value to another.
func answering[In, Out any](do func(context.Context, In) (Out, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in In
		err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxProblem)).Decode(&in)
		if err != nil {
			err = event.Invalid("", "the request cannot be read: "+err.Error())
		}
		var out any
		if err == nil {
			out, err = do(r.Context(), in)
		}
		w.Header().Set("Content-Type", "application/json")
		if err != nil {
			status := statusOf(err)
			w.WriteHeader(status)
			out = map[string]any{"status": status, "title": http.StatusText(status), "detail": err.Error()}
		}
		_ = json.NewEncoder(w).Encode(out) // Who asked is gone; there is nobody to tell.
	}
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

// operate has what the process that serves a directory, or where there is none
// this one, do one of the operator's tasks.
func operate[In, Out any](
	ctx context.Context, env *environment, s settings, name string, in In, alone func(*app, context.Context, In) (Out, error),
) (Out, error) {
	var out Out
	if dial, ok := dialOperator(ctx, s.Data); ok && s.Data != "" {
		client := operatorClient(dial, "", func() error { return nil })
		err := client.call(ctx, http.MethodPost, operatorPath+name, in, &out)
		return out, errors.Join(err, client.close())
	}
	a, err := openApp(ctx, s, env.log)
	if err != nil {
		return out, err
	}
	out, err = alone(a, ctx, in)
	return out, errors.Join(err, a.Close())
}
