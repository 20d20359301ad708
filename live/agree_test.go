//go:build !race

package live

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestPageAndSocketAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, closeSite := openSite(t)
		defer closeSite()
		count := 0
		some := func(most int) {
			for range rapid.IntRange(0, most).Draw(t, "events") {
				s.happen(count)
				count++
			}
		}
		some(12)
		s.correct()
		var sockets []*socket
		for range 5 {
			parts := rapid.SliceOfN(rapid.SampledFrom(siteQuestions), 1, 3).Draw(t, "question")
			text := strings.Join(parts, rapid.SampledFrom([]string{" ", " ", " OR "}).Draw(t, "joined"))
			var users []string
			if rapid.IntRange(0, 3).Draw(t, "narrow") == 0 {
				users = []string{"u_ana"}
			}
			k := s.subscribe(text, users)
			defer k.reader.Close()
			sockets = append(sockets, k)
		}
		for range 4 {
			some(6)
			if rapid.Bool().Draw(t, "override") {
				s.override()
			}
			s.correct()
			if rapid.Bool().Draw(t, "later") {
				s.now = s.now.Add(time.Duration(rapid.IntRange(60, 5*24*3600).Draw(t, "seconds")) * time.Second)
			}
			s.now = s.now.Add(watchEvery)
			for _, k := range sockets {
				s.read(k)
				want, _ := s.page(k.request)
				require.Equal(t, slices.SortedFunc(maps.Keys(want), compareIDs), slices.SortedFunc(maps.Keys(k.shown), compareIDs), "%q for %v", k.request.Text, k.request.Users)
			}
		}
	})
}
