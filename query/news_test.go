package query

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Who asks what is new gets whatever there is, and is told so.
func TestNewsIsWhateverThereIs(t *testing.T) {
	for _, text := range []string{"what's new", "what is new", "anything new", "what did i miss", "any news", "any updates", "was gibt es neues", "was habe ich verpasst"} {
		r := Parse(text, demoOptions())
		require.Empty(t, r.Chips, text)
		require.Nil(t, r.Query.Where, text)
		require.Len(t, r.Notes, 1, text)
		require.Contains(t, r.Notes[0], "all are listed", text)
	}
	for _, text := range []string{"product news", "what's new in the report", "no news"} {
		require.NotEmpty(t, Parse(text, demoOptions()).Chips, text)
	}
}

// What a mail is not known by is said.
func TestWhatIsNotKnownIsNoted(t *testing.T) {
	for text, note := range map[string]string{
		"not delivered to acme":     `"not delivered" is read as bounced: more is not known of a sent mail.`,
		"delivered, not opened":     `"delivered" is read as not bounced: more is not known of a sent mail.`,
		"opened by both jo and kim": `"both" is read as either of them: whether both did is not looked at.`,
		"mails from jo":             `No user here is called "jo", so it is searched for as words. Mails of others are replies.`,
		"clicked but not booked":    `"but not booked" leaves those events out: who has not done so is not known.`,
		"everybody replied":         `"everybody" is left out: whether all did so is known of opens alone.`,
	} {
		require.Contains(t, Parse(text, demoOptions()).Notes, note, text)
	}
}
