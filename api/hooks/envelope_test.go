package hooks

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A message is as good as the certificate was when it came, to the second.
func TestACertificateOfAmazonCountsWhileItIsValid(t *testing.T) {
	amazons, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		from, until time.Time
		want        error
	}{
		"valid":           {today.Add(-time.Hour), today.Add(time.Hour), nil},
		"its last second": {today.Add(-time.Hour), today, nil},
		"expired":         {today.Add(-time.Hour), today.Add(-time.Second), Wrong},
		"not valid yet":   {today.Add(time.Second), today.Add(time.Hour), Wrong},
	} {
		t.Run(name, func(t *testing.T) {
			template := &x509.Certificate{
				SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "sns.amazonaws.com"}, NotBefore: c.from, NotAfter: c.until,
			}
			der, err := x509.CreateCertificate(rand.Reader, template, template, amazons.Public(), amazons)
			require.NoError(t, err)
			client := &http.Client{Transport: &amazon{cert: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}}
			ses := New(client, nil).providers["ses"]
			r := signSNS(amazons, "2", crypto.SHA256)(t, []byte("{}"), today)
			require.ErrorIs(t, ses.Verify(t.Context(), r, Secrets{Keys: []string{testTopic}}, today), c.want)
		})
	}
}

// What an event says of itself goes before what its envelope says.
func TestAnEnvelopeFillsInWhatItsEventDoesNotSay(t *testing.T) {
	for _, c := range []struct{ name, members, id, time string }{
		{"neither", ``, "msg_1", "2025-11-16T09:30:00Z"},
		{"its id", `,"id":"e-1"`, "e-1", "2025-11-16T09:30:00Z"},
		{"its time", `,"time":"2025-11-01T00:00:00Z"`, "msg_1", "2025-11-01T00:00:00Z"},
		{"both", `,"id":"e-1","time":"2025-11-01T00:00:00Z"`, "e-1", "2025-11-01T00:00:00Z"},
	} {
		data := `{"message":"m-1","recipient":{"email":"jo@example.com"}` + c.members + `}`
		requests := map[string]struct {
			provider Provider
			request  *Request
		}{
			"standard": {standard{}, &Request{
				Header: header("Webhook-Id", "msg_1"),
				Body:   fmt.Appendf(nil, `{"type":"mail.open","timestamp":"2025-11-16T09:30:00Z","data":%s}`, data),
			}},
		}
		for provider, r := range requests {
			t.Run(provider+", "+c.name, func(t *testing.T) {
				decoded, err := r.provider.Decode(r.request)
				require.NoError(t, err)
				require.Len(t, decoded.Events, 1)
				got := decoded.Events[0].Input
				require.Equal(t, key(c.id), got.ID)
				require.Equal(t, c.time, time.Unix(int64(*got.Time), 0).UTC().Format(time.RFC3339))
			})
		}
	}
}
