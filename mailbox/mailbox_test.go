package mailbox

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"tidings/event"
)

var update = flag.Bool("update", false, "write the golden files anew")

// now is the clock of every test.
func now() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) }

// record is what one Read gave.
type record struct {
	inputs  []event.Input
	refused *Refusal
}

func (r record) code() Code {
	if r.refused == nil {
		return ""
	}
	return r.refused.Code
}

// decodeEvent is a strict decoder, as the HTTP API has one.
func decodeEvent(line []byte) (event.Input, error) {
	var in event.Input
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&in)
	return in, err
}

func open(t testing.TB, path string, options Options) *Reader {
	t.Helper()
	options.Now = now
	options.Decode = decodeEvent
	r, err := Open(path, options)
	require.NoError(t, err)
	t.Cleanup(func() { r.Close() })
	return r
}

// next is one Read, with any error but a refusal and the end failing the test.
func next(t testing.TB, r *Reader) (inputs []event.Input, refused *Refusal, end bool) {
	t.Helper()
	found, err := r.Read()
	switch {
	case errors.Is(err, io.EOF):
		return nil, nil, true
	case errors.As(err, &refused):
		return nil, refused, false
	}
	require.NoError(t, err)
	return found.Events, nil, false
}

func readRest(t testing.TB, r *Reader) []record {
	t.Helper()
	var all []record
	for {
		inputs, refused, end := next(t, r)
		if end {
			return all
		}
		requireValid(t, inputs)
		all = append(all, record{inputs, refused})
	}
}

func readAll(t testing.TB, path string, options Options) []record {
	t.Helper()
	return readRest(t, open(t, path, options))
}

// requireValid takes every input as the API would.
func requireValid(t testing.TB, inputs []event.Input) {
	t.Helper()
	for _, in := range inputs {
		_, err := in.Event("acme", "import", event.Limits{Now: now()})
		require.NoError(t, err)
	}
}

func requireEqual(t testing.TB, want, got []record) {
	t.Helper()
	require.Empty(t, cmp.Diff(want, got, cmp.AllowUnexported(record{})))
}

func write(t testing.TB, dir, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, content, 0o600))
	return path
}

func zipped(t testing.TB, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(content)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

func contentOf(t testing.TB, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	return content
}

// What Outlook exports is refused with what to do instead.
func TestOutlooksOwnFormatsAreNamed(t *testing.T) {
	for name, head := range map[string]string{"box.pst": "!BDN\x00", "one.msg": "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00", "mac.olm": "PK\x03\x04"} {
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(path, []byte(head+strings.Repeat("\x00", 600)), 0o600))
		_, err := Open(path, Options{})
		require.ErrorIs(t, err, event.ErrInvalid)
		require.ErrorContains(t, err, "Thunderbird")
	}
}
