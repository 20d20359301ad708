package query

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

func TestZZ(t *testing.T) {
	words := map[string]bool{}
	for _, f := range []string{"asked.tsv", "typed.tsv"} {
		b, _ := os.ReadFile("testdata/" + f)
		for _, line := range strings.Split(string(b), "\n") {
			q, _, _ := strings.Cut(line, "\t")
			fs := strings.Fields(strings.ToLower(q))
			for i, w := range fs {
				words[w] = true
				if i > 0 {
					words[fs[i-1]+" "+w] = true
				}
				if i > 1 {
					words[fs[i-2]+" "+fs[i-1]+" "+w] = true
				}
			}
		}
	}
	fmt.Println(len(words), "phrases")
	for w := range words {
		for _, tail := range []string{"", "opened", "jo replied last week"} {
			text := strings.Repeat(w+" ", 16) + tail
			began := time.Now()
			Parse(text, Options{Now: time.Date(2026, 11, 18, 12, 0, 0, 0, time.UTC)})
			if d := time.Since(began); d > 8*time.Millisecond {
				fmt.Println(d, text[:min(60, len(text))], "|", tail)
			}
		}
	}
}
