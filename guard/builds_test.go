package guard_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// What an image holds is built as what is tested.
func TestTheImageIsBuiltWithTheTagsOfTheMakefile(t *testing.T) {
	find := func(file, pattern string) string {
		raw, err := os.ReadFile(filepath.Join(root, file))
		require.NoError(t, err)
		found := regexp.MustCompile(pattern).FindSubmatch(raw)
		require.NotNil(t, found, "%s has no %s", file, pattern)
		return string(found[1])
	}
	require.Equal(t, find("Makefile", `(?m)^TAGS := (\S+)$`), find("Dockerfile", `go build .*-tags (\S+)`))
}
