package sqlite_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/feed"
	"tidings/query"
	"tidings/store/sqlite"
)

// alike makes n events whose ids begin alike, as no sender could arrange for
// long, newest last.
func alike(n int, tie [8]byte) []event.Event {
	at := event.Week(2900).Start() + 77
	events := make([]event.Event, n)
	for i := range events {
		id := event.NewID(at, "w", "s", true, []byte{byte(i)})
		copy(id[4:12], tie[:])
		id[15] = byte(i)
		events[i] = event.Event{
			ID: id, Workspace: "w", Type: event.Open, Time: at, Message: "m", Source: "s",
			Recipient: &event.Person{Email: string(rune('a'+i)) + "@x.example"},
		}
	}
	return events
}

func openIndex(t *testing.T, dir string) *sqlite.Index {
	t.Helper()
	index, err := sqlite.OpenIndex(dir, sqlite.IndexConfig{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, index.Close()) })
	return index
}

func TestIDsThatBeginAlike(t *testing.T) {
	const most = 16
	for name, tie := range map[string][8]byte{
		"in the middle": {0x80, 1, 2, 3},
		"the lowest":    {},
		"the highest":   {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, index := context.Background(), openIndex(t, t.TempDir())
			events := alike(most+1, tie)
			create := func(events ...event.Event) (created int, last error) {
				outcomes, err := index.Create(ctx, events)
				require.NoError(t, err)
				for _, outcome := range outcomes {
					if outcome.Created {
						created++
					}
					last = outcome.Err
				}
				return created, last
			}
			created, err := create(events...)
			require.Equal(t, most, created)
			require.ErrorIs(t, err, event.ErrInvalid)
			created, err = create(events[:most]...)
			require.NoError(t, err)
			require.Zero(t, created, "each is known again")

			s := feed.Search{Workspace: "w", Weeks: []event.Week{2900}, Limit: 3}
			seen := make(map[event.ID]bool)
			for {
				hits, err := index.Search(ctx, s)
				require.NoError(t, err)
				for _, hit := range hits {
					require.Equal(t, events[0].Time, hit.Key.Seconds)
					require.False(t, seen[hit.Event.ID])
					seen[hit.Event.ID] = true
				}
				if len(hits) < s.Limit {
					break
				}
				s.Before = hits[len(hits)-1].Key
			}
			require.Len(t, seen, most)

			// A gap in the run does not hide those below it.
			deleted, _, err := index.EraseRecipient(ctx, "w", events[2].Recipient.Email)
			require.NoError(t, err)
			require.Equal(t, []event.ID{events[2].ID}, deleted)
			created, err = create(events[most-1], events[most-2])
			require.NoError(t, err)
			require.Zero(t, created)
			got, err := index.Get(ctx, "w", []event.ID{events[most-1].ID, events[2].ID})
			require.NoError(t, err)
			require.Equal(t, []event.Event{events[most-1]}, got)
			created, err = create(events[most])
			require.NoError(t, err)
			require.Equal(t, 1, created, "it takes the gap")
			only := query.Query{Where: query.Keyword{Field: query.FieldRecipient, Values: []string{events[most].Recipient.Email}}}
			hits, err := index.Search(ctx, feed.Search{Workspace: "w", Weeks: []event.Week{2900}, Limit: 3, Query: only})
			require.NoError(t, err)
			require.Len(t, hits, 1)
			require.Equal(t, events[most], hits[0].Event)
		})
	}
}

// Of many ids it is asked first which may be there. What is there under another's rowid, and
// what only begins like one that is there, is told apart.
func TestManyIDsAreFoundAtOnce(t *testing.T) {
	ctx, index := t.Context(), openIndex(t, t.TempDir())
	var there []event.Event
	var asked []event.ID
	for tie := range byte(20) {
		for i, e := range alike(8, [8]byte{tie}) {
			asked = append(asked, e.ID)
			if tie%2 == 0 && i%3 != 0 {
				there = append(there, e)
			}
		}
	}
	_, err := index.Create(ctx, there)
	require.NoError(t, err)
	found, err := index.Get(ctx, "w", asked)
	require.NoError(t, err)
	require.ElementsMatch(t, there, found)
	has, err := index.Has(ctx, "w", asked)
	require.NoError(t, err)
	require.Len(t, has, len(there))
	other, err := index.Get(ctx, "another", asked)
	require.NoError(t, err)
	require.Empty(t, other)
}
