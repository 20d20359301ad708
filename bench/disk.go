package bench

import (
	"context"
	"errors"
	"io/fs"
	"time"
)

// watchDisk looks every second at what a directory holds until ctx ends. What
// it returns waits for that and gives the most that was seen.
func watchDisk(ctx context.Context, dir string) func() (int64, error) {
	type seen struct {
		most int64
		err  error
	}
	done := make(chan seen, 1)
	go func() {
		ticker := time.NewTicker(time.Second)
		defer ticker.Stop()
		most := int64(0)
		for {
			size, err := directorySize(dir, ".")
			// Files come and go while they are counted.
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				done <- seen{most, err}
				return
			}
			most = max(most, size)
			select {
			case <-ctx.Done():
				done <- seen{most, nil}
				return
			case <-ticker.C:
			}
		}
	}()
	return func() (int64, error) {
		s := <-done
		return s.most, s.err
	}
}
