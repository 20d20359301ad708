package cli_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// proxies are what may stand before a server. start returns the address of one that
// passes on to the other address.
var proxies = []struct {
	name  string
	start func(t *testing.T, to string) string
}{
	{"nothing", func(_ *testing.T, to string) string { return to }},
	{"Go", startGoProxy},
	{"Caddy", startCaddy},
	{"nginx", startNginx},
}

// startGoProxy is a reverse proxy as Go makes it, with what the Caddyfile sets.
func startGoProxy(t *testing.T, to string) string {
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: to})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		require.NoError(t, http.NewResponseController(w).EnableFullDuplex())
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// proxyProgram finds a program in one of the folders, or on the path; `make prepare` fetches it.
func proxyProgram(t *testing.T, name string, paths ...string) string {
	for _, path := range append(paths, name) {
		if path, err := exec.LookPath(path); err == nil {
			path, err = filepath.Abs(path)
			require.NoError(t, err)
			return path
		}
	}
	t.Skipf("skipped: no %s (make prepare)", name)
	return ""
}

// startCaddy runs Caddy with the project's Caddyfile.
func startCaddy(t *testing.T, to string) string {
	caddy := proxyProgram(t, "caddy", os.Getenv("CADDY"), "../bin/caddy/bin/caddy")
	raw, err := os.ReadFile("../deploy/caddy/Caddyfile")
	require.NoError(t, err)
	address := freeAddress(t)
	text := strings.NewReplacer(
		"api-1:8080 api-2:8080", to, "\n:8080 {", "\n:"+address[strings.LastIndex(address, ":")+1:]+" {",
		"\n{\n", "\n{\n\tadmin off\n\tdefault_bind 127.0.0.1\n",
	).Replace(string(raw))
	startBefore(t, address, text, caddy, "run", "--adapter", "caddyfile", "--config")
	return address
}

// startNginx runs nginx with the project's server for it.
func startNginx(t *testing.T, to string) string {
	nginx := proxyProgram(t, "nginx", "../bin/nginx/usr/sbin/nginx")
	raw, err := os.ReadFile("../deploy/nginx/tidings.conf")
	require.NoError(t, err)
	address, dir := freeAddress(t), t.TempDir()
	server := strings.NewReplacer("server 127.0.0.1:8080;", "server "+to+";", "listen 80;", "listen "+address+";").Replace(string(raw))
	temporary := ""
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		temporary += fmt.Sprintf("%s_temp_path %s/%s;\n", kind, dir, kind)
	}
	startBefore(t, address, fmt.Sprintf("daemon off;\nmaster_process off;\npid %s/pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n%s%s}\n",
		dir, temporary, server), nginx, "-e", "stderr", "-c")
	return address
}

// startBefore runs a proxy with a configuration, whose path is its last argument, and
// waits until it listens.
func startBefore(t *testing.T, address, configuration, name string, args ...string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "configuration")
	require.NoError(t, os.WriteFile(path, []byte(configuration), 0o600))
	command := exec.Command(name, append(args, path)...)
	command.Env = append(os.Environ(), "HOME="+t.TempDir())
	log := &strings.Builder{}
	command.Stdout, command.Stderr = log, log
	require.NoError(t, command.Start())
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	require.Eventually(t, func() bool {
		connection, err := net.Dial("tcp", address)
		if err == nil {
			_ = connection.Close()
		}
		return err == nil
	}, 20*time.Second, 20*time.Millisecond)
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	return listener.Addr().String()
}

// What is refused without its body is answered before the body comes, whatever stands
// before the server. None of the bodies ever comes here.
func TestRefusalsComeBeforeTheBodyBehindProxies(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	key := createKey(t, data, "w", "admin")
	server := startServer(t, data, "127.0.0.1:0", "--proxies", "127.0.0.1/32")
	for _, proxy := range proxies {
		t.Run(proxy.name, func(t *testing.T) {
			address := proxy.start(t, server.address)
			require.Eventually(t, func() bool { // Caddy asks first whether what is behind it is well
				response, err := http.Get("http://" + address + "/healthz")
				if err != nil {
					return false
				}
				_ = response.Body.Close()
				return response.StatusCode == http.StatusOK
			}, 20*time.Second, 50*time.Millisecond)
			for _, refused := range []struct {
				request, header string
				status          int
			}{
				{"POST /v1/events", "Content-Length: 1000", http.StatusUnauthorized},
				{"POST /v1/events", "Transfer-Encoding: chunked", http.StatusUnauthorized},
				{"POST /v1/events", "Authorization: Bearer " + key + "\r\nContent-Length: 30000000", http.StatusRequestEntityTooLarge},
				{"POST /v1/hooks/nobody", "Content-Length: 1000", http.StatusNotFound},
				{"POST /v1/hooks/nobody", "Content-Length: 39000000", http.StatusNotFound},
				{"POST /u/nobody", "Content-Length: 1000", http.StatusNotFound},
				{"POST /nothing", "Content-Length: 1000", http.StatusNotFound},
				{"POST /v1/keys", "Content-Length: 1000", http.StatusUnauthorized},
				{"PUT /v1/settings", "Content-Length: 1000", http.StatusUnauthorized},
				{"GET /v1/feed", "Content-Length: 1000", http.StatusUnauthorized},
				{"GET /v1/live", "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", http.StatusUnauthorized},
			} {
				t.Run(refused.request, func(t *testing.T) {
					connection, err := net.Dial("tcp", address)
					require.NoError(t, err)
					defer connection.Close()
					// Far beyond what it takes, and below what a proxy waits for a body.
					require.NoError(t, connection.SetDeadline(time.Now().Add(8*time.Second)))
					_, err = io.WriteString(connection, refused.request+" HTTP/1.1\r\nHost: tidings.example\r\nContent-Type: application/json\r\n"+refused.header+"\r\n\r\n")
					require.NoError(t, err)
					response, err := http.ReadResponse(bufio.NewReader(connection), nil)
					require.NoError(t, err)
					require.NoError(t, response.Body.Close())
					require.Equal(t, refused.status, response.StatusCode)
				})
			}
		})
	}
	require.NoError(t, server.stop(), server.output())
}
