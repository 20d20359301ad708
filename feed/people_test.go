package feed_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/feed"
)

func TestNearNamesAreThoseThatTheReaderMaySee(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	notes := func(scope feed.Scope) string {
		return fmt.Sprint(f.page(feed.PageRequest{Scope: scope, Text: "from:adeyemmi"}).Query.Notes)
	}
	require.Contains(t, notes(feed.Scope{Workspace: "w"}), "Near to it: Ben Adeyemi.")
	require.NotContains(t, notes(reader("u_ana")), "Ben")
}
