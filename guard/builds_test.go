package guard_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// floating are the images that their makers name by no version.
var floating = []string{"gcr.io/distroless/static-debian12:nonroot", "tidings:local"}

// Each image is named by a version or a digest: what runs is what was tried, until somebody
// says otherwise.
func TestImagesAreNamedByVersion(t *testing.T) {
	named := regexp.MustCompile(`(?m)^\s*(?:image:|FROM)\s+(\S+)`)
	version := regexp.MustCompile(`:v?\d+\.\d+[\w.-]*(@sha256:[0-9a-f]{64})?$|@sha256:[0-9a-f]{64}$`)
	found := 0
	for _, pattern := range []string{"docker-compose*.yml", "Dockerfile*", "deploy/*.yml", "deploy/*/*.yml", "deploy/*/Dockerfile*"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		require.NoError(t, err)
		for _, file := range files {
			raw, err := os.ReadFile(file)
			require.NoError(t, err)
			for _, image := range named.FindAllStringSubmatch(string(raw), -1) {
				found++
				if !slices.Contains(floating, image[1]) {
					require.Regexp(t, version, image[1], file)
				}
			}
		}
	}
	require.GreaterOrEqual(t, found, 7)
	for _, bad := range []string{"nats:latest", "nats", "grafana/grafana:main", "caddy:2"} {
		require.NotRegexp(t, version, bad)
	}
}

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
