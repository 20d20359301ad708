package live

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/query"
)

func TestStatesGoOnlyToWhoShowsTheMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := run(t, testConfig(newScroll("a")))
		of := func(message string) query.Query {
			return query.Query{Where: query.Keyword{Field: query.FieldMessage, Values: []string{message}}}
		}
		one, other, named := hub.open("w", nil), hub.open("w", nil), hub.open("w", []string{"u_ana"})
		subscribe(t, one, "s", of("m-1"), "")
		subscribe(t, other, "s", of("m-2"), "")
		subscribe(t, named, "s", of("m-3"), "")
		told, err := named.Shows([]string{"m-1", "m-2"}, "")
		require.NoError(t, err)
		require.Empty(t, told)
		hub.announce(
			announced("w", "u_ana", event.Open, "m-1"), announcedState("w", "u_ana", "m-1", 1),
			announced("w", "u_ben", event.Open, "m-2"), announcedState("w", "u_ben", "m-2", 1),
			announcedState("w", "u_ana", "m-4", 1),
		)
		require.Equal(t, []string{"event s m-1", "state  m-1 v1"}, drain(t, one))
		require.Equal(t, []string{"event s m-2", "state  m-2 v1"}, drain(t, other))
		require.Equal(t, []string{"state  m-1 v1"}, drain(t, named), "m-2 is not of those whose messages it may see")
	})
}

func TestWhatMovedWhileAPageWasReadIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := testConfig(newScroll("a"))
		c.Behind = 100
		hub := run(t, c)
		reader := hub.open("w", []string{"u_ana"})
		nothing := query.Query{Where: query.Keyword{Field: query.FieldMessage, Values: []string{"none"}}}
		before := subscribe(t, reader, "s", nothing, "")
		hub.announce(
			announcedState("w", "u_ana", "m-1", 1), announcedState("w", "u_ana", "m-2", 1),
			announcedState("w", "u_ben", "m-3", 1), announcedState("w", "u_ana", "m-1", 2),
		)
		require.Empty(t, drain(t, reader))
		told, err := reader.Shows([]string{"m-1", "m-3"}, before.String())
		require.NoError(t, err)
		require.Len(t, told, 1, "the last of what it may see and shows")
		require.Equal(t, "m-1 v2", string(told[0].Body))
		at, ok := reader.At()
		require.True(t, ok)
		told, err = reader.Shows([]string{"m-1"}, at.String())
		require.NoError(t, err)
		require.Empty(t, told)

		for i := range 101 {
			hub.announce(announcedState("w", "u_ana", "m-2", int64(i)))
			require.Empty(t, drain(t, reader))
		}
		_, err = reader.Shows([]string{"m-2"}, before.String())
		require.ErrorIs(t, err, ErrPositionExpired, "it would read too much")
		_, err = reader.Shows([]string{"m-2"}, "no position")
		require.ErrorIs(t, err, event.ErrInvalid)
	})
}

func TestWhatIsShownIsBounded(t *testing.T) {
	var s shown
	for i := range 3 * mostShown {
		s.add(fmt.Sprint("m-", i))
		require.LessOrEqual(t, len(s.young)+len(s.old), mostShown)
	}
	for i := range mostShown / 2 {
		require.True(t, s.has([]string{"another name", fmt.Sprint("m-", 3*mostShown-1-i)}))
	}
	require.False(t, s.has([]string{"m-0"}))
}
