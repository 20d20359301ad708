package query

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTheSearchPageIsRead tries what docs/search.md says that people may type: all of it
// is understood, and each operator is one.
func TestTheSearchPageIsRead(t *testing.T) {
	page, err := os.ReadFile("../docs/search.md")
	require.NoError(t, err)
	asked, operators := 0, 0
	operator := regexp.MustCompile("`[^`]+`")
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(line, "|")
		if len(cells) < 3 || strings.HasPrefix(cells[1], " ---") || strings.Contains(cells[1], "you type") || strings.TrimSpace(cells[1]) == "operator" {
			continue
		}
		texts := strings.Split(strings.TrimSpace(cells[1]), "; ")
		if found := operator.FindAllString(cells[1], -1); len(found) > 0 {
			texts = found
		}
		for _, text := range texts {
			text = strings.Trim(text, "` ")
			isOperator := strings.Contains(text, ":")
			if strings.HasSuffix(text, ":") {
				text += map[bool]string{true: "2026-11-02", false: "word"}[text == "since:" || text == "before:" || text == "on:"]
			}
			r := Parse(text, demoOptions())
			require.NotEmpty(t, r.Chips, text)
			require.NotContains(t, strings.Join(r.Notes, " "), "searched for as", text)
			if isOperator {
				operators++
				for _, chip := range r.Chips {
					require.NotEqual(t, "words", chip.Field, text)
				}
			} else {
				asked++
			}
		}
	}
	require.Greater(t, asked, 20)
	require.Greater(t, operators, 15)
}
