package query

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

// What a user agent tells of the program and the device, each case of both: rankings by
// client and by device count with it.
func TestWhatAnAgentTells(t *testing.T) {
	const webkit = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
	for agent, want := range map[string]struct{ client, device string }{
		"": {"", ""},
		"Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)":                                  {"gmail", ""},
		"YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html":                                                   {"yahoo", ""},
		"Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0; Pro)":                                                       {"outlook", "computer"},
		"Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Thunderbird/115.0":                                                 {"thunderbird", "computer"},
		"SamsungMail/6.1 (Linux; Android 14; SM-S911B) Mobile":                                                                       {"samsung-mail", "phone"},
		"Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36 Edg/120.0":                  {"edge", "computer"},
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36 OPR/106.0":  {"opera", "computer"},
		"Mozilla/5.0 (Android 14; Tablet; rv:120.0) Gecko/120.0 Firefox/120.0":                                                       {"firefox", "tablet"},
		"Mozilla/5.0 (Linux; Android 14; Pixel Tablet) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36":            {"chrome", "tablet"},
		"Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Mobile Safari/537.36":          {"chrome", "phone"},
		"Mozilla/5.0 (Linux; Android 14; SM-X700) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36":                 {"chrome", "tablet"},
		"Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/1": {"safari", "tablet"},
		webkit + "CriOS/120.0 Mobile/15E148 Safari/604.1":                                                                            {"chrome", "phone"},
		webkit + "Mobile/15E148": {"apple-mail", "phone"},
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)": {"apple-mail", "computer"},
		"curl/8.5.0": {"", ""},
	} {
		e := event.Event{Client: &event.Client{UserAgent: &agent}}
		require.Equal(t, want.client, ClientOf(e), agent)
		require.Equal(t, want.device, DeviceOf(e), agent)
	}
	require.Empty(t, ClientOf(event.Event{}))
	require.Empty(t, DeviceOf(event.Event{Client: &event.Client{}}))
}
