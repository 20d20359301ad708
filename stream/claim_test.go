package stream

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

func TestAllGetWhatTheFirstClaimed(t *testing.T) {
	s := open(t, Config{})
	got := make([]string, 8)
	var claiming sync.WaitGroup
	for i := range got {
		claiming.Go(func() {
			var err error
			got[i], err = s.Claim(t.Context(), "a name.*>", fmt.Sprint(i))
			require.NoError(t, err)
		})
	}
	claiming.Wait()
	for _, value := range got {
		require.Equal(t, got[0], value)
	}
	kept, err := s.Claimed(t.Context(), "a name.*>")
	require.NoError(t, err)
	require.Equal(t, got[0], kept)
	none, err := s.Claimed(t.Context(), "another")
	require.NoError(t, err)
	require.Empty(t, none)
	other, err := s.Claim(t.Context(), "another", "x")
	require.NoError(t, err)
	require.Equal(t, "x", other)
}

func TestAClaimOutlivesTheProcess(t *testing.T) {
	dir := t.TempDir()
	first, err := Open(t.Context(), Config{Dir: dir, Logger: testLogger(t)})
	require.NoError(t, err)
	_, err = first.Claim(t.Context(), "name", "1")
	require.NoError(t, err)
	require.NoError(t, first.Close())
	_, err = first.Claim(t.Context(), "name", "1")
	require.ErrorIs(t, err, event.ErrUnavailable)

	second := openIn(t, Config{Dir: dir})
	value, err := second.Claim(t.Context(), "name", "2")
	require.NoError(t, err)
	require.Equal(t, "1", value)
}
