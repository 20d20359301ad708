package api_test

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/api"
	"tidings/event"
	"tidings/tracking"
)

// linked asks for the addresses of a message to one recipient.
func (s *site) linked(key string, links ...string) api.RecipientLinks {
	s.t.Helper()
	var made struct{ Items []api.RecipientLinks }
	body := map[string]any{"message": "m-1", "user": "u_ana", "recipients": []string{"Jo@Acme.example"}, "links": links}
	s.do(call{method: "POST", path: "/v1/links", key: key, body: body}).is(200).json(&made)
	require.Len(s.t, made.Items, 1)
	return made.Items[0]
}

// visit follows an address as a mail program does, without following redirects.
func (s *site) visit(method, address, form string, header map[string]string) answer {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), method, address, strings.NewReader(form))
	require.NoError(s.t, err)
	request.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0")
	for name, value := range header {
		request.Header[name] = []string{value}
	}
	client := *s.http.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	response, err := client.Do(request)
	require.NoError(s.t, err)
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	require.NoError(s.t, err)
	return answer{s.t, response.StatusCode, response.Header, raw}
}

const pricing = "https://example.com/pricing?a=1&b=2#top"

var formHeader = map[string]string{"Content-Type": "application/x-www-form-urlencoded"}

func TestAPictureSaysThatAMailWasOpened(t *testing.T) {
	s := newSite(t)
	links := s.linked(s.key("acme", account.RoleIngest, ""), pricing)
	require.Equal(t, "jo@acme.example", links.Recipient)
	token := strings.TrimSuffix(links.Open[strings.LastIndex(links.Open, "/")+1:], ".gif")
	sealed, err := base64.RawURLEncoding.DecodeString(token)
	require.NoError(t, err)
	require.NotContains(t, string(sealed), "jo@acme", "nobody reads from a link whose it is")
	got := s.visit("GET", links.Open, "", map[string]string{"Sec-Purpose": "prefetch", "Cookie": "secret=1"}).is(200)
	require.Equal(t, tracking.GIF(), got.body)
	require.Equal(t, "image/gif", got.header.Get("Content-Type"))
	require.Contains(t, got.header.Get("Cache-Control"), "no-store")
	require.Equal(t, "cross-origin", got.header.Get("Cross-Origin-Resource-Policy"))

	require.Len(t, s.intake.events, 1)
	e := s.intake.events[0]
	require.Equal(t, event.Open, e.Type)
	require.Equal(t, []string{"acme", "m-1", "u_ana", "jo@acme.example", "tracking"}, []string{e.Workspace, e.Message, e.User, e.Recipient.Email, e.Source})
	require.Equal(t, noon.Unix(), e.Time)
	require.Equal(t, "127.0.0.1", e.Client.IP)
	require.Equal(t, "GET", e.Client.Method)
	require.Contains(t, *e.Client.UserAgent, "Firefox")
	require.Equal(t, map[string]string{"sec-purpose": "prefetch"}, e.Client.Headers)
}

func TestALinkLeadsWhereItsTokenSaysAndNowhereElse(t *testing.T) {
	s := newSite(t)
	links := s.linked(s.key("acme", account.RoleIngest, ""), pricing, "http://example.com/")
	through := links.Links[0].URL
	got := s.visit("GET", through+"?url=https://evil.example/", "", nil).is(302)
	require.Equal(t, pricing, got.header.Get("Location"))
	require.Equal(t, "no-referrer", got.header.Get("Referrer-Policy"))
	require.Equal(t, event.Click, s.intake.events[0].Type)
	require.Equal(t, pricing, s.intake.events[0].Link)

	s.visit("HEAD", through, "", nil).is(302)
	s.visit("HEAD", links.Open, "", nil).is(200)
	require.Len(t, s.intake.events, 1, "HEAD opens and clicks nothing")

	changed := changedInTheMiddle(through)
	for name, address := range map[string]string{
		"changed": changed, "of another kind": strings.Replace(links.Open, "/t/o/", "/t/c/", 1),
		"no token": s.http.URL + "/t/c/x", "far too long": s.http.URL + "/t/c/" + strings.Repeat("A", 20_000),
	} {
		got := s.visit("GET", address, "", nil).is(404)
		require.Empty(t, got.header.Get("Location"), name)
	}
	require.Equal(t, tracking.GIF(), s.visit("GET", s.http.URL+"/t/o/x.gif", "", nil).is(200).body, "a broken picture helps nobody")
	require.Len(t, s.intake.events, 1)
}

// changedInTheMiddle gives the link with another letter in the middle of its token.
// The last letters would not do: some of their bits belong to no byte.
func changedInTheMiddle(link string) string {
	at := strings.LastIndex(link, "/") + 20
	other := "A"
	if link[at] == 'A' {
		other = "B"
	}
	return link[:at] + other + link[at+1:]
}

func TestUnsubscribingTakesAButtonOrOneClick(t *testing.T) {
	s := newSite(t)
	links := s.linked(s.key("acme", account.RoleIngest, ""))
	require.Equal(t, "<"+links.Unsubscribe+">", links.Headers["List-Unsubscribe"])
	require.Equal(t, "List-Unsubscribe=One-Click", links.Headers["List-Unsubscribe-Post"])
	page := s.visit("GET", links.Unsubscribe, "", nil).is(200)
	require.Contains(t, string(page.body), `<form method="post">`)
	s.visit("POST", links.Unsubscribe, "something=else", formHeader).is(400)
	require.Empty(t, s.intake.events, "looking at the page unsubscribes nobody")

	s.intake.err = event.ErrUnavailable
	failed := s.visit("POST", links.Unsubscribe, links.Headers["List-Unsubscribe-Post"], formHeader).is(503)
	require.NotEmpty(t, failed.header.Get("Retry-After"))
	s.intake.err, s.intake.events = nil, nil

	s.visit("POST", links.Unsubscribe, links.Headers["List-Unsubscribe-Post"], formHeader).is(200)
	multipart := "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n"
	s.visit("POST", links.Unsubscribe, multipart, map[string]string{"Content-Type": "multipart/form-data; boundary=b"}).is(200)
	require.Len(t, s.intake.events, 2)
	require.Equal(t, event.Unsubscribe, s.intake.events[0].Type)
	require.Equal(t, s.intake.events[0].ID, s.intake.events[1].ID, "the same second, the same event")
	s.visit("POST", links.Open, "List-Unsubscribe=One-Click", formHeader).is(405)
	s.visit("POST", links.Unsubscribe, strings.Repeat("x", 5000), formHeader).is(400)
}

func TestWhoIsNotMeasuredLeavesNothing(t *testing.T) {
	s := newSite(t)
	key := s.key("acme", account.RoleIngest, "")
	before := s.linked(key, pricing)
	state := "/v1/people/" + url.PathEscape("JO@acme.example") + "/tracking"
	s.do(call{method: "PUT", path: state, key: key, body: map[string]any{"tracked": false}}).is(200)
	var got api.TrackingState
	s.get(key, state).is(200).json(&got)
	require.False(t, got.Tracked)
	s.visit("GET", before.Open, "", nil).is(200)
	require.Equal(t, pricing, s.visit("GET", before.Links[0].URL, "", nil).is(302).header.Get("Location"))
	require.Empty(t, s.intake.events)
	after := s.linked(key, pricing)
	require.False(t, after.Tracked)
	require.Empty(t, after.Open)
	require.Equal(t, pricing, after.Links[0].URL)
	s.visit("POST", after.Unsubscribe, "List-Unsubscribe=One-Click", formHeader).is(200)
	require.Len(t, s.intake.events, 1, "a wish to unsubscribe is no measurement")

	s.do(call{method: "PUT", path: state, key: key, body: map[string]any{"tracked": true}}).is(200)
	s.visit("GET", before.Open, "", nil).is(200)
	require.Len(t, s.intake.events, 2)
	s.visit("POST", before.Unsubscribe, "Tracking=Off", formHeader).is(200)
	s.visit("GET", before.Open, "", nil).is(200)
	require.Len(t, s.intake.events, 2, "they switched it off themselves")
	other := s.linked(s.key("globex", account.RoleIngest, ""))
	require.True(t, other.Tracked, "another workspace asks for itself")
}

func TestAPersonIsAnsweredWhateverBecomesOfTheEvent(t *testing.T) {
	s := newSite(t)
	links := s.linked(s.key("acme", account.RoleIngest, ""), pricing)
	s.intake.err = event.ErrUnavailable
	require.Equal(t, tracking.GIF(), s.visit("GET", links.Open, "", nil).is(200).body)
	s.visit("GET", links.Links[0].URL, "", nil).is(302)
	require.Equal(t, 2, counted(t, s, "lost"))
	require.NotContains(t, s.log.String(), "acme.example")

	s.intake.err, s.intake.events = nil, nil
	for range 100 {
		s.visit("GET", links.Open, "", nil).is(200)
	}
	require.Less(t, len(s.intake.events), 70, "one recipient's opens are bounded")
	require.GreaterOrEqual(t, counted(t, s, "limited"), 30)
	s.pass(10 * time.Second)
	taken := len(s.intake.events)
	s.visit("GET", links.Open, "", nil).is(200)
	require.Len(t, s.intake.events, taken+1)
}

// counted is how many requests ended so.
func counted(t *testing.T, s *site, end string) int {
	t.Helper()
	families, err := s.metrics.Gather()
	require.NoError(t, err)
	total := 0
	for _, family := range families {
		if family.GetName() != "tidings_tracking_requests_total" {
			continue
		}
		for _, metric := range family.GetMetric() {
			for _, label := range metric.GetLabel() {
				if label.GetName() == "outcome" && label.GetValue() == end {
					total += int(metric.GetCounter().GetValue())
				}
			}
		}
	}
	return total
}

func TestKeysOfAddressesAreReplaced(t *testing.T) {
	s := newSite(t)
	admin, ingest := s.key("acme", account.RoleAdmin, ""), s.key("acme", account.RoleIngest, "")
	old := s.linked(ingest, pricing)
	require.Equal(t, old, s.linked(ingest, pricing), "the same question has the same answer")
	var keys struct{ Items []api.LinkKey }
	s.do(call{method: "POST", path: "/v1/link-keys", key: ingest}).problem(403)
	s.do(call{method: "POST", path: "/v1/link-keys", key: admin}).is(200).json(&keys)
	require.Len(t, keys.Items, 2)
	fresh := s.linked(ingest, pricing)
	require.NotEqual(t, old.Open, fresh.Open)
	s.visit("GET", old.Links[0].URL, "", nil).is(302)

	for _, key := range keys.Items {
		path := "/v1/link-keys/" + key.ID
		s.do(call{method: "DELETE", path: path, key: s.key("globex", account.RoleAdmin, "")}).problem(404)
		if key.Current {
			s.do(call{method: "DELETE", path: path, key: admin}).problem(409)
			continue
		}
		s.do(call{method: "DELETE", path: path, key: admin}).is(204)
	}
	s.visit("GET", old.Links[0].URL, "", nil).is(404)
	s.visit("GET", fresh.Links[0].URL, "", nil).is(302)
}

func TestAKeyOfAddressesThatIsTakenBackWhileItIsReadIsNotKept(t *testing.T) {
	records := &slow{workspace: account.NoWorkspace, kind: "link-key"}
	s := newSite(t, func(c *api.Config) {
		records.Records, c.Erasures = c.Records, c.Records.(api.Erasures)
		c.Records = records
	})
	admin, ingest := s.key("acme", account.RoleAdmin, ""), s.key("acme", account.RoleIngest, "")
	old := s.linked(ingest, pricing)
	var keys struct{ Items []api.LinkKey }
	s.do(call{method: "POST", path: "/v1/link-keys", key: admin}).is(200).json(&keys)
	s.pass(2 * time.Minute)
	records.meanwhile = func() {
		for _, key := range keys.Items {
			if !key.Current {
				s.do(call{method: "DELETE", path: "/v1/link-keys/" + key.ID, key: admin}).is(204)
			}
		}
	}
	s.visit("GET", old.Links[0].URL, "", nil)
	require.Nil(t, records.meanwhile)
	s.visit("GET", old.Links[0].URL, "", nil).is(404)
}

func TestAddressesAreAskedForProperly(t *testing.T) {
	s := newSite(t, func(c *api.Config) { c.PublicURL = "https://t.example.com/" })
	key := s.key("acme", account.RoleIngest, "")
	require.True(t, strings.HasPrefix(s.linked(key).Open, "https://t.example.com/t/o/"))
	for name, c := range map[string]struct {
		body  map[string]any
		field string
	}{
		"no recipient":   {map[string]any{"message": "m", "recipients": []string{}}, "recipients"},
		"no address":     {map[string]any{"message": "m", "recipients": []string{"jo"}}, "recipients[0]"},
		"no message":     {map[string]any{"recipients": []string{"jo@acme.example"}}, "message"},
		"a script":       {map[string]any{"message": "m", "recipients": []string{"jo@acme.example"}, "links": []string{"javascript:x"}}, "links[0]"},
		"no web address": {map[string]any{"message": "m", "recipients": []string{"jo@acme.example"}, "public_url": "example.com"}, "public_url"},
		"too many links": {map[string]any{"message": "m", "recipients": []string{"jo@acme.example"}, "links": make([]string, 101)}, "links"},
	} {
		p := s.do(call{method: "POST", path: "/v1/links", key: key, body: c.body}).problem(400)
		require.Contains(t, p.Errors[0].Location, c.field, name)
	}
	s.do(call{method: "POST", path: "/v1/links", key: s.key("acme", account.RoleRead, ""), body: map[string]any{}}).problem(403)
}
