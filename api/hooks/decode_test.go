package hooks

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

// described is what a request becomes, in lines that a person can check.
func described(p Provider, r *Request) string {
	d, err := p.Decode(r)
	if err != nil {
		return "  rejected: " + err.Error() + "\n"
	}
	var out strings.Builder
	good, refused := goodEvents(d, today)
	for _, e := range good {
		out.WriteString("  " + line(e) + "\n")
	}
	for _, reason := range refused {
		out.WriteString("  rejected: " + reason + "\n")
	}
	for _, u := range d.Unknown {
		name := u.Name
		out.WriteString("  unknown: " + name + "\n")
	}
	if d.Finish != nil {
		out.WriteString("  a subscription to confirm\n")
	}
	if out.Len() == 0 {
		return "  nothing\n"
	}
	return out.String()
}

func line(e Event) string {
	parts := []string{string(e.Type), timeOf(e), "of " + e.Message}
	for _, p := range e.Recipients {
		parts = append(parts, "to "+p.Email)
	}
	if e.Recipient != nil {
		parts = append(parts, "by "+strings.TrimSpace(e.Recipient.Name+" <"+strings.ToLower(e.Recipient.Email)+">"))
	}
	add := func(name, value string) {
		if value != "" {
			parts = append(parts, fmt.Sprintf("%s %q", name, value))
		}
	}
	add("kind", e.Kind)
	add("title", e.Title)
	add("subject", e.Subject)
	add("body", firstLine(e.Body))
	add("link", e.Link)
	for _, p := range e.Candidates {
		add("one of", p.Email)
	}
	for _, name := range e.Aliases {
		add("alias", name)
	}
	if e.Untimed {
		add("time", "first arrival")
	}
	if e.Bounce != nil {
		add(e.Bounce.Kind, e.Bounce.Detail)
	}
	if e.Client != nil {
		add("ip", e.Client.IP)
		add("agent", text(e.Client.UserAgent))
		if e.Client.Automated != nil {
			add("automated", fmt.Sprint(*e.Client.Automated))
		}
	}
	if e.Meeting != nil {
		add("meeting", e.Meeting.Title)
		add("answer", e.Meeting.Answer)
		if e.Meeting.Start != nil {
			add("start", time.Unix(int64(*e.Meeting.Start), 0).UTC().Format(time.RFC3339))
		}
	}
	add("owner", e.Owner)
	add("key", e.ID)
	return strings.Join(parts, ", ")
}

func firstLine(body string) string {
	line, _, _ := strings.Cut(body, "\n")
	return line
}

// TestVendorsOwnSamples decodes what the vendors' own repositories hold.
func TestVendorsOwnSamples(t *testing.T) {
	shared(t, "README.md")
	var report strings.Builder
	for _, folder := range []struct{ folder, provider, contentType string }{
		{"mailgun", "mailgun", "application/json"},
		{"postmark", "postmark", "application/json"},
		{"sendgrid_inbound", "sendgrid", "multipart/form-data; boundary=xYzZY"},
		{"ses", "ses", "text/plain"},
		{"ses/invalid_as_published", "ses", "text/plain"},
	} {
		p, _ := New(nil, nil).Provider(folder.provider)
		root := filepath.Join("..", "..", "..", "shared", "data", folder.folder)
		files, err := os.ReadDir(root)
		require.NoError(t, err)
		for _, file := range files {
			if file.IsDir() || file.Name() == "SOURCE.txt" {
				continue
			}
			raw := shared(t, folder.folder+"/"+file.Name())
			fmt.Fprintf(&report, "%s/%s\n", folder.folder, file.Name())
			for _, body := range bodies(t, folder.provider, raw) {
				if folder.provider == "sendgrid" {
					body = []byte(strings.ReplaceAll(strings.ReplaceAll(string(body), "\r\n", "\n"), "\n", "\r\n"))
				}
				report.WriteString(described(p, &Request{Header: http.Header{"Content-Type": {folder.contentType}}, Body: body}))
			}
		}
	}
	golden(t, "vendors.golden", report.String())
}

// bodies are the requests that would carry a sample: Mailgun's samples are bare
// events, or lists of them.
func bodies(t *testing.T, provider string, raw []byte) [][]byte {
	if provider != "mailgun" {
		return [][]byte{raw}
	}
	var events []json.RawMessage
	var page struct{ Items []json.RawMessage }
	switch {
	case json.Unmarshal(raw, &events) == nil:
	case json.Unmarshal(raw, &page) == nil && len(page.Items) > 0:
		events = page.Items
	default:
		events = []json.RawMessage{raw}
	}
	var all [][]byte
	for _, e := range events {
		body, err := json.Marshal(map[string]any{"signature": map[string]string{"token": "t"}, "event-data": e})
		require.NoError(t, err)
		all = append(all, body)
	}
	return all
}

// TestWhatEachRequestBecomes decodes requests that were written for it, one a
// file: the media type, other headers, an empty line, and the body.
func TestWhatEachRequestBecomes(t *testing.T) {
	var report strings.Builder
	for _, file := range requestFiles(t) {
		p, r := requestFile(t, file)
		fmt.Fprintf(&report, "%s\n%s", filepath.Base(file), described(p, r))
		first, err := p.Decode(r)
		if err != nil {
			continue
		}
		again, err := p.Decode(r)
		require.NoError(t, err)
		first.Finish, again.Finish = nil, nil
		require.Equal(t, first, again, "%s: decoded again, it is the same", file)
		requireDistinct(t, file, first)
	}
	golden(t, "requests.golden", report.String())
}

// requireDistinct checks that the events of a request have keys of their own.
func requireDistinct(t *testing.T, file string, d Decoded) {
	t.Helper()
	seen := map[event.ID]bool{}
	good, _ := goodEvents(d, today)
	for _, e := range good {
		valid, err := e.Input.Event("acme", "mail", event.Limits{Now: today, Lenient: true})
		require.NoError(t, err)
		require.False(t, seen[valid.ID], "%s: two events with one id", file)
		seen[valid.ID] = true
	}
}

func requestFiles(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/requests/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	slices.Sort(files)
	return files
}

// requestFile reads a request; its provider is what its name begins with.
func requestFile(t testing.TB, path string) (Provider, *Request) {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	name, _, _ := strings.Cut(filepath.Base(path), "-")
	p, ok := New(nil, nil).Provider(name)
	require.True(t, ok, path)
	head, body, found := strings.Cut(string(raw), "\n\n")
	require.True(t, found, path)
	r := &Request{Header: http.Header{}, Body: []byte(strings.TrimSuffix(body, "\n"))}
	for _, line := range strings.Split(head, "\n") {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
		r.Body = []byte(strings.ReplaceAll(string(r.Body), "\n", "\r\n"))
	}
	return p, r
}

func TestSamplesBecomeEvents(t *testing.T) {
	h := New(nil, nil)
	for _, name := range h.Names() {
		if name == jsonProvider {
			continue // its sources say how they are read
		}
		p, ok := h.Provider(name)
		require.True(t, ok)
		d, err := p.Decode(p.Sample())
		require.NoError(t, err, name)
		good, refused := goodEvents(d, today)
		require.Len(t, good, 1, "%s: %v", name, refused)
		require.Empty(t, d.Unknown, name)
	}
}

func TestABadElementSpoilsNoOther(t *testing.T) {
	good := `{"event":"open","email":"jo@example.com","timestamp":1763285400,"sg_event_id":"1","sg_message_id":"m.filter1"}`
	bad := `["jo@example.com"]`
	d, err := sendgrid{}.Decode(&Request{Header: header(), Body: []byte("[" + good + "," + bad + ",{\"event\":\"new_thing\"}]")})
	require.NoError(t, err)
	require.Len(t, d.Events, 1)
	require.Equal(t, "new_thing", d.Unknown[0].Name)
	require.JSONEq(t, `{"event":"new_thing"}`, string(d.Unknown[0].Payload), "it can be tried again")
	require.Len(t, d.Rejected, 1)
	require.NotContains(t, d.Rejected[0].Reason, "jo@")
}

func TestLookup(t *testing.T) {
	payload := []byte(`{"user":"u_ana","a.b":"dotted","user-variables":{"user":{"id":7}},"list":[{"id":"first"},{"id":"second"}],"empty":{},"n":null}`)
	for path, want := range map[string]string{
		"user": "u_ana", "a.b": "dotted", "user-variables.user.id": "7", "list.id": "first", "empty": "", "n": "", "none.at.all": "", "": "", "user.x": "",
	} {
		require.Equal(t, want, Lookup(payload, path), path)
	}
	require.Empty(t, Lookup([]byte("no json"), "user"))
	require.Equal(t, "x", Lookup([]byte(`[{"user":"x"}]`), "user"))
}

func TestPayloadsAreShownWithoutWhatNobodyShouldRead(t *testing.T) {
	for name, c := range map[string]struct{ payload, kept string }{
		"JSON":                 {`{"email":"jo@acme.example","signature":{"token":"SECRET","timestamp":"1"},"event":"open"}`, `"event":"open"`},
		"a name with an @":     {`{"jo@acme.example":1,"kind":"x"}`, `"kind":"x"`},
		"JSON within JSON":     {`{"Message":"{\"mail\":{\"destination\":[\"jo@acme.example\"]},\"content\":\"SECRET\"}"}`, "destination"},
		"percent-encoded":      {`{"link":"https://x.example/?to=jo%40acme.example&x=1"}`, "https://x.example/"},
		"cut JSON":             {`{"event":"open","token":"SECRET","email":"jo@acme.example","text":"SECRET`, `"event":"open"`},
		"cut in an address":    {`{"event":"open","email":"jo@`, `"event":"open"`},
		"a form":               {"--x\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nSECRET jo@acme.example\r\n--x\r\nContent-Disposition: form-data; name=\"spf\"\r\n\r\npass\r\n--x--", "pass"},
		"no UTF-8":             {"jo@acme.example\xff\xfe open", "open"},
		"a text of a mail":     {`{"TextBody":"SECRET","body-plain":"SECRET","html":"SECRET","type":"x"}`, `"type":"x"`},
		"subscription secrets": {`{"SubscribeURL":"https://sns/?Token=SECRET","Token":"SECRET","Type":"y"}`, `"Type":"y"`},
	} {
		t.Run(name, func(t *testing.T) {
			shown := Masked([]byte(c.payload), 4096)
			require.NotContains(t, shown, "jo@")
			require.NotContains(t, shown, "jo%40")
			require.NotContains(t, shown, "SECRET")
			require.Contains(t, shown, c.kept)
		})
	}
	require.LessOrEqual(t, len(Masked([]byte(strings.Repeat("é", 5000)), 100)), 100+len("…"))
}
