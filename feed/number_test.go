package feed

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNumbersHaveTheirNoun(t *testing.T) {
	for n, want := range map[int]string{
		0: "0 people", 1: "1 person", 2: "2 people", 999: "999 people", 1000: "1,000 people", 1204: "1,204 people", 65432: "65,432 people",
		999_999: "999,999 people", 1_000_000: "1,000,000 people",
	} {
		require.Equal(t, want, number(n, "person", "people"))
	}
}
