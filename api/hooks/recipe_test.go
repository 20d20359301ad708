package hooks

import (
	"context"
	"encoding/hex"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-json-experiment/json/jsontext"

	"tidings/event"
)

// acme is a phone system that reports calls.
type acme struct{}

func (acme) Check(s Secrets) *event.FieldError { return needKeys(s, "the webhook's secret") }

func (acme) Verify(_ context.Context, r *Request, s Secrets, now time.Time) error {
	signature, err := hex.DecodeString(r.Header.Get("Acme-Signature"))
	timestamp := r.Header.Get("Acme-Timestamp")
	if err != nil || !anyKey(s.Keys, signature, []byte(timestamp), r.Body) {
		return Wrong
	}
	return freshSeconds(timestamp, now, skew)
}

type acmeCall struct {
	ID, Kind, Email, Agent string
	At                     instant
}

func (acme) Decode(r *Request) (Decoded, error) { return each(r.Body, acmeCall.read) }

func (c acmeCall) read(jsontext.Value) ([]Event, string, error) {
	if c.Kind != "call" {
		return nil, c.Kind, nil
	}
	in := event.Input{ID: key(c.ID), Time: c.At.moment(), Message: "call/" + c.ID, Recipient: personOf(c.Email, "")}
	return []Event{{Input: custom(in, "call", "a call"), Owner: address(c.Agent)}}, "", nil
}

func (acme) Sample() *Request {
	return &Request{Header: http.Header{}, Body: []byte(`[{"ID":"1","Kind":"call","Email":"jo@example.com","At":1763285400}]`)}
}

// TestTheRecipeOfTheGuide holds the guide to what compiles and works.
func TestTheRecipeOfTheGuide(t *testing.T) {
	var p Provider = acme{}
	d, err := p.Decode(p.Sample())
	require.NoError(t, err)
	good, refused := goodEvents(d, today)
	require.Len(t, good, 1)
	require.Empty(t, refused)
	r := p.Sample()
	r.Header.Set("Acme-Timestamp", seconds(today))
	r.Header.Set("Acme-Signature", hex.EncodeToString(hmacSHA256([]byte("k"), []byte(seconds(today)), r.Body)))
	require.NoError(t, p.Verify(t.Context(), r, Secrets{Keys: []string{"k"}}, today))
	require.ErrorIs(t, p.Verify(t.Context(), r, Secrets{Keys: []string{"other"}}, today), Wrong)

	source, err := os.ReadFile("recipe_test.go")
	require.NoError(t, err)
	guide, err := os.ReadFile("../../docs/sources.md")
	require.NoError(t, err)
	begin, end := strings.Index(string(source), "// acme is"), strings.Index(string(source), "// TestTheRecipe")
	require.Contains(t, string(guide), strings.TrimSpace(string(source[begin:end])))
}
