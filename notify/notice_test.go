package notify_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/notify"
)

func TestANoticeIsToldOnce(t *testing.T) {
	o := newOffice(t)
	notices := []notify.Notice{
		{Workspace: "w", User: "u_ana", Kind: notify.KindKey, Cause: "k|7d", Found: "The key “CRM” ends on 6 December."},
		{Workspace: "w", User: "u_ben", Kind: notify.KindKey, Cause: "k|7d", Found: "The key “CRM” ends on 6 December."},
	}
	for range 3 { // looked for every hour, and after each start
		require.NoError(t, o.engine.Tell(t.Context(), notices))
	}
	require.Len(t, o.said, 2)
	for i, user := range []string{"u_ana", "u_ben"} {
		require.Equal(t, event.AnnounceNotification, o.said[i].Kind)
		require.Equal(t, user, o.said[i].To)
		page, _, err := o.store.Page(t.Context(), "w", notify.Filter{User: user}, "", 10)
		require.NoError(t, err)
		require.Len(t, page, 1)
		require.Equal(t, "The key “CRM” ends on 6 December.", page[0].Found)
		unread, err := notify.UnreadOf(t.Context(), o.store, "w", user)
		require.NoError(t, err)
		require.Equal(t, 1, unread)
	}
	notices[0].Cause = "k|1d"
	require.NoError(t, o.engine.Tell(t.Context(), notices))
	require.Len(t, o.said, 3, "a day before, once more")
}
