package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tidings/app"
	"tidings/bench/figures"
)

// Size seals all weeks of a directory that Ingest or Pages filled and looks how large
// they are then.
type Size struct {
	Data string
}

// sizeReport is what bench size found, in bytes.
type sizeReport struct {
	filling
	weeks, state int64
	sealing      time.Duration
}

func (r sizeReport) figures(found *figures.Found) {
	found.Add(figureSealed, "", float64(r.weeks+r.state)/float64(r.JSON))
	found.Add("of it weeks", "", float64(r.weeks)/float64(r.JSON))
	found.Add("of it state", "", float64(r.state)/float64(r.JSON))
	found.Add("bytes an event", "", float64(r.weeks+r.state)/float64(r.Events))
	found.Add("sealing all weeks", "s", r.sealing.Seconds())
}

func (r sizeReport) String() string {
	return fmt.Sprintf(`| P11, embedded, all weeks sealed | |
| --- | --- |
| events | %d, %.0f bytes of JSON each |
| bytes on disk an event ÷ its JSON, state included | %.2f |
| of it weeks; state | %.2f; %.2f |
| sealing took | %.1f s |
`, r.Events, float64(r.JSON)/float64(r.Events), float64(r.weeks+r.state)/float64(r.JSON),
		float64(r.weeks)/float64(r.JSON), float64(r.state)/float64(r.JSON), r.sealing.Seconds())
}

// Run seals and prints what is left.
func (c *Size) Run(ctx context.Context, env Env) error {
	filled, err := readFilling(c.Data)
	if err != nil {
		return err
	}
	a, err := app.Open(ctx, app.Settings{Data: c.Data}, env.Log)
	if err != nil {
		return err
	}
	report := sizeReport{filling: filled}
	report.sealing, err = sealAll(ctx, a)
	if err := errors.Join(err, a.Close()); err != nil {
		return err
	}
	if report.weeks, err = directorySize(c.Data, "weeks"); err != nil {
		return err
	}
	if report.state, err = directorySize(c.Data, "state.db"); err != nil {
		return err
	}
	report.figures(env.Found)
	_, err = fmt.Fprint(env.Out, report)
	return err
}

func sealAll(ctx context.Context, a *app.App) (time.Duration, error) {
	began := time.Now()
	weeks, err := a.Index.WeekInfos(ctx)
	for _, week := range weeks {
		if err == nil {
			err = a.Index.Seal(ctx, week.Week)
		}
	}
	return time.Since(began), err
}
