package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

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

// fillStores writes events straight into the stores, and seals all weeks but the two
// newest, as the nightly run would have. It returns the size of their JSON.
func fillStores(ctx context.Context, env Env, a *app.App, load Load, events int) (size int64, err error) {
	began := time.Now()
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
		if err := writeBoth(ctx, a, batch); err != nil {
			return 0, err
		}
		batch = batch[:0]
	}
	if err := writeBoth(ctx, a, batch); err != nil {
		return 0, err
	}
	fmt.Fprintf(env.Err, "written after %v, sealing …\n", time.Since(began).Round(time.Second))
	newest := event.WeekOf(load.Until.Unix() - 1)
	for week := newest - event.Week(load.Weeks); week < newest-1; week++ {
		if err := a.Index.Seal(ctx, week); err != nil {
			return 0, err
		}
	}
	fmt.Fprintf(env.Err, "sealed after %v\n", time.Since(began).Round(time.Second))
	return size, nil
}
