package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"tidings/app"
	"tidings/event"
)

// filling is what a directory was filled with, and that it was to the end.
type filling struct {
	Events int `json:"events"`
	// JSON is how many bytes the events have as their senders give them.
	JSON int64 `json:"json_bytes"`
}

func fillingPath(dir string) string { return filepath.Join(dir, "bench-filled.json") }

func (f filling) write(dir string) error {
	text, err := json.Marshal(f)
	if err != nil {
		return err
	}
	return os.WriteFile(fillingPath(dir), text, 0o600)
}

// readFilling fails for a directory that was not filled to the end.
func readFilling(dir string) (f filling, err error) {
	text, err := os.ReadFile(fillingPath(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return f, fmt.Errorf("%s was not filled by a measurement: run tidings bench ingest first", dir)
	}
	if err == nil {
		err = json.Unmarshal(text, &f)
	}
	return f, err
}

// progressEvery is after how many events of a filling its progress is told.
const progressEvery = 500_000

// fillStores writes events straight into the stores, and seals all weeks but the two
// newest, as the nightly run would have. It returns the size of their JSON. A batch is
// made while the one before is written, and as many weeks are sealed at once as there
// are processors.
func fillStores(ctx context.Context, env Env, a *app.App, load Load, events int) (size int64, err error) {
	began := time.Now()
	filling, fillingCtx := errgroup.WithContext(ctx)
	batches := make(chan []event.Event, 1)
	filling.Go(func() error {
		defer close(batches)
		var err error
		size, err = batchesOf(fillingCtx, load, events, batches)
		return err
	})
	filling.Go(func() error {
		written := 0
		for batch := range batches {
			if err := writeBoth(fillingCtx, a, batch); err != nil {
				return err
			}
			if written += len(batch); written%progressEvery == 0 {
				fmt.Fprintf(env.Err, "%d of %d events written after %v\n", written, events, time.Since(began).Round(time.Second))
			}
		}
		return nil
	})
	if err := filling.Wait(); err != nil {
		return 0, err
	}
	fmt.Fprintf(env.Err, "written after %v, sealing …\n", time.Since(began).Round(time.Second))
	newest := event.WeekOf(load.Until.Unix() - 1)
	sealing, sealingCtx := errgroup.WithContext(ctx)
	sealing.SetLimit(runtime.GOMAXPROCS(0))
	for week := newest - event.Week(load.Weeks); week < newest-1; week++ {
		sealing.Go(func() error { return a.Index.Seal(sealingCtx, week) })
	}
	if err := sealing.Wait(); err != nil {
		return 0, err
	}
	fmt.Fprintf(env.Err, "sealed after %v\n", time.Since(began).Round(time.Second))
	return size, nil
}

// batchesOf gives a load's events, a thousand at a time, and returns the size of their JSON.
func batchesOf(ctx context.Context, load Load, events int, batches chan<- []event.Event) (size int64, err error) {
	give := func(batch []event.Event) error {
		select {
		case batches <- batch:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	var batch []event.Event
	for given := range load.Inputs(events) {
		line, err := json.Marshal(given.Input)
		if err != nil {
			return 0, err
		}
		size += int64(len(line)) + 1
		e, err := given.Input.Event(given.Workspace, "bench", event.Limits{Now: load.Until})
		if err != nil {
			return 0, err
		}
		e.Verdict.Is = event.Human
		if e.Client != nil && e.Client.Automated != nil && *e.Client.Automated {
			e.Verdict.Is = event.Machine
		}
		if batch = append(batch, e); len(batch) < 1000 {
			continue
		}
		if err := give(batch); err != nil {
			return 0, err
		}
		batch = nil
	}
	return size, give(batch)
}
