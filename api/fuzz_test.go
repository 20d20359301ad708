package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

// FuzzReadEvents gives the decoder any bytes. It must not panic; what it takes
// encoding/json must understand in the same way, and each event must be named
// once, as good or as rejected.
func FuzzReadEvents(f *testing.F) {
	const one = `{"id":"e","type":"open","time":"2026-11-16T09:30:00Z","message":"m","recipient":{"email":"jo@acme.example"}}`
	for _, seed := range []string{
		one, "[" + one + "," + one + "]", one + "\n" + one, `[{"type":"send"},` + one + "]", "[]", "null", "\ufeff" + one,
		`{"type":"meeting","time":1,"message":"m","recipient":{"email":"A@b.c"},"meeting":{"start":"2026-11-17T09:30:00+01:00","answer":"yes"}}`,
		`{"type":"send","time":1.0,"message":"m","recipients":[{"email":"a@b.c","name":null},{"email":"é@b.c"}]}`,
		`{"type":"click","time":1763285400,"message":"m\u0041","recipient":{"email":"a@b.c"},"client":{"ip":"::1","user_agent":"","automated":false}}`,
		`[{"a":` + strings.Repeat("[", 100), `{"id":"a","id":"b"}`, `{"subject":"` + "\xff" + `"}`, `{"Type":"open"}`, `[` + one + `,]`,
	} {
		f.Add([]byte(seed), false)
		f.Add([]byte(seed), true)
	}
	limits := event.Limits{Now: time.Unix(1_763_300_000, 0), Retention: 0}
	f.Fuzz(func(t *testing.T, body []byte, lines bool) {
		r := newReader("acme", limits)
		var err error
		if lines {
			err = r.readLines(body)
		} else {
			err = r.readJSON(body)
		}
		var p *Problem
		if err != nil && !errors.As(err, &p) {
			t.Fatalf("an error that is no problem: %v", err)
		}
		require.Equal(t, r.batch.total, len(r.batch.good)+len(r.batch.rejected))
		if _, marshalled := json.Marshal(r.batch.good); marshalled != nil {
			t.Fatalf("a good event cannot be written: %v", marshalled)
		}
		if err != nil {
			return
		}
		for _, element := range elements(t, body, lines) {
			compare(t, element, limits)
		}
	})
}

// elements splits a body that was understood, with encoding/json.
func elements(t *testing.T, body []byte, lines bool) []json.RawMessage {
	t.Helper()
	if lines {
		var all []json.RawMessage
		for line := range bytes.Lines(body) {
			all = append(all, line)
		}
		return all
	}
	var all []json.RawMessage
	if trimmed := bytes.TrimLeft(body, " \t\r\n"); len(trimmed) > 0 && trimmed[0] == '[' {
		require.NoError(t, json.Unmarshal(body, &all), "%q was taken", body)
		return all
	}
	require.True(t, json.Valid(body), "%q was taken", body)
	return []json.RawMessage{body}
}

// compare requires that an element which is good alone means the same to
// encoding/json.
func compare(t *testing.T, element []byte, limits event.Limits) {
	t.Helper()
	r := newReader("acme", limits)
	if err := r.readLines(bytes.ReplaceAll(element, []byte("\n"), []byte(" "))); err != nil || len(r.batch.good) != 1 {
		return
	}
	var in event.Input
	decoder := json.NewDecoder(bytes.NewReader(element))
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&in), "%q was taken", element)
	want, err := in.Event("acme", sourceAPI, limits)
	require.NoError(t, err)
	require.Equal(t, want, r.batch.good[0])
}
