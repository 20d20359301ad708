package audit_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"tidings/audit"
	"tidings/event"
	"tidings/store/sqlite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, time.November, 16, 12, 0, 0, 0, time.UTC)

// site is a log over real stores, with a clock of its own.
type site struct {
	t     *testing.T
	dir   string
	log   *audit.Log
	store *failing
	state *sqlite.State

	mu  sync.Mutex
	now time.Time

	kept audit.Day // what is older may be gone
}

// failing is a store that can be away.
type failing struct {
	*sqlite.Audit
	mu sync.Mutex
	// away fails before anything is written, and lost behind it.
	away, lost bool
	// listed is called once, when the workspaces of a day were listed.
	listed func()
}

func (f *failing) Workspaces(ctx context.Context, day audit.Day) ([]string, error) {
	all, err := f.Audit.Workspaces(ctx, day)
	if listed := f.listed; listed != nil {
		f.listed = nil
		listed()
	}
	return all, err
}

func (f *failing) set(away, lost bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.away, f.lost = away, lost
}

func (f *failing) Append(ctx context.Context, day audit.Day, entries []audit.Entry) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.away {
		return 0, event.ErrUnavailable
	}
	n, err := f.Audit.Append(ctx, day, entries)
	if f.lost {
		return 0, event.ErrUnavailable
	}
	return n, err
}

func newSite(t *testing.T) *site {
	s := &site{t: t, dir: t.TempDir(), now: noon}
	store, err := sqlite.OpenAudit(s.dir)
	require.NoError(t, err)
	s.store = &failing{Audit: store}
	s.state, err = sqlite.OpenState(filepath.Join(t.TempDir(), "state.db"), sqlite.StateConfig{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, errors.Join(s.state.Close(), store.Close())) })
	s.log = s.another()
	return s
}

// another is the log of another process on the same stores.
func (s *site) another() *audit.Log {
	log, err := audit.Open(s.t.Context(), audit.Config{Store: s.store, Records: s.state, Clock: s.clock, Rand: rand.Reader})
	require.NoError(s.t, err)
	return log
}

func (s *site) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *site) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

func look(route string) audit.Row {
	return audit.Row{Workspace: "acme", Kind: audit.KindRead, Actor: "user:u_ana", Route: route, About: []string{"user:u_bob"}}
}

func (s *site) rows() []audit.Row {
	page, err := s.log.Read(s.t.Context(), audit.Question{Workspace: "acme", Limit: 1000}, "")
	require.NoError(s.t, err)
	return page.Rows
}

func (s *site) faults(elsewhere map[string]map[audit.Day]audit.Head) []audit.Fault {
	v, err := s.another().Verify(s.t.Context(), elsewhere, s.kept)
	require.NoError(s.t, err)
	return v.Faults
}

func TestRowsAreReadAsTheyWereWritten(t *testing.T) {
	s := newSite(t)
	id, err := s.log.Must(t.Context(), look("GET /a"))
	require.NoError(t, err)
	s.log.Note(look("GET /b"))
	s.pass(24 * time.Hour)
	s.log.Note(look("GET /c"))
	rows := s.rows()
	require.Len(t, rows, 3)
	require.Equal(t, "GET /c", rows[0].Route)
	require.Equal(t, id, rows[2].ID)
	require.Equal(t, rows[2].Hash, rows[1].Prev)
	require.Greater(t, rows[0].ID, rows[1].ID)

	page, err := s.log.Read(t.Context(), audit.Question{Workspace: "acme", Limit: 2}, "")
	require.NoError(t, err)
	page, err = s.log.Read(t.Context(), audit.Question{Workspace: "acme", Limit: 2}, page.Next)
	require.NoError(t, err)
	require.Equal(t, rows[2:], page.Rows)
	_, err = s.log.Read(t.Context(), audit.Question{Workspace: "acme", Limit: 2}, "x")
	require.ErrorIs(t, err, event.ErrInvalid)
	require.NoError(t, s.log.Close(t.Context()))
	require.Empty(t, s.faults(nil))
}

func TestWhatIsDoneToTheLogIsFound(t *testing.T) {
	for _, c := range []struct {
		name, statement string
		problem         string
	}{
		{"edited", `UPDATE log SET doc = CAST(replace(doc, 'GET /3', 'GET /9') AS BLOB) WHERE seq = 3`, "was changed"},
		{"edited, with its hash", `UPDATE log SET hash = (SELECT hash FROM log WHERE seq = 2) WHERE seq = 3`, "was changed"},
		{"hidden from its actor", `UPDATE log SET actor = 'user:u_eve' WHERE seq = 3`, "found by"},
		{"hidden from whom it is about", `DELETE FROM about WHERE seq = 3`, "found by"},
		{"put before the first", `UPDATE log SET route = route; INSERT INTO log SELECT w, -1, id, at, kind, actor, route, doc, hash FROM log WHERE seq = 3`, "before the first"},
		{"taken out", `DELETE FROM log WHERE seq = 3`, "missing"},
		{"taken out and closed up", `DELETE FROM log WHERE seq = 3; UPDATE log SET seq = seq - 1 WHERE seq > 3`, "was changed"},
		{"put in another order", `UPDATE log SET seq = 99 WHERE seq = 3; UPDATE log SET seq = 3 WHERE seq = 4; UPDATE log SET seq = 4 WHERE seq = 99`, "was changed"},
		{"cut off at the end", `DELETE FROM log WHERE seq > 3`, "cut off"},
		{"moved to another workspace", `UPDATE log SET w = 'globex' WHERE seq > 3; UPDATE about SET w = 'globex' WHERE seq > 3`, "cut off"},
		{"emptied", `DELETE FROM log`, "gone"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t)
			for _, route := range []string{"GET /1", "GET /2", "GET /3", "GET /4", "GET /5"} {
				s.log.Note(look(route))
			}
			require.NoError(t, s.log.Close(t.Context()))
			require.Empty(t, s.faults(nil))
			s.tamper(c.statement)
			var problems string
			for _, fault := range s.faults(nil) {
				problems += fault.Problem + "; "
			}
			require.Contains(t, problems, c.problem)
		})
	}
}

// tamper does what somebody does who has the files.
func (s *site) tamper(statement string) {
	db, err := sql.Open("sqlite", filepath.Join(s.dir, "2026-11-16.db"))
	require.NoError(s.t, err)
	defer func() { require.NoError(s.t, db.Close()) }()
	_, err = db.ExecContext(s.t.Context(), statement)
	require.ErrorContains(s.t, err, "append only")
	for _, trigger := range []string{"log_kept", "log_stays", "about_kept", "about_stays"} {
		_, err := db.ExecContext(s.t.Context(), "DROP TRIGGER "+trigger)
		require.NoError(s.t, err)
	}
	_, err = db.ExecContext(s.t.Context(), statement)
	require.NoError(s.t, err)
}

// Who writes both the log and its heads anew is found by heads that are elsewhere.
func TestHeadsKeptElsewhereFindALogThatWasWrittenAnew(t *testing.T) {
	s := newSite(t)
	s.log.Note(look("GET /1"))
	require.NoError(t, s.log.Close(t.Context()))
	kept, err := s.log.KeptHeads(t.Context(), "acme")
	require.NoError(t, err)
	elsewhere := map[string]map[audit.Day]audit.Head{"acme": kept}
	require.Empty(t, s.faults(elsewhere))

	require.NoError(t, s.store.Drop(t.Context(), "2026-11-17"))
	require.NoError(t, s.state.Delete(t.Context(), "acme", "audit-head", "2026-11-16"))
	again := s.another()
	again.Note(look("GET /2"))
	require.NoError(t, again.Close(t.Context()))
	require.Empty(t, s.faults(nil))
	require.Len(t, s.faults(elsewhere), 1)
}

// Rows that come while the log is looked through are no faults, whatever is new.
func TestWhatIsWrittenMeanwhileIsNoFault(t *testing.T) {
	s := newSite(t)
	s.log.Note(look("GET /1"))
	require.NoError(t, s.log.Close(t.Context()))
	s.store.listed = func() {
		s.pass(24 * time.Hour)
		other := look("GET /2")
		other.Workspace = "globex"
		s.log.Note(look("GET /2"))
		s.log.Note(other)
		require.NoError(t, s.log.Save(t.Context()))
	}
	require.Empty(t, s.faults(nil))
}

func TestAnOldDayThatWasDroppedIsNotMissedByOldHeads(t *testing.T) {
	s := newSite(t)
	s.log.Note(look("GET /1"))
	require.NoError(t, s.log.Close(t.Context()))
	kept, err := s.log.KeptHeads(t.Context(), "acme")
	require.NoError(t, err)
	elsewhere := map[string]map[audit.Day]audit.Head{"acme": kept}
	s.pass(48 * time.Hour)
	require.NoError(t, s.log.Retain(t.Context(), "2026-11-17"))
	require.Len(t, s.faults(elsewhere), 1)
	s.kept = "2026-11-17"
	require.Empty(t, s.faults(elsewhere))
}

func TestAChangeThatCannotBeWrittenIsRefused(t *testing.T) {
	s := newSite(t)
	s.store.set(true, false)
	_, err := s.log.Must(t.Context(), look("PUT /a"))
	require.ErrorIs(t, err, event.ErrUnavailable)
	s.store.set(false, false)
	require.Empty(t, s.rows(), "what did not happen is not written later")
}

func TestReadsAreRefusedOnceTheLogIsAMinuteBehind(t *testing.T) {
	s := newSite(t)
	s.store.set(true, false)
	s.log.Note(look("GET /a"))
	s.pass(time.Minute)
	require.Error(t, s.log.Flush(t.Context()))
	require.NoError(t, s.log.Accepting())
	s.pass(time.Second)
	require.ErrorIs(t, s.log.Accepting(), event.ErrUnavailable)
	s.store.set(false, false)
	require.NoError(t, s.log.Flush(t.Context()))
	require.NoError(t, s.log.Accepting())
	require.Len(t, s.rows(), 1)
}

// A write may have been made although it failed: the row is not written twice.
func TestAWriteOfWhichNothingWasToldIsNotRepeated(t *testing.T) {
	s := newSite(t)
	s.log.Note(look("GET /0"))
	require.NoError(t, s.log.Flush(t.Context()))
	s.store.set(false, true)
	s.log.Note(look("GET /1"))
	require.Error(t, s.log.Flush(t.Context()))
	s.store.set(false, false)
	s.log.Note(look("GET /2"))
	require.Len(t, s.rows(), 3)
	require.NoError(t, s.log.Close(t.Context()))
	require.Empty(t, s.faults(nil))
}

func TestSeveralProcessesWriteOneChain(t *testing.T) {
	s := newSite(t)
	logs := []*audit.Log{s.log, s.another(), s.another()}
	var writing sync.WaitGroup
	for _, log := range logs {
		writing.Go(func() {
			for range 20 {
				if _, err := log.Must(t.Context(), look("PUT /a")); err != nil {
					t.Errorf("write: %v", err)
				}
			}
		})
	}
	writing.Wait()
	require.Equal(t, 60, len(s.rows()))
	for _, log := range logs {
		require.NoError(t, log.Close(t.Context()))
	}
	require.Empty(t, s.faults(nil))
}

func TestLooksAtOnesOwnAreCounted(t *testing.T) {
	s := newSite(t)
	for range 10 {
		s.log.Sum(look("GET /v1/feed"), "own")
	}
	s.log.Sum(look("GET /v1/feed"), "team")
	require.Len(t, s.rows(), 2, "the first of each is a row at once")
	s.pass(15 * time.Minute)
	s.log.Sum(look("GET /v1/feed"), "own")
	rows := s.rows()
	require.Len(t, rows, 4)
	counts := 0
	for _, row := range rows {
		counts += row.Count
	}
	require.Equal(t, 12, counts)
	require.NoError(t, s.log.Close(t.Context()))
	require.Len(t, s.rows(), 4)
}

func TestOldDaysAreDroppedAndThatIsARow(t *testing.T) {
	s := newSite(t)
	s.log.Note(look("GET /1"))
	require.NoError(t, s.log.Close(t.Context()))
	s.pass(48 * time.Hour)
	require.NoError(t, s.log.Retain(t.Context(), "2026-11-17"))
	rows := s.rows()
	require.Len(t, rows, 1)
	require.Equal(t, audit.KindLog, rows[0].Kind)
	require.Equal(t, "2026-11-16 to 2026-11-16", rows[0].Object)
	require.NoError(t, s.log.Close(t.Context()))
	require.Empty(t, s.faults(nil))
}

func TestPersonsAreKeys(t *testing.T) {
	s := newSite(t)
	names := s.log.Names()
	key := names.Person("Jo@Acme.Example")
	require.Equal(t, key, names.Person("jo@acme.example"))
	require.NotContains(t, key, "jo")
	require.Equal(t, "to:"+key+" opened", names.Text("to:jo@acme.example opened"))
	require.Equal(t, key, s.another().Names().Person("jo@acme.example"), "in every process")
}
