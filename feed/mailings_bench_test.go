package feed_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/feed"
)

// BenchmarkPageOfMailings reads a page of the widest sends that there are. Compare its processor time: the page is
// made by one goroutine.
//
//	go test -run '^$' -bench PageOfMailings -cpu 1 ./feed
func BenchmarkPageOfMailings(b *testing.B) {
	f := newFixture(b, b.TempDir())
	defer f.close()
	const mailings = 50
	for i := range mailings {
		people := make([]event.Person, event.MaxRecipients)
		for j := range people {
			people[j] = event.Person{Email: fmt.Sprintf("person.number.%d@customer-%d.example", j, j%50), Name: fmt.Sprintf("Person Number %d", j)}
		}
		f.put(send(fmt.Sprint("mailing-", i), now.Add(-time.Duration(i)*time.Minute), people...))
	}
	for _, text := range []string{"", "is:unopened type:send"} {
		b.Run(text, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				page, err := f.Page(b.Context(), feed.PageRequest{Scope: reader("u_ana"), Text: text, Limit: mailings})
				require.NoError(b, err)
				require.Len(b, page.Items, mailings)
				require.Equal(b, event.MaxRecipients, *page.Items[0].Unopened)
			}
		})
	}
}
