package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"tidings/event"
	"tidings/notify"
	"tidings/store/sqlite"
)

// keptAtOnce is how many decisions are written at a time.
const keptAtOnce = 5000

// keep writes decisions of the last four weeks into the log of a directory that is not served
// yet, of those who are asked about.
func (c *Notify) keep(ctx context.Context, env Env, data string) (err error) {
	env.Found.Add(figureKept, "", float64(c.Kept))
	if c.Kept == 0 {
		return nil
	}
	fmt.Fprintf(env.Err, "%d decisions are written into the log …\n", c.Kept)
	if err := os.MkdirAll(data, 0o700); err != nil {
		return err
	}
	store, err := sqlite.OpenNotify(filepath.Join(data, "notify.db"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	from := time.Now().Add(-28 * 24 * time.Hour)
	batch := make([]notify.Decision, 0, keptAtOnce)
	for n := range c.Kept {
		user, message := fmt.Sprintf("u_%d", n%c.Users), fmt.Sprintf("kept-%d", n)
		at := from.Add(time.Duration(n) * 26 * 24 * time.Hour / time.Duration(c.Kept))
		id := event.NewID(at.Unix(), notifyWorkspace, "bench", true, []byte(message))
		batch = append(batch, notify.Decision{
			ID: notify.IDOf(notifyWorkspace, id.String(), "", user), Workspace: notifyWorkspace, User: user, Event: id, Message: message, Kind: "reply",
			Reasons: []notify.Reason{notify.ReasonYours}, Outcome: notify.Notified, Channels: []notify.Channel{notify.InPage}, At: at.UnixMilli(), Read: true, Version: 1,
		})
		if len(batch) == cap(batch) || n == c.Kept-1 {
			if err := store.Add(ctx, batch); err != nil {
				return err
			}
			batch = batch[:0]
		}
	}
	return nil
}
