package app

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMemoryIsGivenBackOnceItIsQuiet(t *testing.T) {
	const mb = 1 << 20
	var m memory
	for _, look := range []struct {
		allocated uint64
		give      bool
		why       string
	}{
		{300 * mb, false, "busy: 300 MB since the last look"},
		{600 * mb, false, "still busy"},
		{610 * mb, true, "quiet after much was allocated"},
		{615 * mb, false, "quiet, and nothing new to give back"},
		{670 * mb, false, "busy"},
		{672 * mb, false, "quiet, but less was allocated than is worth it"},
		{685 * mb, true, "quiet, and it adds up"},
	} {
		require.Equal(t, look.give, m.idle(look.allocated), look.why)
	}
}
