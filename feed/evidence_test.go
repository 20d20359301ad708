package feed_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

func TestEvidenceIsOfEverybodyNewestFirst(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	machine := did(event.Open, "m-1", now.Add(-time.Hour), jo)
	machine.Verdict = event.Verdict{Is: event.Machine}
	var clicks []event.Event
	var want []event.ID
	for i := range 1200 {
		e := did(event.Click, "m-1", now.Add(-time.Duration(i)*time.Minute-2*time.Hour), jo)
		clicks, want = append(clicks, e), append(want, e.ID)
	}
	_, err := f.store.Create(t.Context(), clicks)
	require.NoError(t, err)
	old := did(event.Click, "m-1", now.Add(-60*24*time.Hour), jo)
	other := did(event.Click, "m-1", now.Add(-time.Hour), jo)
	other.Workspace = "x"
	f.put(machine, old, other, did(event.Reply, "m-1", now.Add(-time.Hour), jo), send("m-1", now.Add(-30*24*time.Hour), jo))
	want = append([]event.ID{machine.ID}, want...)

	since := now.Add(-31 * 24 * time.Hour)
	var got []event.ID
	most := 0
	reached, err := f.Evidence(t.Context(), "w", since, func(events []event.Event) {
		most = max(most, len(events))
		for _, e := range events {
			got = append(got, e.ID)
		}
	})
	require.NoError(t, err)
	require.Equal(t, since, reached)
	require.Equal(t, want, got[:len(got)-1])
	require.Len(t, got, 1202, "and the send")
	require.LessOrEqual(t, most, 500)

	// It ends when its time does, and says how far it has come.
	f.store.took, got = 1500*time.Millisecond, nil
	reached, err = f.Evidence(t.Context(), "w", since, func(events []event.Event) {
		for _, e := range events {
			got = append(got, e.ID)
		}
	})
	require.NoError(t, err)
	require.Equal(t, want[:len(got)], got)
	require.Less(t, len(got), len(want))
	require.Equal(t, got[len(got)-1].Seconds(), reached.Unix())
}
