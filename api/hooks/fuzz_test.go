package hooks

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

func FuzzSendGrid(f *testing.F)    { fuzzProvider(f, "sendgrid") }
func FuzzMailgun(f *testing.F)     { fuzzProvider(f, "mailgun") }
func FuzzPostmark(f *testing.F)    { fuzzProvider(f, "postmark") }
func FuzzSES(f *testing.F)         { fuzzProvider(f, "ses") }
func FuzzResend(f *testing.F)      { fuzzProvider(f, "resend") }
func FuzzStandard(f *testing.F)    { fuzzProvider(f, "standard") }
func FuzzCloudEvents(f *testing.F) { fuzzProvider(f, "cloudevents") }
func FuzzHubSpot(f *testing.F)     { fuzzProvider(f, "hubspot") }
func FuzzGreenhouse(f *testing.F)  { fuzzProvider(f, "greenhouse") }
func FuzzCalendly(f *testing.F)    { fuzzProvider(f, "calendly") }

// fuzzProvider gives a decoder any body. It must not panic, must say what is
// wrong without an internal error, must decode the same to the same, and what
// it takes must be valid or be refused by a field. Nothing of it is believed
// without a signature.
func fuzzProvider(f *testing.F, name string) {
	provider, ok := New(&http.Client{Transport: &amazon{}}, nil).Provider(name)
	require.True(f, ok)
	sample := provider.Sample()
	f.Add(sample.Header.Get("Content-Type"), sample.Body)
	for _, file := range requestFiles(f) {
		if p, r := requestFile(f, file); strings.Contains(file, "/"+name+"-") && p != nil {
			f.Add(r.Header.Get("Content-Type"), r.Body)
		}
	}
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		r := &Request{Header: http.Header{"Content-Type": {contentType}}, Body: body}
		require.ErrorIs(t, provider.Verify(t.Context(), r, Secrets{Keys: []string{"key"}}, today), event.ErrForbidden)
		first, err := provider.Decode(r)
		if err != nil {
			var field *event.FieldError
			require.True(t, errors.As(err, &field), "%v", err)
			return
		}
		again, err := provider.Decode(r)
		require.NoError(t, err)
		first.Finish, again.Finish = nil, nil
		require.Equal(t, first, again)
		for _, e := range first.Events {
			require.LessOrEqual(t, len(e.ID), event.MaxKey)
			valid, err := e.Input.Event("acme", "mail", event.Limits{Now: today})
			if err != nil {
				var field *event.FieldError
				require.True(t, errors.As(err, &field), "%v", err)
				continue
			}
			_, err = json.Marshal(valid)
			require.NoError(t, err)
		}
		for _, u := range first.Unknown {
			name := u.Name
			require.LessOrEqual(t, len(name), 100)
			require.NotEmpty(t, name)
		}
		Masked(body, 1024)
		Lookup(body, "a.b")
	})
}

func FuzzBrevo(f *testing.F)      { fuzzProvider(f, "brevo") }
func FuzzMailjet(f *testing.F)    { fuzzProvider(f, "mailjet") }
func FuzzMandrill(f *testing.F)   { fuzzProvider(f, "mandrill") }
func FuzzSparkPost(f *testing.F)  { fuzzProvider(f, "sparkpost") }
func FuzzMailerSend(f *testing.F) { fuzzProvider(f, "mailersend") }
func FuzzPostal(f *testing.F)     { fuzzProvider(f, "postal") }
func FuzzCalCom(f *testing.F)     { fuzzProvider(f, "calcom") }
func FuzzPipedrive(f *testing.F)  { fuzzProvider(f, "pipedrive") }
func FuzzLever(f *testing.F)      { fuzzProvider(f, "lever") }
func FuzzAshby(f *testing.F)      { fuzzProvider(f, "ashby") }
func FuzzTypeform(f *testing.F)   { fuzzProvider(f, "typeform") }
