package web

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func get(t *testing.T, h http.Handler, target string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func text(t *testing.T, response *http.Response) string {
	t.Helper()
	defer response.Body.Close()
	var body io.Reader = response.Body
	if response.Header.Get("Content-Encoding") == "gzip" {
		reader, err := gzip.NewReader(body)
		require.NoError(t, err)
		body = reader
	}
	content, err := io.ReadAll(body)
	require.NoError(t, err)
	return string(content)
}

// TestBuilt is about the files that are committed: a page whose policy forbids
// everything inline and every other host must need neither.
func TestBuilt(t *testing.T) {
	h, err := Handler()
	require.NoError(t, err)
	index := text(t, get(t, h, "/"))

	for _, inline := range []string{"<style", " style=", "javascript:", "data:", "onclick="} {
		require.NotContains(t, index, inline)
	}
	require.NotRegexp(t, `<script(?:\s[^>]*)?>\s*[^\s<]`, index, "a script with its text inline")
	links := regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(index, -1)
	require.GreaterOrEqual(t, len(links), 3)
	for _, link := range links {
		require.Truef(t, strings.HasPrefix(link[1], "/") && !strings.HasPrefix(link[1], "//"), "%s is not ours", link[1])
		response := get(t, h, link[1])
		require.Equalf(t, http.StatusOK, response.StatusCode, "%s", link[1])
		if !strings.HasSuffix(link[1], ".css") {
			continue
		}
		for _, url := range regexp.MustCompile(`url\(([^)]*)\)`).FindAllStringSubmatch(text(t, response), -1) {
			require.Equalf(t, http.StatusOK, get(t, h, url[1]).StatusCode, "%s", url[1])
		}
	}
}

func TestEntrySize(t *testing.T) {
	h, err := Handler()
	require.NoError(t, err)
	scripts := regexp.MustCompile(`src="([^"]+\.js)"`).FindAllStringSubmatch(text(t, get(t, h, "/")), -1)
	require.NotEmpty(t, scripts)
	total := int64(0)
	for _, script := range scripts {
		total += get(t, h, script[1], "Accept-Encoding", "gzip").ContentLength
	}
	require.Less(t, total, int64(120<<10), "gzipped bytes of entry script")
}

func TestHandler(t *testing.T) {
	script := strings.Repeat("export const a = 1;\n", 100)
	h, err := newHandler(fstest.MapFS{
		"index.html":          {Data: []byte("<!doctype html>" + strings.Repeat(" ", worthPacking))},
		"theme.js":            {Data: []byte("1")},
		"assets/app-Ab12.js":  {Data: []byte(script)},
		"assets/font-x.woff2": {Data: []byte("not a font")},
	})
	require.NoError(t, err)

	tests := []struct {
		name, target, cache, contentType string
		status                           int
	}{
		{"the feed", "/?q=opens", revalidate, "text/html; charset=utf-8", 200},
		{"a sign-in link", "/signin?token=x", revalidate, "text/html; charset=utf-8", 200},
		{"a hashed file", "/assets/app-Ab12.js", immutable, "text/javascript; charset=utf-8", 200},
		{"a font", "/assets/font-x.woff2", immutable, "font/woff2", 200},
		{"a file without a hash", "/theme.js", revalidate, "text/javascript; charset=utf-8", 200},
		{"an old hashed file", "/assets/app-Old.js", "", "text/plain; charset=utf-8", 404},
		{"no page of ours", "/wp-admin", "", "text/plain; charset=utf-8", 404},
		{"outside", "/../web.go", "", "text/plain; charset=utf-8", 404},
		{"a folder", "/assets/", "", "text/plain; charset=utf-8", 404},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			response := get(t, h, test.target)
			require.Equal(t, test.status, response.StatusCode)
			require.Equal(t, test.cache, response.Header.Get("Cache-Control"))
			require.Equal(t, test.contentType, response.Header.Get("Content-Type"))
			if test.status == 200 {
				require.Equal(t, Policy, response.Header.Get("Content-Security-Policy"))
				require.Equal(t, "nosniff", response.Header.Get("X-Content-Type-Options"))
				require.Equal(t, "no-referrer", response.Header.Get("Referrer-Policy"))
			}
		})
	}

	t.Run("a browser is told on a page", func(t *testing.T) {
		for target, page := range map[string]bool{"/wp-admin": true, "/v1/nothing": false, "/assets/app-Old.js": false, "/signin/": true} {
			response := get(t, h, target, "Accept", "text/html,*/*;q=0.8")
			require.Equal(t, http.StatusNotFound, response.StatusCode, target)
			require.Equal(t, page, response.Header.Get("Content-Type") == "text/html; charset=utf-8", target)
		}
	})
	t.Run("packed for those who take it", func(t *testing.T) {
		for accept, want := range map[string]string{
			"gzip, br": "gzip", "br;q=1, gzip;q=0.5": "gzip", "": "", "br": "", "gzip;q=0": "",
		} {
			response := get(t, h, "/assets/app-Ab12.js", "Accept-Encoding", accept)
			require.Equalf(t, want, response.Header.Get("Content-Encoding"), "accepts %q", accept)
			require.Equal(t, "Accept-Encoding", response.Header.Get("Vary"))
			require.Equal(t, script, text(t, response))
		}
	})
	t.Run("unchanged", func(t *testing.T) {
		for _, accept := range []string{"", "gzip"} {
			first := get(t, h, "/", "Accept-Encoding", accept)
			tag := first.Header.Get("ETag")
			again := get(t, h, "/", "Accept-Encoding", accept, "If-None-Match", `"other", W/`+tag)
			require.Equal(t, http.StatusNotModified, again.StatusCode)
			require.Empty(t, text(t, again))
			require.Equal(t, revalidate, again.Header.Get("Cache-Control"))
			require.Equal(t, 200, get(t, h, "/", "Accept-Encoding", accept, "If-None-Match", `"other"`).StatusCode)
		}
	})
	t.Run("head", func(t *testing.T) {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodHead, "/", nil))
		require.Equal(t, 200, w.Code)
		require.NotEqual(t, "0", w.Header().Get("Content-Length"))
		require.Zero(t, w.Body.Len())
	})
	t.Run("only reading", func(t *testing.T) {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", nil))
		require.Equal(t, http.StatusMethodNotAllowed, w.Code)
		require.Equal(t, "GET, HEAD", w.Header().Get("Allow"))
	})
}

func TestNoIndex(t *testing.T) {
	_, err := newHandler(fstest.MapFS{"theme.js": {Data: []byte("1")}})
	require.Error(t, err)
}
