package account_test

import (
	"crypto/rand"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/store/sqlite"
)

func TestPeopleAreToldOfKeysThatEndOrLieIdle(t *testing.T) {
	states, err := sqlite.OpenState(filepath.Join(t.TempDir(), "state.db"), sqlite.StateConfig{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, states.Close()) })
	begin := time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)
	now := begin
	keys := account.NewKeys(states, func() time.Time { return now }, rand.Reader)
	create := func(name, ends string) (text, id string) {
		text, key, err := keys.Create(t.Context(), "acme", account.KeyRequest{Role: account.RoleIngest, Name: name, Ends: ends})
		require.NoError(t, err)
		return text, key.ID
	}
	use := func(text string) {
		_, err := keys.Caller(t.Context(), text)
		require.NoError(t, err)
	}
	told := func(day int) (texts []string) {
		now = begin.AddDate(0, 0, day)
		found, err := keys.Notices(t.Context())
		require.NoError(t, err)
		for _, one := range found {
			require.Equal(t, "acme", one.Workspace)
			texts = append(texts, one.Text)
		}
		return texts
	}
	year, id := create("CRM", "")
	short, _ := create("Trial", begin.AddDate(0, 0, 5).Format(time.RFC3339))
	idle, _ := create("", "never")
	require.Empty(t, told(1))
	require.Len(t, told(4), 1, "a day before the end of the one that lives five days, and not seven")
	require.Contains(t, told(4)[0], "The key “Trial” ("+short[:8])
	require.Contains(t, told(4)[0], "ends on 7 March 2026 at 09:00 UTC")
	require.Empty(t, told(5), "it has ended")
	now = begin.AddDate(0, 0, 80)
	use(year)
	found := told(90)
	require.Len(t, found, 1)
	require.Regexp(t, "The key "+idle[:8]+".*… was not used since 2 March 2026", found[0])

	causes := map[string]bool{}
	for day := 170; day < 364; day++ {
		if day < 334 {
			now = begin.AddDate(0, 0, day)
			use(year)
		}
		now = begin.AddDate(0, 0, day)
		use(idle)
		found, err := keys.Notices(t.Context())
		require.NoError(t, err)
		for _, one := range found {
			causes[one.Cause] = true
		}
	}
	now = begin.AddDate(0, 0, 364).Add(time.Hour)
	use(idle)
	last, err := keys.Notices(t.Context())
	require.NoError(t, err)
	for _, one := range last {
		causes[one.Cause] = true
	}
	require.Len(t, causes, 3, "30 days, 7 days and a day before: %v", causes)

	_, _, err = keys.Rotate(t.Context(), "acme", id, time.Hour)
	require.NoError(t, err)
	found = told(364)
	require.Len(t, found, 1, "what it was before the rotation is nobody's business: %v", found)
	_, err = keys.Revoke(t.Context(), "acme", id)
	require.NoError(t, err)
	require.Empty(t, told(364))
}
