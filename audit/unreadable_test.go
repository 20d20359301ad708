package audit_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/audit"
)

// A day that cannot be read hides no fault of another day.
func TestVerifyGoesPastADayThatCannotBeRead(t *testing.T) {
	s := newSite(t)
	for range 3 {
		_, err := s.log.Must(t.Context(), audit.Row{Workspace: "w", Kind: audit.KindSignIn, Actor: "user:u_jo"})
		require.NoError(t, err)
		s.pass(24 * time.Hour)
	}
	require.NoError(t, s.log.Save(t.Context()))
	first, second, third := audit.DayOf(noon), audit.DayOf(noon.Add(24*time.Hour)), audit.DayOf(noon.Add(48*time.Hour))
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, string(first)+".db"), []byte("this is no database, whatever its name says"), 0o600))
	require.NoError(t, os.Remove(filepath.Join(s.dir, string(second)+".db")))

	verified, err := s.log.Verify(t.Context(), nil, "")
	require.NoError(t, err)
	days := make(map[audit.Day]string)
	for _, fault := range verified.Faults {
		days[fault.Day] = fault.Problem
	}
	require.Contains(t, days[first], "take audit/"+string(first)+".db from a backup")
	require.Contains(t, days[second], "the day is gone")
	require.NotContains(t, days, third)
	require.Equal(t, 1, verified.Chains)
}
