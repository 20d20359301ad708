package feed

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/query"
)

// Lists of words are kept as long as there is room for their words, the newest of them.
func TestWordsOfManyWorkspacesAreKept(t *testing.T) {
	now := time.Unix(1_794_000_000, 0)
	m := newSpelling(nil, func() time.Time { return now })
	keep := func(workspace string, words int) letterKey {
		now = now.Add(time.Millisecond)
		key := letterKey{workspace, 'a'}
		m.keep(key, &letterTerms{terms: make([]query.Term, words), read: now})
		counted := 0
		for _, list := range m.kept {
			counted += len(list.terms) + listTerms
		}
		require.Equal(t, counted, m.words)
		require.LessOrEqual(t, m.words, termsKept)
		require.Contains(t, m.kept, key)
		return key
	}
	for i := range 500 {
		keep(fmt.Sprint(i), 400)
	}
	require.Len(t, m.kept, 500)
	keep("7", 10)
	require.Len(t, m.kept, 500, "one list a key")
	large := keep("large", 2*termsOfWeek)
	for i := range 2 * termsKept / termsOfWeek {
		keep(fmt.Sprint("more", i), termsOfWeek)
	}
	require.NotContains(t, m.kept, large)
	require.Greater(t, len(m.kept), 60)
}
