package notify

import (
	"strings"

	"tidings/event"
)

// Rule tells a person of each event that a search finds, whoever's it is that they
// may see.
type Rule struct {
	Name    string `json:"name"`
	Owner   string `json:"owner"`
	Q       string `json:"q" doc:"the search, as it is typed"`
	Enabled bool   `json:"enabled"`
	// Cell says how often and where it tells.
	Cell Cell `json:"do"`
}

// Bounds of rules.
const (
	MaxRules    = 50
	maxRuleText = 2000
)

// Check says what is wrong with a rule.
func (r Rule) Check() *event.FieldError {
	if strings.TrimSpace(r.Q) == "" {
		return event.Invalid("q", "is required")
	}
	if len(r.Q) > maxRuleText {
		return event.Invalid("q", "is too long; 2,000 bytes are taken")
	}
	if err := (Cells{Mine: {"open": r.Cell}}).Check(); err != nil || r.Cell.Often == Off {
		return event.Invalid("do", "has how often and channels; a rule that is off is not enabled")
	}
	return nil
}
