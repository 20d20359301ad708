package signin

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"
)

func TestProvidersAreAskedInTheirOwnWords(t *testing.T) {
	const google, other = "https://accounts.google.com", "https://acme.okta.com"
	for _, test := range []struct {
		name, issuer string
		ask          Ask
		want         url.Values
	}{
		{"nothing more", other, Ask{}, url.Values{}},
		{"whom", other, Ask{Hint: "ana@acme.example"}, url.Values{"login_hint": {"ana@acme.example"}}},
		{"anew", other, Ask{Again: true}, url.Values{"prompt": {"login"}, "max_age": {"0"}}},
		{"at Google with consent, for a refresh token", google, Ask{}, url.Values{"access_type": {"offline"}, "prompt": {"consent"}}},
		{"at Google anew: it has no login", google, Ask{Again: true}, url.Values{"access_type": {"offline"}, "prompt": {"select_account consent"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			asked, err := url.Parse((&oauth2.Config{ClientID: "c"}).AuthCodeURL("s", asking(test.issuer, test.ask)...))
			require.NoError(t, err)
			got := asked.Query()
			for _, always := range []string{"client_id", "response_type", "state"} {
				got.Del(always)
			}
			require.Equal(t, test.want, got)
		})
	}
}
