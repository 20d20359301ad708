//go:build !race

package elastic_test

import (
	"context"
	"flag"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/store/sqlite"
	"tidings/store/storetest"
)

var (
	corpora = flag.Int("corpora", 4, "how many sets of events the agreement of indexes is tried on; 20 for the full form")
	queries = flag.Int("queries", 100, "how many queries are asked of each; 500 for the full form")
)

// TestSQLiteAndElasticsearchAndMemoryAgree shows that the index that is chosen
// makes no difference to what is found, nor does watching live.
func TestSQLiteAndElasticsearchAndMemoryAgree(t *testing.T) {
	remote := openAt(t, t.TempDir(), "")
	defer func() { require.NoError(t, remote.Close()) }()
	local, err := sqlite.OpenIndex(t.TempDir(), sqlite.IndexConfig{})
	require.NoError(t, err)
	defer func() { require.NoError(t, local.Close()) }()
	storetest.RunAgreement(t, map[string]storetest.Index{"SQLite": local, "Elasticsearch": remote},
		func() error { return remote.Refresh(context.Background()) },
		storetest.Agreement{Corpora: *corpora, Events: 150, Queries: *queries})
}
