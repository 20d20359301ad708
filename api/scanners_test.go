package api_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/api"
	"tidings/event"
	"tidings/feed"
	"tidings/verdict"
)

// scannedMails are deliveries to a domain, each clicked a second later.
func scannedMails(workspace, domain string, count int) []event.Event {
	var events []event.Event
	agent := "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0"
	for i := range count {
		who := &event.Person{Email: fmt.Sprintf("p%d@%s", i%4, domain)}
		for n, t := range []event.Type{event.Delivery, event.Click} {
			e := event.Event{
				Workspace: workspace, Type: t, Time: noon.Add(-time.Duration(i)*time.Hour).Unix() + int64(n), Message: fmt.Sprintf("m-%d", i),
				Recipient: who, Client: &event.Client{IP: fmt.Sprintf("192.0.2.%d", i), UserAgent: &agent},
			}
			e.ID = event.NewID(e.Time, workspace, "api", true, fmt.Append(nil, t, i, domain))
			events = append(events, e)
		}
	}
	return events
}

func TestAScannerIsSuggestedAdoptedAndTakenBack(t *testing.T) {
	s := newSite(t)
	admin := s.key("acme", account.RoleAdmin, "u_ana")
	s.reports.events = append(scannedMails("acme", "globex.example", 30), scannedMails("other", "initech.example", 30)...)
	network := netip.MustParsePrefix("192.0.2.0/24")

	var scanners api.Scanners
	s.get(admin, "/v1/scanners").is(200).json(&scanners)
	require.Empty(t, scanners.Items, "nothing is applied by itself")
	require.NotNil(t, scanners.Items)
	require.Equal(t, noon.Add(-28*24*time.Hour), scanners.Since)
	require.False(t, scanners.Partial)
	require.Len(t, scanners.Suggestions, 1, "nothing of another workspace")
	suggested := scanners.Suggestions[0]
	require.Len(t, suggested.Examples, 3)
	suggested.Examples = nil
	require.Equal(t, api.ScannerSuggestion{
		Domain: "globex.example", Mails: 30, Scanned: 30, People: 4, Networks: []api.ScannerNetwork{{Network: network, Mails: 30}},
	}, suggested)

	internal := account.NewInternal(s.records, account.NewDirectory(s.records, s.clock), s.clock)
	click := s.reports.events[1]
	isScanner := func() bool {
		s.pass(time.Minute)
		known, err := internal.Internal(t.Context(), "acme")
		require.NoError(t, err)
		return known.Scanner(click)
	}
	require.False(t, isScanner())
	var adopted account.Scanner
	body := map[string]any{"networks": []string{"192.0.2.77/24", "192.0.2.0/24", "2001:db8::1"}, "reason": "Their gateway."}
	s.do(call{method: "PUT", path: "/v1/scanners/Globex.Example", body: body, key: admin}).is(200).json(&adopted)
	require.Equal(t, account.Scanner{
		Domain: "globex.example", Networks: []netip.Prefix{network, netip.MustParsePrefix("2001:db8::1/128")},
		Reason: "Their gateway.", User: "u_ana", At: noon.Add(time.Minute),
	}, adopted)
	require.True(t, isScanner())
	s.get(admin, "/v1/scanners").is(200).json(&scanners)
	require.Equal(t, []account.Scanner{adopted}, scanners.Items)
	require.Empty(t, scanners.Suggestions, "what is adopted is not suggested")
	s.get(s.key("other", account.RoleAdmin, ""), "/v1/scanners").is(200).json(&scanners)
	require.Empty(t, scanners.Items)

	// One that scans from elsewhere too is suggested again.
	body["networks"] = []string{"198.51.100.0/24"}
	s.do(call{method: "PUT", path: "/v1/scanners/globex.example", body: body, key: admin}).is(200)
	s.get(admin, "/v1/scanners").is(200).json(&scanners)
	require.Len(t, scanners.Items, 1)
	require.Len(t, scanners.Suggestions, 1)
	require.False(t, isScanner())

	s.do(call{method: "DELETE", path: "/v1/scanners/globex.example", key: s.key("other", account.RoleAdmin, "")}).problem(404)
	s.do(call{method: "DELETE", path: "/v1/scanners/globex.example", key: admin}).is(204)
	s.do(call{method: "DELETE", path: "/v1/scanners/globex.example", key: admin}).problem(404)
	require.False(t, isScanner())
}

func TestAScannerThatCannotBeAdoptedIsRefusedByItsField(t *testing.T) {
	s := newSite(t)
	admin := s.key("acme", account.RoleAdmin, "")
	put := func(domain string, body any) answer {
		return s.do(call{method: "PUT", path: "/v1/scanners/" + domain, body: body, key: admin})
	}
	of := func(networks ...string) map[string]any { return map[string]any{"networks": networks} }
	for name, c := range map[string]struct {
		domain, location string
		body             any
	}{
		"no networks":            {"a.example", "body.networks", of()},
		"too many":               {"a.example", "body.networks", of(make([]string, 17)...)},
		"not a network":          {"a.example", "body.networks[1]", of("192.0.2.0/24", "scanner.example")},
		"the whole internet":     {"a.example", "body.networks[0]", of("0.0.0.0/0")},
		"all of IPv6":            {"a.example", "body.networks[0]", of("2000::/3")},
		"IPv4 written as IPv6":   {"a.example", "body.networks[0]", of("::ffff:192.0.2.0/120")},
		"an address with a zone": {"a.example", "body.networks[0]", of("fe80::1%eth0")},
		"a long reason":          {"a.example", "body.reason", map[string]any{"networks": []string{"192.0.2.0/24"}, "reason": string(make([]byte, 501))}},
		"an address of a person": {"jo%40a.example", "path.domain", of("192.0.2.0/24")},
		"a space":                {"a%20b", "path.domain", of("192.0.2.0/24")},
	} {
		p := put(c.domain, c.body).problem(map[bool]int{true: 400, false: 422}[c.location != "path.domain"])
		require.Equal(t, c.location, p.Errors[0].Location, name)
	}
	for _, role := range []account.Role{account.RoleRead, account.RoleIngest} {
		s.get(s.key("acme", role, ""), "/v1/scanners").problem(403)
	}
}

// What an adopted scanner does from then on is a machine's, and is hidden.
func TestAnAdoptedScannerIsAMachine(t *testing.T) {
	s := newThrough(t)
	s.run(t)
	admin := s.key("acme", account.RoleAdmin, "")
	s.do(call{
		method: "PUT", path: "/v1/scanners/acme.example", key: admin, body: map[string]any{"networks": []string{"192.0.2.0/24"}},
	}).is(200)
	click := open(map[string]any{
		"type": "click", "link": "https://a.example/", "message": "m-1", "time": time.Now().Unix(),
		"client": map[string]any{"ip": "192.0.2.1", "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0"},
	})
	var receipt api.Receipt
	s.do(call{method: "POST", path: "/v1/events?ids=1", body: []any{sent("a", "m-1"), click}, key: admin}).is(202).json(&receipt)
	path := "/v1/events/" + receipt.IDs[1].String()
	require.Eventually(t, func() bool { return s.get(admin, path).status == 200 }, 20*time.Second, 20*time.Millisecond)
	var view feed.EventView
	s.get(admin, path).is(200).json(&view)
	require.Equal(t, &feed.Verdict{Is: event.Machine, Rule: verdict.RuleScannerDomain, By: "rule"}, view.Verdict)
}
