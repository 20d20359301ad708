package feed_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/feed"
)

func TestAPersonIsTheirMailsAndWhatTheyDidWithThem(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	sent := now.Add(-9 * 24 * time.Hour)
	f.put(aMail(sent)...)
	f.put(send("m-2", now.Add(-time.Hour), jo), send("m-3", now.Add(-time.Hour), cy))

	got, err := f.Person(context.Background(), feed.Scope{Workspace: "w"}, jo.Email)
	require.NoError(t, err)
	require.Equal(t, "Jo", got.Name)
	require.Equal(t, "acme.example", got.Domain)
	require.Equal(t, sent.UTC(), *got.First)
	require.Equal(t, sent.Add(26*time.Hour).UTC(), *got.LastActed)
	require.Equal(t, int64(3600), *got.TimeToOpen)
	require.Len(t, got.Messages, 2)
	require.Equal(t, "m-2", got.Messages[0].Message)
	require.Len(t, got.Messages[1].Recipients, 1, "the others are none of this")
	require.NotNil(t, got.Messages[1].Recipients[0].Clicked)
	require.Equal(t, 2, got.Users[0].Messages)
	require.Equal(t, []feed.TypeCount{{Type: event.Send, People: 2}, {Type: event.Open, People: 2}, {Type: event.Click, People: 1}}, got.Counts)
	acts := 0
	for _, n := range got.Hours {
		acts += n
	}
	require.Equal(t, 3, acts)
	require.False(t, got.More)
}

func TestWhatMachinesDoIsNobodysAct(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	f.put(aMail(now.Add(-9 * 24 * time.Hour))...)
	got, err := f.Person(context.Background(), feed.Scope{Workspace: "w"}, cy.Email)
	require.NoError(t, err)
	require.Nil(t, got.LastActed)
	require.Equal(t, make([]int, 24), got.Hours)
	require.Nil(t, got.TimeToOpen)
}

func TestDevicesAreOfWhatPeopleDid(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	with := func(agent string, ago time.Duration) event.Event {
		e := did(event.Open, "m-1", now.Add(-ago), jo)
		e.Client = &event.Client{UserAgent: &agent}
		return e
	}
	machine := with("Mozilla/5.0 (Linux; Android 14; Mobile)", time.Minute)
	machine.Verdict.Is = event.Machine
	f.put(with("Mozilla/5.0 (iPhone)", time.Hour), with("Mozilla/5.0 (iPhone)", 2*time.Hour), with("Mozilla/5.0 (Windows NT 10.0)", 3*time.Hour), machine)
	got, err := f.Person(context.Background(), feed.Scope{Workspace: "w"}, jo.Email)
	require.NoError(t, err)
	require.Equal(t, []feed.ContactDevice{
		{Device: "phone", Acts: 2, Last: now.Add(-time.Hour)}, {Device: "computer", Acts: 1, Last: now.Add(-3 * time.Hour)},
	}, got.Devices)
}

func TestACompanyIsItsPeople(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	f.put(aMail(now.Add(-9 * 24 * time.Hour))...)
	got, err := f.Company(context.Background(), feed.Scope{Workspace: "w"}, "acme.example")
	require.NoError(t, err)
	var who []string
	for _, person := range got.People {
		who = append(who, person.Email)
	}
	require.Equal(t, []string{jo.Email, "passed.on@acme.example", bea.Email}, who)
	require.Len(t, got.Messages[0].Recipients, 2, "jo and bea")
}

func TestAContactIsOfWhatTheReaderMaySee(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	hidden := send("m-9", now.Add(-time.Hour), jo)
	hidden.User = "u_ben"
	f.put(hidden)
	only := feed.Scope{Workspace: "w", Users: []string{"u_ana"}}
	_, err := f.Person(context.Background(), only, jo.Email)
	require.ErrorIs(t, err, event.ErrNotFound)
	_, err = f.Company(context.Background(), only, "acme.example")
	require.ErrorIs(t, err, event.ErrNotFound)
	f.put(aMail(now.Add(-48 * time.Hour))...)
	got, err := f.Person(context.Background(), only, jo.Email)
	require.NoError(t, err)
	require.Len(t, got.Messages, 1)
	_, err = f.Person(context.Background(), feed.Scope{Workspace: "other"}, jo.Email)
	require.ErrorIs(t, err, event.ErrNotFound)
}
