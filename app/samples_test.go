package app

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/account"
)

// A sample comes and goes whole: what is there beside it stays, and no number remembers it.
func TestASampleComesAndGoesWhole(t *testing.T) {
	a, err := Open(t.Context(), Settings{Data: t.TempDir()}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	keys := account.NewKeys(a.State, time.Now, rand.Reader)
	admin := func(workspace string) string {
		key, _, err := keys.Create(t.Context(), workspace, account.KeyRequest{Role: account.RoleAdmin})
		require.NoError(t, err)
		return key
	}
	handler := a.Public()
	do := func(key, method, path, body string, status int, into any) {
		t.Helper()
		request := httptest.NewRequest(method, path, strings.NewReader(body))
		request.Header.Set("Authorization", "Bearer "+key)
		request.Header.Set("Content-Type", "application/json")
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, request)
		require.Equal(t, status, answer.Code, "%s %s: %s", method, path, answer.Body)
		if into != nil {
			require.NoError(t, json.Unmarshal(answer.Body.Bytes(), into))
		}
	}
	acme, globex, plain := admin("acme"), admin("globex"), admin("plain")
	var made struct{ Events, People int }
	do(acme, "POST", "/v1/sample", "", 202, &made)
	require.Greater(t, made.Events, 40)
	do(acme, "DELETE", "/v1/sample", "", 503, nil) // nothing of it is indexed yet

	running, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(running) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
	})
	own := fmt.Sprintf(`{"id":"own","type":"send","time":%d,"message":"m-own","subject":"Ours","recipients":[{"email":"jo@real.example"}]}`, time.Now().Unix())
	require.NoError(t, a.Drain(t.Context()))
	do(acme, "POST", "/v1/events", own, 202, nil)
	do(plain, "POST", "/v1/events", own, 202, nil)
	require.NoError(t, a.Drain(t.Context()))

	var session struct{ Sample bool }
	do(acme, "GET", "/v1/session", "", 200, &session)
	require.True(t, session.Sample)
	type page struct {
		Items []struct{ Source, Subject string }
	}
	feedOf := func(key string) (found page) {
		do(key, "GET", "/v1/feed?automated=show&limit=200", "", 200, &found)
		return found
	}
	from := map[string]int{}
	for _, item := range feedOf(acme).Items {
		from[item.Source]++
	}
	require.Greater(t, from["sample"], 40, "each is marked: %v", from)

	do(acme, "DELETE", "/v1/sample", "", 204, nil)
	do(acme, "DELETE", "/v1/sample", "", 404, nil)
	require.Len(t, feedOf(acme).Items, 1)
	require.Equal(t, "Ours", feedOf(acme).Items[0].Subject)
	numbers := func(key string) (all map[string]any) {
		do(key, "GET", "/v1/stats?automated=show", "", 200, &all)
		return all
	}
	require.Equal(t, numbers(plain)["totals"], numbers(acme)["totals"], "as if it had never been there")
	session.Sample = false
	do(acme, "GET", "/v1/session", "", 200, &session)
	require.False(t, session.Sample)
	do(acme, "POST", "/v1/sample", "", http.StatusConflict, nil) // events of their own

	// Where it was removed, it can be had again.
	do(globex, "POST", "/v1/sample", "", 202, nil)
	require.NoError(t, a.Drain(t.Context()))
	do(globex, "DELETE", "/v1/sample", "", 204, nil)
	require.Empty(t, feedOf(globex).Items)
	do(globex, "POST", "/v1/sample", "", 202, &made)
	require.NoError(t, a.Drain(t.Context()))
	require.Greater(t, len(feedOf(globex).Items), 40)
}
