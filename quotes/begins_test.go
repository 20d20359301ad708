package quotes

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestTheTableOfBeginningsLosesNoLine(t *testing.T) {
	patterns := map[string]pattern{"ruler": ruler, "closing": closing, "device": device, "disclaimer": disclaimer, "without": without}
	words := []string{
		"-----Original Message-----", "> _Forwarded by", "Best regards,", "br", "LG", "Viele Grüße aus Köln", "Sent from my iPhone", "sent", "__", "____________________",
		"This e-mail is confidential", "* Disclaimer", "you", "On 3 May jo@x.example wrote", "à bientôt", "mfg", "k", "Ihre", "e-mail d'origine", "-- ", "Yahoo Mail: x", "元のメッセージ",
	}
	rapid.Check(t, func(t *rapid.T) {
		line := rapid.SampledFrom(words).Draw(t, "words")
		if rapid.Bool().Draw(t, "upper") {
			line = strings.ToUpper(line)
		}
		line = rapid.StringN(0, 2, 4).Draw(t, "before") + line + rapid.StringN(0, 3, 8).Draw(t, "after")
		for name, p := range patterns {
			require.Equal(t, p.MatchString(line), p.matches(line), "%s: %q", name, line)
		}
	})
	require.Less(t, len(closing.begins()), 5000, "most lines are told by the table")
}
