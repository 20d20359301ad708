package rollover_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/rollover"
)

// droppable are weeks with events, which remember what was dropped.
type droppable struct {
	quiet
	weeks map[event.Week]bool
}

func (d *droppable) WeekInfos(context.Context) ([]event.WeekInfo, error) {
	var infos []event.WeekInfo
	for week := range d.weeks {
		infos = append(infos, event.WeekInfo{Week: week, Events: 1, Sealed: true})
	}
	return infos, nil
}

func (d *droppable) Drop(_ context.Context, week event.Week) error {
	delete(d.weeks, week)
	return nil
}

func TestManyWeeksAreDroppedByAPersonAlone(t *testing.T) {
	week := event.WeekOf(noon.Unix())
	for name, c := range map[string]struct {
		oldest, newest event.Week // of the weeks that there are
		last           *rollover.Report
		ahead          time.Duration
		waits          bool
	}{
		"one week, as each monday":        {week - 5, week, &rollover.Report{At: noon.Add(-day)}, 0, false},
		"nothing is past its time":        {week - 4, week, &rollover.Report{At: noon.Add(-400 * day)}, 0, false},
		"two weeks":                       {week - 6, week, &rollover.Report{At: noon.Add(-day)}, 0, true},
		"a clock 400 days ahead":          {week - 4, week, &rollover.Report{At: noon}, 400 * day, true},
		"one week, a clock that jumped":   {week - 5, week, &rollover.Report{At: noon.Add(-9 * day)}, 0, true},
		"all there is, and no run before": {week - 5, week - 5, nil, 0, true},
		"those that failed last night":    {week - 6, week, &rollover.Report{At: noon.Add(-day), Actions: []rollover.Action{drop(week - 6), drop(week - 5)}}, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			d := &droppable{weeks: make(map[event.Week]bool)}
			for w := c.oldest; w <= c.newest; w++ {
				d.weeks[w] = true
			}
			there := len(d.weeks)
			n := &notes{wanted: map[event.Week]bool{}, last: c.last}
			r := rollover.New(rollover.Config{
				Policy: rollover.Policy{Retention: 28 * day}, Weeks: d, Blocks: d, States: d, Catalogue: d, Notes: n,
				Leases: nobodyElse{}, Logger: slog.New(slog.DiscardHandler), Clock: func() time.Time { return noon.Add(c.ahead) },
			})
			report, err := r.Run(context.Background())
			if !c.waits {
				require.NoError(t, err)
				require.NoError(t, r.Waiting())
				return
			}
			require.Error(t, err)
			require.Equal(t, 1, report.Failed())
			require.Len(t, d.weeks, there, "nothing was dropped")
			require.ErrorContains(t, r.Waiting(), "rollover --now --yes")
			_, err = r.Run(context.Background())
			require.Error(t, err, "it waits for as long as it takes")
			require.Len(t, d.weeks, there)
			_, err = r.RunConfirmed(context.Background())
			require.NoError(t, err)
			require.NoError(t, r.Waiting())
			require.Less(t, len(d.weeks), there)
		})
	}
}

func drop(week event.Week) rollover.Action {
	return rollover.Action{Step: rollover.StepDrop, Week: &week}
}
