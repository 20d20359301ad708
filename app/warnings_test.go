package app_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheOperatorIsToldOfAProxyThatIsNotTrusted(t *testing.T) {
	a := openForOne(t, t.TempDir())
	defer func() { require.NoError(t, a.Close()) }()
	warnings := func() string {
		answer := httptest.NewRecorder()
		a.Operator.ServeHTTP(answer, httptest.NewRequest("POST", "/operator/warnings", strings.NewReader("{}")))
		require.Equal(t, 200, answer.Code, answer.Body)
		return answer.Body.String()
	}
	require.JSONEq(t, "[]", warnings())
	r := httptest.NewRequest("GET", "/healthz", nil)
	r.RemoteAddr = "192.0.2.7:4000"
	r.Header.Set("X-Forwarded-For", "198.51.100.1")
	a.Server.ServeHTTP(httptest.NewRecorder(), r)
	require.Contains(t, warnings(), "--proxies 192.0.2.7")
}
