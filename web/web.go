// Package web serves the browser application: the built files of dist, which
// are embedded in the binary. Nothing else is read, and nothing is made up: a
// path that is neither a file nor a page of the application is not found: browsers
// get the application with that status, which says so.
//
// Source is in src, built by "npm run build"; dist is committed, so that the
// binary builds without Node.
package web

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

//go:embed all:dist
var dist embed.FS

// Policy is the content security policy of every page: nothing but what this
// server serves, nothing inline, and no frame around it.
const Policy = "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'"

const (
	// immutable is for files that carry a hash of their content in their name.
	immutable = "public, max-age=31536000, immutable"
	// revalidate is for everything else: an unchanged file costs a 304.
	revalidate = "no-cache"
	// shared is the one file that pages of other sites load.
	shared = "/tidings.js"
	// worthPacking is the size below which gzip gains nothing.
	worthPacking = 1 << 10
)

// pages are the addresses of the application, all of them served index.html.
var pages = map[string]bool{"/": true, "/now": true, "/nudge": true, "/notifications": true, "/signin": true, "/stats": true, "/settings": true, "/dead-letters": true, "/people": true, "/companies": true, "/embed/feed": true}

// file is one file of dist, ready to be sent.
type file struct {
	contentType string
	cache       string
	tag         string
	plain       []byte
	// status is other than 200 for the page of what is not there.
	status int
	// packed is plain, gzipped; nil where that is no smaller.
	packed []byte
}

// Handler serves the application under "/". Its files are compressed once a process.
func Handler() (http.Handler, error) { return embedded() }

var embedded = sync.OnceValues(func() (http.Handler, error) {
	root, err := fs.Sub(dist, "dist")
	if err != nil {
		return nil, fmt.Errorf("open web files: %w", err)
	}
	return newHandler(root)
})

func newHandler(root fs.FS) (http.Handler, error) {
	files := make(map[string]file)
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		files["/"+name], err = prepare(name, content)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read web files: %w", err)
	}
	if _, ok := files["/index.html"]; !ok {
		return nil, fmt.Errorf("read web files: no index.html: %w", fs.ErrNotExist)
	}
	return handler(files), nil
}

func prepare(name string, content []byte) (file, error) {
	sum := sha256.Sum256(content)
	f := file{
		contentType: contentType(name),
		cache:       revalidate,
		tag:         hex.EncodeToString(sum[:8]),
		plain:       content,
	}
	if strings.HasPrefix(name, "assets/") {
		f.cache = immutable
	}
	if len(content) < worthPacking {
		return f, nil
	}
	var packed bytes.Buffer
	writer, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return file{}, err
	}
	if _, err := writer.Write(content); err != nil {
		return file{}, err
	}
	if err := writer.Close(); err != nil {
		return file{}, err
	}
	// Fonts and pictures are packed already.
	if packed.Len() < len(content)*9/10 {
		f.packed = packed.Bytes()
	}
	return f, nil
}

// contentType does not ask the system's tables, which differ between machines.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".html":
		return "text/html; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".webmanifest":
		return "application/manifest+json"
	case ".woff2":
		return "font/woff2"
	default:
		if known := mime.TypeByExtension(path.Ext(name)); known != "" {
			return known
		}
		return "application/octet-stream"
	}
}

// handler serves files by their path.
type handler map[string]file

func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	name := r.URL.Path
	if pages[name] {
		name = "/index.html"
	}
	f, ok := h[name]
	if !ok {
		h.missing(w, r)
		return
	}
	if name == shared {
		w.Header().Set("Access-Control-Allow-Origin", "*")
	}
	f.serve(w, r)
}

// missing answers what is neither a file nor a page. Somebody who typed an address, or
// followed an old link, gets the application, which says so and leads on; programs get a line.
func (h handler) missing(w http.ResponseWriter, r *http.Request) {
	if path.Ext(r.URL.Path) != "" || strings.HasPrefix(r.URL.Path, "/v1/") || !strings.Contains(r.Header.Get("Accept"), "text/html") {
		http.NotFound(w, r)
		return
	}
	f := h["/index.html"]
	f.status = http.StatusNotFound
	f.serve(w, r)
}

func (f file) serve(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Security-Policy", Policy)
	header.Set("X-Content-Type-Options", "nosniff")
	// A sign-in link has its token in the address.
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Content-Type", f.contentType)
	header.Set("Cache-Control", f.cache)
	body, tag := f.plain, `"`+f.tag+`"`
	if f.packed != nil {
		header.Add("Vary", "Accept-Encoding")
		if acceptsGzip(r.Header.Get("Accept-Encoding")) {
			header.Set("Content-Encoding", "gzip")
			body, tag = f.packed, `"`+f.tag+`-gz"`
		}
	}
	header.Set("ETag", tag)
	if f.status == 0 && matches(r.Header.Get("If-None-Match"), tag) {
		header.Del("Content-Encoding")
		header.Del("Content-Type")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	header.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(cmp.Or(f.status, http.StatusOK))
	if r.Method == http.MethodGet {
		// The reader may be gone: there is nobody to tell.
		_, _ = w.Write(body)
	}
}

// acceptsGzip reads Accept-Encoding (RFC 9110, 12.5.3) as far as it matters.
func acceptsGzip(accept string) bool {
	for part := range strings.SplitSeq(accept, ",") {
		coding, parameters, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			quality, weighted := strings.CutPrefix(strings.TrimSpace(parameters), "q=")
			if !weighted {
				return true
			}
			weight, err := strconv.ParseFloat(quality, 64)
			return err == nil && weight > 0
		}
	}
	return false
}

// matches compares weakly, as If-None-Match asks for (RFC 9110, 13.1.2).
func matches(header, tag string) bool {
	for candidate := range strings.SplitSeq(header, ",") {
		candidate = strings.TrimPrefix(strings.TrimSpace(candidate), "W/")
		if candidate == tag || candidate == "*" {
			return true
		}
	}
	return false
}
