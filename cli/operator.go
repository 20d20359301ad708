package cli

import (
	"context"
	"errors"
	"net/http"

	"tidings/apiclient"
	"tidings/app"
)

// operate has what the process that serves a directory, or where there is none
// this one, do one of the operator's tasks. None of them makes a directory that is not
// there.
func operate[In, Out any](
	ctx context.Context, env *environment, s app.Settings, name string, in In, alone func(*app.App, context.Context, In) (Out, error),
) (Out, error) {
	var out Out
	if dial, ok := app.DialOperator(ctx, s.Data); ok && s.Data != "" {
		client := apiclient.Operator(dial, "", func() error { return nil })
		err := client.Call(ctx, http.MethodPost, app.OperatorPath+name, in, &out)
		return out, errors.Join(err, client.Close())
	}
	if s.Data != "" && !s.External() {
		if err := directoryExists(s.Data); err != nil {
			return out, err
		}
	}
	a, err := app.Open(ctx, s, env.log)
	if err != nil {
		return out, err
	}
	out, err = app.Recorded(name, alone)(a, ctx, in)
	return out, errors.Join(err, a.Close())
}
