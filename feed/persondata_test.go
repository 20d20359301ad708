package feed_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/feed"
)

func TestAPersonsDataIsAllOfTheirsAndNobodyElses(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	old := did(event.Reply, "m-1", now.Add(-3*365*24*time.Hour), jo)
	old.Body, old.Client = "All of what I wrote", &event.Client{IP: "192.0.2.1"}
	other := did(event.Open, "m-2", now.Add(-time.Hour), li)
	f.put(old, send("m-2", now.Add(-2*time.Hour), jo, li), other, did(event.Open, "m-2", now.Add(-time.Hour), jo))
	var got []feed.EventView
	require.NoError(t, f.PersonData(t.Context(), "w", jo.Email, func(views []feed.EventView) error {
		got = append(got, views...)
		return nil
	}))
	require.Len(t, got, 3, "those older than the horizon too")
	require.Equal(t, "All of what I wrote", got[2].Body)
	require.Equal(t, "192.0.2.1", got[2].Evidence.IP)
	require.Equal(t, 0, *got[1].Unopened)
	text, err := json.Marshal(got)
	require.NoError(t, err)
	require.NotContains(t, string(text), li.Email)
	require.NoError(t, f.PersonData(t.Context(), "v", jo.Email, func(views []feed.EventView) error {
		require.Empty(t, views, "of another workspace")
		return nil
	}))
}
