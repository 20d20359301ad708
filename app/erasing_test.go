package app

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/event"
)

// erasable is a directory that is served, and a key of its workspace.
type erasable struct {
	*testing.T
	app *App
	key string
}

// serveOn opens a directory and runs what indexes.
func serveOn(t *testing.T, data string) (e *erasable, stop func()) {
	t.Helper()
	return serving(t, mustOpen(t, data))
}

// serving runs what indexes.
func serving(t *testing.T, a *App) (e *erasable, stop func()) {
	t.Helper()
	key, _, err := account.NewKeys(a.State, time.Now, rand.Reader).Create(t.Context(), "acme", account.KeyRequest{Role: account.RoleAdmin})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	return &erasable{t, a, key}, func() {
		cancel()
		require.NoError(t, <-ended)
		require.NoError(t, a.Close())
	}
}

func (e *erasable) ask(method, path string, body any) (int, []byte) {
	e.Helper()
	raw, err := json.Marshal(body)
	require.NoError(e, err)
	request := httptest.NewRequest(method, path, bytes.NewReader(raw))
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+e.key)
	answer := httptest.NewRecorder()
	e.app.Server.ServeHTTP(answer, request)
	return answer.Code, answer.Body.Bytes()
}

func (e *erasable) must(method, path string, body any) []byte {
	e.Helper()
	status, answer := e.ask(method, path, body)
	require.Less(e, status, 300, "%s %s: %s", method, path, answer)
	return answer
}

// post takes events in and waits until they are indexed.
func (e *erasable) post(events ...map[string]any) {
	e.Helper()
	e.must(http.MethodPost, "/v1/events", events)
	e.indexed()
}

func (e *erasable) indexed() {
	e.Helper()
	require.NoError(e, e.app.awaitIndexed(e.Context()))
}

func (e *erasable) erase(email string) {
	e.Helper()
	e.must(http.MethodDelete, "/v1/people/"+url.PathEscape(email), nil)
}

func (e *erasable) night() {
	e.Helper()
	report, err := e.app.RunRollover(e.Context(), RolloverRequest{})
	require.NoError(e, err)
	require.Zero(e, report.Failed(), "%+v", report.Actions)
}

// found are the events of a person.
func (e *erasable) found(email string) int {
	e.Helper()
	var page struct {
		Items []json.RawMessage `json:"items"`
	}
	require.NoError(e, json.Unmarshal(e.must(http.MethodGet, "/v1/feed?recipient="+url.QueryEscape(email), nil), &page))
	return len(page.Items)
}

// filesNaming are the files below a directory that hold one of the texts, in any case
// of letters, as UTF-8 or UTF-16.
func filesNaming(t *testing.T, dir string, texts ...string) (found []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if os.IsNotExist(err) || err == nil && !entry.Type().IsRegular() {
			return nil
		}
		raw, err := os.ReadFile(path)
		if os.IsNotExist(err) {
			return nil
		}
		raw = bytes.ToLower(raw)
		for _, text := range texts {
			if bytes.Contains(raw, []byte(text)) {
				found = append(found, strings.TrimPrefix(path, dir)+" has "+text)
			}
		}
		return err
	}))
	return found
}

const (
	goneEmail = "zebulon.quix@vanishing.example"
	goneName  = "zebulon quixwort"
)

func anOpen(message, email, name string, at time.Time) map[string]any {
	return map[string]any{
		"type": "open", "time": at.UTC().Format(time.RFC3339), "message": message, "id": fmt.Sprint(message, email, at.Unix()),
		"recipient": map[string]any{"email": email, "name": name},
	}
}

func aSend(message, user string, at time.Time, emails ...string) map[string]any {
	var people []map[string]any
	for _, email := range emails {
		person := map[string]any{"email": email}
		if email == goneEmail {
			person["name"] = "Zebulon Quixwort"
		}
		people = append(people, person)
	}
	return map[string]any{
		"type": "send", "time": at.UTC().Format(time.RFC3339), "message": message, "id": message, "user": user, "subject": "Hello", "recipients": people,
	}
}

// TestNothingNamesAnErasedPersonAfterTheNight searches the bytes of the whole directory,
// while it is served and after it was closed.
func TestNothingNamesAnErasedPersonAfterTheNight(t *testing.T) {
	data := t.TempDir()
	e, stop := serveOn(t, data)
	now := time.Now().Add(-time.Hour)
	old := now.AddDate(0, 0, -40) // a week that the night seals
	e.post(anOpen("m-early", goneEmail, "", now), anOpen("m-old", goneEmail, "Zebulon Quixwort", old), anOpen("m-old", "kim@stays.example", "Kim", old))
	e.post(aSend("m-early", "u_ana", now.Add(-time.Minute), goneEmail), aSend("m-two", "u_ana", now, goneEmail, "kim@stays.example"))
	e.post(anOpen("m-two", goneEmail, "", now.Add(time.Minute)), anOpen("m-two", "kim@stays.example", "", now.Add(time.Minute)))
	reply := anOpen("m-two", goneEmail, "", now.Add(2*time.Minute))
	reply["type"], reply["id"], reply["body"] = "reply", "r1", "Write me at Zebulon.Quix@vanishing.example please."
	e.post(reply)
	e.night()

	e.must(http.MethodPut, "/v1/searches/mine", map[string]any{"q": "from:" + goneEmail})
	e.must(http.MethodPut, "/v1/follow-ups/"+url.PathEscape(goneEmail), map[string]any{"note": "Ask " + goneEmail})
	e.must(http.MethodPut, "/v1/people/"+url.PathEscape(goneEmail)+"/tracking", map[string]any{"tracked": false})
	status, _ := e.ask(http.MethodPut, "/v1/endpoints/crm", map[string]any{"kind": "webhook", "url": "https://crm.example/in", "search": "from:" + goneEmail})
	require.Less(t, status, 500)
	key, _, err := account.NewKeys(e.app.State, time.Now, rand.Reader).Create(t.Context(), "acme", account.KeyRequest{Role: account.RoleRead, User: "u_ana"})
	require.NoError(t, err)
	ana := &erasable{t, e.app, key}
	ana.must(http.MethodPut, "/v1/notification-settings", map[string]any{"mutes": []any{map[string]any{"what": "person", "id": goneEmail}}})
	inPage := map[string]any{"often": "every", "channels": []string{"inpage"}}
	ana.must(http.MethodPut, "/v1/notification-rules/ofthem", map[string]any{"person": goneEmail, "enabled": true, "do": inPage})
	ana.must(http.MethodPut, "/v1/notification-rules/about", map[string]any{"q": "from:" + goneEmail, "enabled": true, "do": inPage})
	e.must(http.MethodPut, "/v1/follow-ups/kim%40stays.example", map[string]any{"note": "Knows " + goneEmail})
	e.must(http.MethodPut, "/v1/searches/"+url.PathEscape("of "+goneEmail), map[string]any{"q": "opens"})
	e.must(http.MethodPost, "/v1/invitations", map[string]any{"email": goneEmail, "name": "Zebulon Quixwort", "role": "member"})
	require.NotZero(t, e.found(goneEmail))
	require.NotEmpty(t, filesNaming(t, data, goneEmail, goneName))

	e.erase(goneEmail)
	e.night()
	require.Zero(t, e.found(goneEmail))
	require.NotZero(t, e.found("kim@stays.example"))
	require.Empty(t, filesNaming(t, data, goneEmail, goneName, "vanishing.example"))
	stop()
	require.Empty(t, filesNaming(t, data, goneEmail, goneName, "vanishing.example"))
	require.NotEmpty(t, filesNaming(t, data, "kim@stays.example"))
}

// TestABackupForgetsWhoWasErasedSince restores a backup from before an erasure.
func TestABackupForgetsWhoWasErasedSince(t *testing.T) {
	data, backup := t.TempDir(), filepath.Join(t.TempDir(), "backup")
	e, stop := serveOn(t, data)
	now := time.Now().Add(-time.Hour)
	e.post(aSend("m-1", "u_ana", now, goneEmail, "kim@stays.example"), anOpen("m-1", goneEmail, "Zebulon Quixwort", now), anOpen("m-1", "kim@stays.example", "", now))
	e.must(http.MethodPut, "/v1/searches/mine", map[string]any{"q": "from:" + goneEmail})
	_, err := e.app.Backup(t.Context(), BackupRequest{To: backup})
	require.NoError(t, err)
	e.erase(goneEmail)
	later := anOpen("m-2", goneEmail, "", time.Now().Add(5*time.Second))
	stop()

	for _, list := range []string{"as it was", "written anew by night"} {
		t.Run(list, func(t *testing.T) {
			restored := filepath.Join(t.TempDir(), "data")
			_, done, err := Restore(t.Context(), backup, restored)
			require.NoError(t, err)
			require.Equal(t, 1, done.Erased)
			e, stop := serveOn(t, restored)
			defer stop()
			require.Zero(t, e.found(goneEmail))
			require.NotZero(t, e.found("kim@stays.example"))
			e.post(later)
			require.Equal(t, 1, e.found(goneEmail), "what happened after the erasure is kept")
			require.Zero(t, strings.Count(string(e.must(http.MethodGet, "/v1/searches", nil)), goneEmail))
		})
		a := mustOpen(t, data)
		require.NoError(t, a.syncBackups(t.Context()))
		require.NoError(t, a.Close())
	}
}

// TestAWorkspaceRefusesErasedPeople chooses that nothing about them comes in again.
func TestAWorkspaceRefusesErasedPeople(t *testing.T) {
	e, stop := serveOn(t, t.TempDir())
	defer stop()
	now := time.Now()
	e.post(anOpen("m-1", goneEmail, "", now.Add(-time.Hour)))
	e.erase(goneEmail)
	later := anOpen("m-2", goneEmail, "", time.Now().Add(5*time.Second))
	e.post(anOpen("m-1", goneEmail, "", now.Add(-time.Hour)))
	require.Zero(t, e.found(goneEmail), "a repetition stays out")

	e.must(http.MethodPut, "/v1/settings", map[string]any{"erased": "refuse"})
	status, answer := e.ask(http.MethodPost, "/v1/events", later)
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, string(answer), "recipient.email: was erased from this workspace")
	var receipt struct {
		Accepted int
		Rejected []struct {
			Index  int
			Detail string
		}
	}
	require.NoError(t, json.Unmarshal(e.must(http.MethodPost, "/v1/events", []any{
		anOpen("m-3", "kim@stays.example", "", now), aSend("m-4", "u_ana", now, "kim@stays.example", goneEmail),
	}), &receipt))
	require.Equal(t, 1, receipt.Accepted)
	require.Equal(t, 1, receipt.Rejected[0].Index)
	require.Contains(t, receipt.Rejected[0].Detail, "recipients[1].email")

	e.must(http.MethodPut, "/v1/settings", map[string]any{"erased": "keep"})
	e.post(later)
	require.Equal(t, 1, e.found(goneEmail))
}

// What comes another way than through the API is dropped where the workspace refuses it.
func TestTheIndexerDropsWhoIsRefused(t *testing.T) {
	e, stop := serveOn(t, t.TempDir())
	defer stop()
	e.erase(goneEmail)
	e.must(http.MethodPut, "/v1/settings", map[string]any{"erased": "refuse"})
	at := time.Now().Unix()
	one := event.Event{
		ID: event.NewID(at, "acme", "mail", true, []byte("x")), Workspace: "acme", Type: event.Open, Time: at, Message: "m", Source: "mail",
		Recipient: &event.Person{Email: goneEmail},
	}
	require.NoError(t, e.app.Stream.Publish(t.Context(), event.LaneLive, []event.Event{one}))
	e.indexed()
	require.Zero(t, e.found(goneEmail))
}
