package bench

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A measurement fails where what it must show is not shown, and names that.
func TestAttackNamesWhatItDoesNotShow(t *testing.T) {
	timing := func(took ...time.Duration) *Timing {
		timing := NewTiming()
		for _, one := range took {
			timing.Record(one)
		}
		return timing
	}
	report := func() *attackReport {
		return &attackReport{
			memory: 100 << 20, took: attackLeast, acknowledged: 10,
			quiet: &attackPhase{page: timing(10 * time.Millisecond), health: NewTiming()},
			phases: []*attackPhase{{
				most: 120 << 20, page: timing(29 * time.Millisecond), health: timing(99 * time.Millisecond),
				answers: attackAnswers{"bombs": {"400": 1, brokenOff: 1}},
			}},
		}
	}
	require.Empty(t, report().notShown())
	for name, test := range map[string]struct {
		spoil func(r *attackReport)
		not   string
	}{
		"lost":              {func(r *attackReport) { r.lost = 1 }, "1 of 10 acknowledged events were lost"},
		"nothing sent":      {func(r *attackReport) { r.acknowledged = 0 }, "no event was acknowledged"},
		"memory":            {func(r *attackReport) { r.phases[0].most = 121 << 20 }, "resident memory was"},
		"memory unknown":    {func(r *attackReport) { r.phases[0].most = 0 }, "resident memory was not measured"},
		"health fails":      {func(r *attackReport) { r.phases[0].failedHealth = 1 }, "/healthz was asked 1 times and failed 1 times"},
		"health not asked":  {func(r *attackReport) { r.phases[0].health = NewTiming() }, "/healthz was asked 0 times"},
		"health slow":       {func(r *attackReport) { r.phases[0].health = timing(time.Millisecond, 101*time.Millisecond) }, "/healthz took up to"},
		"quiet fails":       {func(r *attackReport) { r.quiet.failedPages = 1 }, "while it was quiet and failed 1 times"},
		"page fails":        {func(r *attackReport) { r.phases[0].failedPages = 1 }, "the page was asked 1 times and failed 1 times"},
		"page not asked":    {func(r *attackReport) { r.phases[0].page = NewTiming() }, "the page was asked 0 times"},
		"page slow":         {func(r *attackReport) { r.phases[0].page = timing(31 * time.Millisecond) }, "the page's p99 was"},
		"nobody attacked":   {func(r *attackReport) { clear(r.phases[0].answers) }, "nothing attacked"},
		"nothing came of a": {func(r *attackReport) { delete(r.phases[0].answers["bombs"], "400") }, "no answer to bombs"},
	} {
		t.Run(name, func(t *testing.T) {
			r := report()
			test.spoil(r)
			not := r.notShown()
			require.Len(t, not, 1)
			require.Contains(t, not[0], test.not)
			require.ErrorContains(t, notShown(not), test.not)
		})
	}
	short := report()
	short.took, short.phases[0].most = time.Second, 1<<30
	require.Empty(t, short.notShown())
	require.Contains(t, short.String(), "Times and memory are not judged")
}

func TestSoakNamesWhatItDoesNotShow(t *testing.T) {
	soak := Soak{For: 20 * time.Minute, Rate: 300, Sockets: 12, Slow: 2}
	const wanted = 300 * 20 * 60
	load := func() []soakSample {
		samples := make([]soakSample, soakSamples)
		for i := range samples {
			done := float64(i + 1)
			samples[i] = soakSample{memory: 300 << 20, descriptors: 200, goroutines: 400, wals: 50 << 20, sends: 200 * done, frames: 2000 * done}
		}
		return samples
	}
	table, not := soak.judge(load(), wanted)
	require.Empty(t, not)
	require.Contains(t, table, "| goroutines | 400 | 400 | 400 | flat |")
	last := func(change func(s *soakSample)) []soakSample {
		samples := load()
		for i := 2 * len(samples) / 3; i < len(samples); i++ {
			change(&samples[i])
		}
		return samples
	}
	for name, test := range map[string]struct {
		samples []soakSample
		posted  int64
		not     string
	}{
		"rate":         {load(), wanted * 9 / 10, "324000 of 360000 events were accepted"},
		"frames":       {last(func(s *soakSample) { s.frames = 2000 * 40 }), wanted, "heard 0 sends of 40000"},
		"sends":        {last(func(s *soakSample) { s.sends = 200 * 40 }), wanted, "sends of 0"},
		"growth":       {last(func(s *soakSample) { s.descriptors = 250 }), wanted, "descriptors: grows"},
		"not measured": {last(func(s *soakSample) { s.memory = 0 }), wanted, "resident memory, MB: not measured"},
		"too short":    {load()[:2], wanted, "looked at 2 times"},
	} {
		t.Run(name, func(t *testing.T) {
			_, not := soak.judge(test.samples, test.posted)
			require.Len(t, not, 1)
			require.Contains(t, not[0], test.not)
		})
	}
}

// What was due while one took long is asked all the same, and waiting counts.
func TestTimedMakesUpForWhatWasDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 1950*time.Millisecond)
		defer cancel()
		timing, failed, asked := NewTiming(), 0, 0
		timed(ctx, func(context.Context) error {
			if asked++; asked == 1 {
				time.Sleep(time.Second)
				return errors.New("late")
			}
			return nil
		}, timing, &failed)
		require.Equal(t, []int{20, 1}, []int{asked, failed})
		require.EqualValues(t, 20, timing.Count())
		require.InDelta(t, time.Second, timing.Max(), float64(10*time.Millisecond))
		require.InDelta(t, 500*time.Millisecond, timing.Percentile(75), float64(10*time.Millisecond))
	})
}

func TestLiveNamesWhatItDoesNotShow(t *testing.T) {
	late := NewTiming()
	late.Record(liveMust + 10*time.Millisecond)
	soon := NewTiming()
	soon.Record(liveMust - 10*time.Millisecond)
	long, short := Live{For: liveLeast}, Live{For: time.Second}
	require.Empty(t, long.judge("it", true, soon, 1))
	require.Empty(t, long.judge("nothing", false, soon, 0))
	require.Empty(t, short.judge("it", true, late, 1))
	require.Equal(t, []string{"beside it 99 of 100 live events took up to 310ms, and may take 300ms"}, long.judge("it", true, late, 1))
	require.Equal(t, []string{"it was not imported"}, short.judge("it", true, soon, 0))
	require.Equal(t, []string{"beside it no live event was heard"}, short.judge("it", true, NewTiming(), 1))
}
