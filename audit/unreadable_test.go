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

	require.NoError(t, os.Truncate(filepath.Join(s.dir, string(third)+".db"), 0))
	faults, err := s.log.Look(t.Context(), "")
	require.NoError(t, err)
	looked := make(map[audit.Day]string)
	for _, fault := range faults {
		looked[fault.Day] = fault.Problem
	}
	require.Equal(t, days[first], looked[first])
	require.Contains(t, looked[second], "the day is gone")
	require.Contains(t, looked[third], "take audit/"+string(third)+".db from a backup", "an empty file is no empty day")
	faults, err = s.log.Look(t.Context(), third)
	require.NoError(t, err)
	require.Len(t, faults, 2, "what is not kept any more is not missed")
}
