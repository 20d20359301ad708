package sqlite_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/notify"
	"tidings/store/sqlite"
	"tidings/store/storetest"
)

func TestNotify(t *testing.T) {
	storetest.RunNotify(t, storetest.NotifyHarness{Open: func(t testing.TB) notify.Store { return openNotify(t, t.TempDir()+"/notify.db") }})
}

func openNotify(t testing.TB, path string) *sqlite.Notify {
	store, err := sqlite.OpenNotify(path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	return store
}

// A file of an earlier program is taken to the last step when it is opened, with what is in it.
func TestNotificationsOfAnEarlierProgramAreKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify.db")
	file, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	_, err = file.Exec(`
CREATE TABLE decision(space TEXT, id TEXT, user TEXT NOT NULL, at INTEGER NOT NULL, event TEXT NOT NULL, message TEXT NOT NULL,
  kind TEXT NOT NULL, outcome TEXT NOT NULL, unread INTEGER NOT NULL, version INTEGER NOT NULL, doc BLOB NOT NULL,
  PRIMARY KEY(space, id)) WITHOUT ROWID;
CREATE INDEX decision_user ON decision(space, user, at DESC, id DESC);
CREATE INDEX decision_time ON decision(space, at DESC, id DESC);
CREATE INDEX decision_event ON decision(space, event);
CREATE INDEX decision_unread ON decision(space, user) WHERE unread;
CREATE INDEX decision_age ON decision(at);
CREATE TABLE claim(space TEXT, key TEXT, event TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY(space, key)) WITHOUT ROWID;
CREATE INDEX claim_age ON claim(at);
PRAGMA user_version = 1`)
	require.NoError(t, err)
	d := notify.Decision{
		ID: "a", Workspace: "w", User: "ana", Event: event.NewID(1_795_000_000, "w", "test", true, []byte("a")), Message: "m", Kind: "open",
		Outcome: notify.Notified, At: 1, Version: 1,
	}
	doc, err := json.Marshal(d)
	require.NoError(t, err)
	_, err = file.Exec("INSERT INTO decision VALUES('w', 'a', 'ana', 1, ?, 'm', 'open', 'notified', 1, 1, ?)", d.Event.String(), doc)
	require.NoError(t, err)
	require.NoError(t, file.Close())
	store := openNotify(t, path)
	found, err := store.OfEvents(context.Background(), []notify.About{{Workspace: "w", Event: d.Event}})
	require.NoError(t, err)
	require.Equal(t, []notify.Decision{d}, found)
}
