package app_test

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
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
	"tidings/api"
	"tidings/app"
)

// Who has seen one request of Mailgun's cannot make up another with its token,
// also at a process that has not seen it.
func TestAMailgunTokenIsSpentForTheNextProcessToo(t *testing.T) {
	dir := t.TempDir()
	const secret = "a-signing-key"
	at := fmt.Sprint(time.Now().Unix())
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(at + "a-token"))
	body := fmt.Sprintf(`{"signature":{"timestamp":%q,"token":"a-token","signature":%q},`+
		`"event-data":{"event":"opened","id":"e1","timestamp":%s,"recipient":"jo@acme.example","message":{"headers":{"message-id":"m-1"}}}}`,
		at, hex.EncodeToString(mac.Sum(nil)), at)
	forged := strings.Replace(body, "jo@", "ana@", 1)

	first := openForOne(t, dir)
	key, _, err := account.NewKeys(first.State, time.Now, rand.Reader).Create(t.Context(), "acme", account.KeyRequest{Role: account.RoleAdmin})
	require.NoError(t, err)
	status, made := ask(first, http.MethodPut, "/v1/sources/mail", key, fmt.Sprintf(`{"provider":"mailgun","keys":[%q]}`, secret))
	require.Equal(t, http.StatusOK, status, string(made))
	var source api.NewSource
	require.NoError(t, json.Unmarshal(made, &source))
	status, _ = ask(first, http.MethodPost, source.Path, "", body)
	require.Equal(t, http.StatusNoContent, status)
	require.NoError(t, first.Close())

	second := openForOne(t, dir)
	status, _ = ask(second, http.MethodPost, source.Path, "", forged)
	require.Equal(t, http.StatusUnauthorized, status)
	status, _ = ask(second, http.MethodPost, source.Path, "", body)
	require.Equal(t, http.StatusNoContent, status, "a retry")
	require.NoError(t, second.Close())
}

func openForOne(t *testing.T, dir string) *app.App {
	t.Helper()
	a, err := app.Open(t.Context(), app.Settings{Data: dir}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	return a
}

// ask asks an app without a server, and returns its answer.
func ask(a *app.App, method, path, key, body string) (int, []byte) {
	request := httptest.NewRequest(method, path, strings.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	if key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	answer := httptest.NewRecorder()
	a.Server.ServeHTTP(answer, request)
	return answer.Code, answer.Body.Bytes()
}
