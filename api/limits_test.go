package api

import (
	"context"
	"fmt"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

func TestLimitsAreByKeyUserAndWorkspace(t *testing.T) {
	now := time.Date(2026, time.November, 16, 12, 0, 0, 0, time.UTC)
	l := newLimits(1<<30, 2, func() time.Time { return now })
	refused := func(of use, c Caller, n int) bool {
		_, err := l.take(of, c, "", n)
		if err != nil {
			require.ErrorIs(t, err, event.ErrTooMuch)
		}
		return err != nil
	}
	for of, rate := range rates {
		t.Run(string(of), func(t *testing.T) {
			key := Caller{Workspace: "acme", Credential: "k1"}
			require.False(t, refused(of, key, rate.one.Burst))
			require.True(t, refused(of, key, 1))
			require.False(t, refused(of, Caller{Workspace: "acme", Credential: "k2", User: "u_ana"}, rate.one.Burst), "another key")
			require.True(t, refused(of, Caller{Workspace: "acme", Credential: "k3", User: "u_ana"}, 1), "the same user")
			require.False(t, refused(of, Caller{Workspace: "globex", Credential: "k9"}, rate.one.Burst))
			for i := 2*rate.one.Burst + rate.one.Burst; i <= rate.workspace.Burst; i += rate.one.Burst {
				require.False(t, refused(of, Caller{Workspace: "acme", Credential: string(rune('a' + i/rate.one.Burst))}, rate.one.Burst))
			}
			require.True(t, refused(of, Caller{Workspace: "acme", Credential: "last"}, rate.one.Burst), "all of the workspace")
			now = now.Add(rate.workspace.Window() + rate.one.Window())
			require.False(t, refused(of, key, rate.one.Burst), "later")
			require.False(t, refused(of, Caller{Workspace: "acme"}, 10*rate.workspace.Burst), "the operator")
		})
	}
}

// Sources of one name in two workspaces are two sources, and the operator has no limits.
func TestASourceCountsForItself(t *testing.T) {
	now := time.Date(2026, time.November, 16, 12, 0, 0, 0, time.UTC)
	l := newLimits(1<<30, 2, func() time.Time { return now })
	source, operator := sourceRecord{Name: "sendgrid"}, context.WithValue(t.Context(), operatorMark{}, true)
	take := func(ctx context.Context, workspace string, source sourceRecord) error {
		_, err := l.take(useEvents, sender(ctx, workspace, source), "", rates[useEvents].one.Burst)
		return err
	}
	require.NoError(t, take(t.Context(), "acme", source))
	require.ErrorIs(t, take(t.Context(), "acme", source), event.ErrTooMuch)
	require.NoError(t, take(t.Context(), "globex", source))
	require.NoError(t, take(t.Context(), "acme", sourceRecord{Name: "other"}))
	for range 3 {
		require.NoError(t, take(operator, "acme", source))
	}
}

func TestAnswersSayWhatIsLeft(t *testing.T) {
	now := time.Date(2026, time.November, 16, 12, 0, 0, 0, time.UTC)
	l := newLimits(1<<30, 2, func() time.Time { return now })
	told, err := l.take(useReads, Caller{Workspace: "acme", Credential: "k", User: "u"}, "", 100)
	require.NoError(t, err)
	policy, left := limitHeaders(told)
	require.Equal(t, `"reads-credential";q=600;w=12, "reads-user";q=600;w=12, "reads-workspace";q=4800;w=12`, policy)
	require.Equal(t, `"reads-credential";r=500;t=2`, left)
}

// However many questions of one workspace wait, another's is answered after one of them.
func TestQuestionsWaitForTheirTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Server{limits: newLimits(128<<20, 2, time.Now)} // enough for two at once
		var order []string
		var mu sync.Mutex
		done := func(said string) {
			mu.Lock()
			defer mu.Unlock()
			order = append(order, said)
		}
		read := func(workspace string) {
			go func() {
				release, err := s.inTurn(t.Context(), Caller{Workspace: workspace, Credential: workspace})
				if err != nil {
					done(err.Error())
					return
				}
				time.Sleep(time.Second)
				done(workspace)
				release()
			}()
			synctest.Wait()
		}
		for range 10 {
			read("busy")
		}
		read("quiet")
		time.Sleep(2500 * time.Millisecond)
		synctest.Wait()
		require.Contains(t, order, "quiet", "it waited for one round, not for five: %v", order)
		for range 60 {
			read("busy")
		}
		time.Sleep(20 * time.Second)
		synctest.Wait()
		require.Contains(t, order, "the server is busy with other questions; try again soon")
		require.Len(t, order, 71)
	})
}

// Who invents whom they speak for at each try has a limit all the same.
func TestInventedClientsAreBoundedTogether(t *testing.T) {
	now := time.Date(2026, time.November, 16, 12, 0, 0, 0, time.UTC)
	s := &Server{limits: newLimits(1<<30, 2, func() time.Time { return now })}
	try := func(remote string, i int) error {
		r := httptest.NewRequest("POST", "/v1/session", nil)
		r.RemoteAddr = remote + ":1234"
		r.Header.Set("X-Forwarded-For", fmt.Sprintf("198.51.%d.%d", i/250, i%250))
		_, err := s.signInFrom(r)
		return err
	}
	for i := range forwardedRate.Burst {
		require.NoError(t, try("192.0.2.1", i))
	}
	require.ErrorIs(t, try("192.0.2.1", 1), event.ErrTooMuch)
	require.NoError(t, try("192.0.2.2", 1))
	now = now.Add(time.Second)
	require.NoError(t, try("192.0.2.1", 1))
}
