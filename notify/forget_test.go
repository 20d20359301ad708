package notify_test

import (
	"context"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/address"
	"tidings/event"
	"tidings/notify"
	"tidings/store/sqlite"
)

// What rules about an erased person are called says who they were: it is nowhere any
// more, be the rule there still or deleted. Other rules go on.
func TestErasingAPersonReachesWhatRulesAreCalled(t *testing.T) {
	ctx := context.Background()
	o := newOffice(t)
	o.rule("u_ana", "When Lee Marvin opens", notify.Ask{Message: "m_1", Person: "lee@dox.test", Once: true})
	o.rule("u_ana", "Lee Marvin twice", notify.Ask{On: notify.OnCount, Person: "lee@dox.test", Count: 2, Within: "1h"})
	o.rule("u_jo", "When Lee Marvin replies", notify.Ask{Person: "lee@dox.test", Once: true})
	o.rule("u_jo", "all", notify.Ask{On: notify.OnCount, Q: "opens from dox.test", Count: 2, Within: "1h"})
	first := o.open(3, event.Human)
	o.handle(event.AnnounceEvent, first)
	o.handle(event.AnnounceEvent, o.open(2, event.Human))
	o.rule("u_ana", "remind", notify.Ask{On: notify.OnAbsence, No: notify.NoOpen, After: "1h", Person: "lee@dox.test"})
	o.send("silent", o.now)
	o.pass(2 * time.Hour)
	o.tick()
	require.NoError(t, o.books.DeleteRule(ctx, "w", "u_jo", "When Lee Marvin replies"))
	before := len(o.bell("u_ana"))
	for range 2 {
		require.NoError(t, o.engine.ForgetPerson(ctx, "w", "lee@dox.test", address.Forms("lee@dox.test")))
	}
	require.Len(t, o.bell("u_ana"), before, "the log says still that she was told")
	for _, user := range []string{"u_ana", "u_jo"} {
		page, _, err := o.store.Page(ctx, "w", notify.Filter{User: user}, "", 100)
		require.NoError(t, err)
		require.NotRegexp(t, "Lee Marvin|remind", fmt.Sprintf("%+v", page))
	}
	if _, file := o.store.(*sqlite.Notify); !file {
		return // claims and notes: storetest.RunNotify
	}
	db, err := sql.Open("sqlite", o.path)
	require.NoError(t, err)
	defer db.Close()
	for _, query := range []string{"SELECT CAST(doc AS TEXT) FROM decision", "SELECT key FROM claim", "SELECT key FROM note"} {
		rows, err := db.QueryContext(ctx, query)
		require.NoError(t, err)
		for rows.Next() {
			var text string
			require.NoError(t, rows.Scan(&text))
			require.NotContains(t, text, "Lee Marvin", query)
			require.NotContains(t, text, "remind", query)
		}
		require.NoError(t, rows.Err())
		require.NoError(t, rows.Close())
	}
	rules, err := o.books.Rules(ctx, "w", "u_jo")
	require.NoError(t, err)
	require.Len(t, rules, 1)
	var notes int
	require.NoError(t, db.QueryRowContext(ctx, "SELECT COUNT(*) FROM note").Scan(&notes))
	require.Equal(t, 1, notes, "the other rule has counted on")
}
