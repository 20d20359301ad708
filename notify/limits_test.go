package notify_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/event"
	"tidings/notify"
)

// everyOpen has people told of every open of their team's, in the page.
func (o *office) everyOpen(users ...string) {
	o.t.Helper()
	for _, user := range users {
		_, err := o.books.ChangeSettings(context.Background(), "w", user, func(s *notify.Settings) error {
			s.Cells = notify.Cells{notify.Team: {"open": everyInPage}, notify.Mine: {"open": everyInPage, "reply": everyInPage}}
			return nil
		})
		require.NoError(o.t, err)
	}
}

// outcomes are how many decisions of a kind there are of somebody, by outcome and check.
func (o *office) outcomes(user string, kind notify.Kind) map[string]int {
	o.t.Helper()
	all := make(map[string]int)
	for after, more := "", true; more; {
		page, next, err := o.store.Page(context.Background(), "w", notify.Filter{User: user, Kind: kind}, after, 100)
		require.NoError(o.t, err)
		for _, d := range page {
			all[strings.TrimSpace(string(d.Outcome)+" "+string(d.Check))]++
		}
		after, more = next, next != ""
	}
	return all
}

// A storm of opens is told up to the limit, the rest is in the log, and it is said once in
// the hour. A reply comes through. The next hour begins anew.
func TestAPersonIsToldSoMuchInAnHour(t *testing.T) {
	o := newOffice(t)
	o.engine.Limits.Person = 5
	o.everyOpen("u_ana")
	for i := range 8 {
		e := o.open(i, event.Human)
		for range 2 {
			o.handle(event.AnnounceEvent, e)
		}
	}
	require.Equal(t, map[string]int{"notified": 5, "not cap": 3}, o.outcomes("u_ana", "open"))
	require.Equal(t, map[string]int{"notified": 1}, o.outcomes("u_ana", notify.KindLimit))
	require.Equal(t, 3, o.beyond[notify.BeyondPerson])
	reply := o.open(9, event.Human)
	reply.Type = event.Reply
	o.handle(event.AnnounceEvent, reply)
	require.Equal(t, map[string]int{"notified": 1}, o.outcomes("u_ana", "reply"))

	o.pass(time.Hour)
	later := o.open(0, event.Human)
	later.ID = event.NewID(later.Time, "w", "test", true, []byte("later"))
	o.handle(event.AnnounceEvent, later)
	require.Equal(t, notify.Notified, o.log("u_ana", later).Outcome)
}

// What was beyond the limit has not taken "the first" from the next.
func TestWhatIsBeyondALimitIsNotTheFirst(t *testing.T) {
	o := newOffice(t)
	o.engine.Limits.Person = 1
	for i, message := range []string{"m_1", "m_2"} {
		e := o.open(i+1, event.Human)
		e.Message = message
		o.handle(event.AnnounceEvent, e)
		if i == 1 {
			require.Equal(t, notify.CheckCap, o.log("u_ana", e).Check)
			require.Contains(t, o.log("u_ana", e).Found, "in the log alone")
		}
	}
	o.pass(time.Hour)
	again := o.open(0, event.Human)
	again.ID, again.Message = event.NewID(again.Time, "w", "test", true, []byte("again")), "m_2"
	o.handle(event.AnnounceEvent, again)
	require.Equal(t, notify.Notified, o.log("u_ana", again).Outcome)
}

func TestAWorkspaceIsToldSoMuchInAnHour(t *testing.T) {
	o := newOffice(t)
	o.engine.Limits.Workspace = 5
	o.everyOpen("u_ana", "u_jo")
	for i := range 4 {
		o.handle(event.AnnounceEvent, o.open(i, event.Human))
	}
	ana, jo := o.outcomes("u_ana", "open"), o.outcomes("u_jo", "open")
	require.Equal(t, 5, ana["notified"]+jo["notified"])
	require.Equal(t, 3, ana["not cap"]+jo["not cap"])
	require.Equal(t, 3, o.beyond[notify.BeyondWorkspace])
	for _, user := range []string{"u_ana", "u_jo"} {
		require.Equal(t, 1, o.outcomes(user, notify.KindLimit)["notified"], user)
	}
}

// Decisions not to tell are kept up to a limit a day; what is told is kept beyond it.
func TestSoManyDecisionsNotToTellAreKeptInADay(t *testing.T) {
	o := newOffice(t)
	o.engine.Limits.NotTold = 3
	first := o.open(30, event.Human)
	o.handle(event.AnnounceEvent, first)
	for i := range 6 {
		o.handle(event.AnnounceEvent, o.open(i, event.Human))
	}
	require.Equal(t, map[string]int{"notified": 1, "not first": 3}, o.outcomes("u_ana", "open"))
	require.Equal(t, 3, o.beyond[notify.BeyondNotTold])
	why, err := o.engine.Why(context.Background(), "w", "u_ana", o.events[6].ID)
	require.NoError(t, err)
	require.Nil(t, why.Kept)
	o.pass(24 * time.Hour)
	e := o.open(0, event.Human)
	e.ID = event.NewID(e.Time, "w", "test", true, []byte("tomorrow"))
	o.handle(event.AnnounceEvent, e)
	require.NotEmpty(t, o.log("u_ana", e).ID)
}

// measured is a store that notes how much is read and written at once.
type measured struct {
	notify.Store
	asked, added, claimed int
}

func (m *measured) OfEvents(ctx context.Context, about []notify.About) ([]notify.Decision, error) {
	m.asked = max(m.asked, len(about))
	return m.Store.OfEvents(ctx, about)
}

func (m *measured) Add(ctx context.Context, decisions []notify.Decision) error {
	m.added = max(m.added, len(decisions))
	return m.Store.Add(ctx, decisions)
}

func (m *measured) Claim(ctx context.Context, claims []notify.Claim, at int64) ([]event.ID, error) {
	m.claimed = max(m.claimed, len(claims))
	return m.Store.Claim(ctx, claims, at)
}

// Forty people who are told of all, and two hundred events in one batch: never more at once
// than the limit and one event's people, and all of it is decided.
func TestDecidingIsBoundedAtOnce(t *testing.T) {
	o := newOffice(t)
	store := &measured{Store: o.store}
	o.engine.Store, o.engine.Limits.AtOnce = store, 100
	directory := account.NewDirectory(o.records.(account.Records), func() time.Time { return o.now })
	members := []string{"u_ana"}
	for i := range 39 {
		members = append(members, fmt.Sprint("u_", i))
		_, err := directory.PutUser(t.Context(), "w", members[i+1], account.MemberRequest{Name: members[i+1]})
		require.NoError(t, err)
	}
	_, err := directory.PutTeam(t.Context(), "w", "t", account.TeamRequest{Name: "t", Members: members})
	require.NoError(t, err)
	o.everyOpen(members...)
	o.pass(time.Minute)
	var triggers []event.Trigger
	for i := range 200 {
		triggers = append(triggers, event.Trigger{Kind: event.AnnounceEvent, Event: o.open(i, event.Human)})
	}
	for range 2 {
		require.NoError(t, o.engine.Handle(t.Context(), triggers))
	}
	require.Equal(t, 200*40, o.decisions)
	require.Equal(t, 2, store.asked, "events of which decisions are read")
	require.LessOrEqual(t, store.added, 100)
	require.LessOrEqual(t, store.claimed, 100)

	// Taking one of them back reads its decisions alone, and looks for the next once, not
	// once for each of the forty.
	o.visited = 0
	for _, user := range members {
		_, err := o.books.ChangeSettings(t.Context(), "w", user, func(s *notify.Settings) error {
			first := notify.Cell{Often: notify.FirstPerRecipient, Channels: []notify.Channel{notify.InPage}}
			s.Cells = notify.Cells{notify.Team: {"open": first}, notify.Mine: {"open": first}}
			return nil
		})
		require.NoError(t, err)
	}
	o.pass(time.Minute)
	scanner := o.open(0, event.Human)
	scanner.ID = event.NewID(scanner.Time, "w", "test", true, []byte("scanner"))
	o.handle(event.AnnounceEvent, scanner)
	scanner.Verdict = event.Verdict{Is: event.Machine, Rule: "r"}
	o.handle(event.AnnounceChanged, scanner)
	require.LessOrEqual(t, o.visited, len(o.events)+10)
	require.Equal(t, notify.Withdrawn, o.log("u_3", scanner).Outcome)
}

// A message with very many opens: what is looked at for the next to be told is bounded, and
// ends where it is too old.
func TestLookingForTheNextIsBounded(t *testing.T) {
	o := newOffice(t)
	scanner := o.open(1, event.Human)
	o.handle(event.AnnounceEvent, scanner)
	for i := range 48 {
		e := scanner
		e.Time = o.now.Add(-time.Duration(i+2) * time.Hour).Unix()
		e.ID = event.NewID(e.Time, "w", "test", true, fmt.Appendf(nil, "old-%d", i))
		o.events = append(o.events, e)
	}
	scanner.Verdict = event.Verdict{Is: event.Machine, Rule: "r"}
	o.handle(event.AnnounceChanged, scanner)
	require.Equal(t, 30, o.visited, "three tens reach beyond a day")
	next := o.now.Add(-24 * time.Hour).Unix()
	told := o.bell("u_ana")
	require.Len(t, told, 1)
	require.GreaterOrEqual(t, told[0].Event.Seconds(), next)
}

// What is taken back is not delivered any more, also where every one is told, without a claim.
func TestWhatIsTakenBackIsNotDelivered(t *testing.T) {
	o := newOffice(t)
	outbox := new(outboxSpy)
	o.engine.Outbox = outbox
	_, err := o.books.ChangeSettings(t.Context(), "w", "u_ana", func(s *notify.Settings) error {
		s.Cells = notify.Cells{notify.Mine: {"open": {Often: notify.Every, Channels: []notify.Channel{notify.Mail}}}}
		return nil
	})
	require.NoError(t, err)
	e := o.open(1, event.Human)
	o.handle(event.AnnounceEvent, e)
	require.Len(t, outbox.delivered, 1)
	e.Verdict = event.Verdict{Is: event.Machine, Rule: "r"}
	o.handle(event.AnnounceChanged, e)
	require.Equal(t, outbox.delivered, outbox.cancelled)
}

// What is told after all leaves the house again, also where a crash came between deciding
// and telling: it is handed on under the same decision each time that the correction comes.
func TestWhatIsToldAfterAllLeavesAgain(t *testing.T) {
	o := newOffice(t)
	outbox := new(outboxSpy)
	o.engine.Outbox = outbox
	_, err := o.books.ChangeSettings(t.Context(), "w", "u_ana", func(s *notify.Settings) error {
		s.Cells = notify.Cells{notify.Mine: {"open": {Often: notify.Every, Channels: []notify.Channel{notify.InPage, notify.Mail}}}}
		return nil
	})
	require.NoError(t, err)
	e := o.open(1, event.Human)
	o.handle(event.AnnounceEvent, e)
	e.Verdict = event.Verdict{Is: event.Machine, Rule: "r"}
	o.handle(event.AnnounceChanged, e)
	e.Verdict = event.Verdict{Is: event.Human, Rule: "r"}
	for range 2 {
		o.handle(event.AnnounceChanged, e)
	}
	require.Len(t, outbox.delivered, 3)
	require.Len(t, slices.Compact(outbox.delivered), 1)
	bell := o.bell("u_ana")
	require.Len(t, bell, 1, "unread once more")
	require.Contains(t, bell[0].Reasons, notify.ReasonCorrection)
}

// outboxSpy notes what is handed to it.
type outboxSpy struct{ delivered, cancelled []string }

func (s *outboxSpy) Deliver(_ context.Context, decisions []notify.Decision) error {
	for _, d := range decisions {
		s.delivered = append(s.delivered, d.ID)
	}
	return nil
}

func (s *outboxSpy) Cancel(_ context.Context, d notify.Decision) error {
	s.cancelled = append(s.cancelled, d.ID)
	return nil
}
