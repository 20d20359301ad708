package app

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/audit"
	"tidings/outbound"
)

var sunk = []audit.Entry{
	{ID: "a", At: time.Date(2026, 11, 16, 12, 0, 0, 5e6, time.UTC), Kind: audit.KindRead, Doc: []byte(`{"id":"a"}`)},
	{ID: "b", At: time.Date(2026, 11, 16, 12, 0, 1, 0, time.UTC), Kind: audit.KindSignIn, Doc: []byte(`{"id":"b"}`)},
}

func TestTheLogGoesToSyslog(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	got := make(chan string, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			got <- err.Error()
			return
		}
		defer conn.Close()
		raw, _ := io.ReadAll(conn)
		got <- string(raw)
	}()
	sink, err := auditSink("syslog+tcp://"+listener.Addr().String(), outbound.New(outbound.Allow{}))
	require.NoError(t, err)
	require.NoError(t, sink.Send(t.Context(), sunk))
	frames := bufio.NewReader(strings.NewReader(<-got))
	for _, want := range []string{" READ - \ufeff{\"id\":\"a\"}", " SIGN-IN - \ufeff{\"id\":\"b\"}"} {
		length, err := frames.ReadString(' ')
		require.NoError(t, err)
		n, err := strconv.Atoi(strings.TrimSpace(length))
		require.NoError(t, err)
		message := make([]byte, n)
		_, err = io.ReadFull(frames, message)
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(string(message), "<110>1 2026-11-16T12:00:0"), "%s", message)
		require.True(t, strings.HasSuffix(string(message), want), "%s", message)
	}
}

func TestTheLogGoesToAWebhook(t *testing.T) {
	status := http.StatusServiceUnavailable
	var body, authorization string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		body, authorization = string(raw), r.Header.Get("Authorization")
		w.WriteHeader(status)
	}))
	defer server.Close()
	at, err := url.Parse(server.URL)
	require.NoError(t, err)
	allow, err := outbound.ParseAllow([]string{at.Host})
	require.NoError(t, err)
	out := outbound.New(allow)
	defer out.HTTP().CloseIdleConnections()
	sink, err := auditSink("http://:token@"+at.Host+"/audit", out)
	require.NoError(t, err)
	require.ErrorContains(t, sink.Send(t.Context(), sunk), "503")
	status = http.StatusNoContent
	require.NoError(t, sink.Send(t.Context(), sunk))
	require.Equal(t, "{\"id\":\"a\"}\n{\"id\":\"b\"}\n", body)
	require.Equal(t, "Bearer token", authorization)
}

func TestASinkIsAnAddressThatIsKnown(t *testing.T) {
	for _, address := range []string{"siem", "ftp://siem.example.com", "syslog+tcp://siem.example.com", "https://169.254.169.254/"} {
		_, err := auditSink(address, outbound.New(outbound.Allow{}))
		var wrong *SettingsError
		require.ErrorAs(t, err, &wrong, address)
	}
}
