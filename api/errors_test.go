package api

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/secret"
)

// Whoever may do nothing about it by trying again is told what is to be done, and who
// may is told to.
func TestWhatIsUnavailableSaysWhatHelps(t *testing.T) {
	for _, test := range []struct {
		err    error
		status int
		says   string
		again  bool
	}{
		{secret.ErrNoKey, http.StatusNotImplemented, "--secrets-key FILE", false},
		{secret.ErrLocked, http.StatusServiceUnavailable, "bring secrets.key back", false},
		{event.ErrUnavailable, http.StatusServiceUnavailable, "try again soon", true},
	} {
		p, known := problemOf(fmt.Errorf("keep endpoint: %w", test.err))
		require.True(t, known)
		require.Equal(t, test.status, p.Status)
		require.Contains(t, p.Detail, test.says)
		require.Equal(t, test.again, p.header.Get("Retry-After") != "")
	}
}
