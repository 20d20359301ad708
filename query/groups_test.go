package query

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestGroupsUnderAMinus tells which chips are alternatives: what a minus stands
// before must all fail, so that alternatives become conditions of their own, and
// conditions side by side become alternatives.
func TestGroupsUnderAMinus(t *testing.T) {
	for text, want := range map[string]string{
		"type:open type:click":             "type:open~1 type:click~1",
		"-(type:open type:click)":          "-type:open -type:click",
		"-(type:open OR type:click)":       "-type:open -type:click",
		"-(-(type:open type:click))":       "type:open~1 type:click~1",
		"-(-type:open -type:click)":        "type:open~1 type:click~1",
		"-(type:open type:click pricing)":  "-type:open~1 -type:click~1 -words:pricing~1",
		"-(from:u_a from:u_b)":             "-from:u_a -from:u_b",
		"-(to:a@b.example to:c@d.example)": "-to:a@b.example~1 -to:c@d.example~1",
		"-(source:x OR words:y) type:open": "-source:x -words:y type:open",
		"-(type:open (type:click OR x))":   "-type:open~1 -type:click~1 -words:x~1",
		"-type:open -type:click":           "-type:open -type:click",
	} {
		t.Run(text, func(t *testing.T) { require.Equal(t, want, written(Parse(text, options(t)).Chips)) })
	}
}
