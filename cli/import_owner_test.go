package cli

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/apiclient"
	"tidings/mailbox"
)

func TestWhoseMailIsImported(t *testing.T) {
	const members = `{"items":[{"id":"u_ana","name":"Ana","emails":["ana@acme.example","ana@xn--bcher-kva.example"]},{"id":"u_bo","name":"Bo","emails":[]}]}`
	for name, c := range map[string]struct {
		command importCmd
		status  int
		body    string
		want    mailbox.Owner
		wrong   string
	}{
		"the directory's people": {
			status: 200, body: members,
			want: mailbox.Owner{Users: map[string]string{"ana@acme.example": "u_ana", "ana@bücher.example": "u_ana"}},
		},
		"a key that may not see them": {
			status: 403, body: `{"status":403}`, want: mailbox.Owner{Users: map[string]string{}},
		},
		"an address": {
			command: importCmd{User: "Jo@Acme.example"}, status: 200, body: `{"items":[]}`,
			want: mailbox.Owner{Users: map[string]string{"jo@acme.example": "jo@acme.example"}, SentUser: "jo@acme.example"},
		},
		"an address of a user": {
			command: importCmd{User: "ana@acme.example"}, status: 200, body: members,
			want: mailbox.Owner{Users: map[string]string{"ana@acme.example": "u_ana", "ana@bücher.example": "u_ana"}, SentUser: "u_ana"},
		},
		"a user's other address, and a domain": {
			command: importCmd{User: "u_bo", Own: []string{"Bo@acme.example", "@Brightwater.example"}}, status: 200, body: `{"items":[]}`,
			want: mailbox.Owner{Users: map[string]string{"bo@acme.example": "u_bo", "brightwater.example": ""}, SentUser: "u_bo"},
		},
		"everybody": {
			command: importCmd{Own: []string{"*"}}, status: 200, body: `{"items":[]}`,
			want: mailbox.Owner{Users: map[string]string{}, Everybody: true},
		},
		"a word":              {command: importCmd{Own: []string{"acme"}}, status: 200, body: `{"items":[]}`, wrong: "neither an address nor a domain"},
		"a user's bad name":   {command: importCmd{User: "@acme.example"}, status: 200, body: `{"items":[]}`, wrong: "--user"},
		"a server that fails": {status: 500, body: `{"status":500,"detail":"no"}`, wrong: "no"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				require.Equal(t, "/v1/users", r.URL.Path)
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			}))
			defer server.Close()
			got, err := c.command.owner(t.Context(), &environment{Streams: Streams{Err: io.Discard}}, apiclient.New(server.URL, ""))
			if c.wrong != "" {
				require.ErrorContains(t, err, c.wrong)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}
