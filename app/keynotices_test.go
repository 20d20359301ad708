package app

import (
	"crypto/rand"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/notify"
)

// The admins and whose key it is are told of a key that ends; nobody else is.
func TestAdminsAreToldOfKeysThatEnd(t *testing.T) {
	a, err := Open(t.Context(), Settings{Data: t.TempDir()}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	now := time.Now()
	clock := func() time.Time { return now }
	directory := account.NewDirectory(a.State, clock)
	for user, role := range map[string]account.Role{"u_boss": account.RoleAdmin, "u_ana": account.RoleMember, "u_ben": account.RoleMember} {
		_, err := directory.PutUser(t.Context(), "acme", user, account.MemberRequest{Name: user, Role: role})
		require.NoError(t, err)
	}
	keys := account.NewKeys(a.State, clock, rand.Reader)
	_, _, err = keys.Create(t.Context(), "acme", account.KeyRequest{Role: account.RoleRead, User: "u_ana", Name: "Ana's script", Ends: now.AddDate(0, 0, 60).Format(time.RFC3339)})
	require.NoError(t, err)
	told := func(user string) int {
		unread, err := notify.UnreadOf(t.Context(), a.decisions, "acme", user)
		require.NoError(t, err)
		return unread
	}
	require.NoError(t, tellOfKeys(t.Context(), keys, directory, a.notifier))
	require.Equal(t, []int{0, 0, 0}, []int{told("u_boss"), told("u_ana"), told("u_ben")})
	now = now.AddDate(0, 0, 31)
	for range 2 {
		require.NoError(t, tellOfKeys(t.Context(), keys, directory, a.notifier))
		require.Equal(t, []int{1, 1, 0}, []int{told("u_boss"), told("u_ana"), told("u_ben")})
	}
}
