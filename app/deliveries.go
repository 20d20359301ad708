package app

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"time"

	"tidings/account"
	"tidings/api"
	"tidings/deliver"
	"tidings/deliver/forward"
	"tidings/deliver/webpush"
	"tidings/event"
	"tidings/feed"
	"tidings/live"
	"tidings/store/mongo"
	"tidings/store/sqlite"
)

const (
	// outboxName is the file of deliveries in a data directory.
	outboxName    = "deliveries.db"
	forwardsLease = "endpoints"
	forwardsTTL   = 15 * time.Second
)

// openOutbox opens where deliveries are kept: beside the state.
func (a *App) openOutbox(ctx context.Context, s Settings) error {
	if state, ok := a.State.(*mongo.State); ok {
		outbox, err := state.Outbox(ctx)
		if err == nil {
			a.outbox = outbox
		}
		return err
	}
	outbox, err := sqlite.OpenOutbox(filepath.Join(s.Data, outboxName))
	if err == nil {
		a.outbox, a.outboxFile = outbox, outbox
	}
	return err
}

// assembleDeliveries puts together what leaves the house.
func (a *App) assembleDeliveries(s Settings, directory *account.Directory, reader *feed.Reader, server *deliver.SMTP) (*api.Endpoints, error) {
	unsubscribe := api.UnsubscribeLinks(api.Config{Records: a.State, PublicURL: s.PublicURL, Clock: time.Now, Rand: rand.Reader})
	a.endpoints = deliver.NewDirectory(a.State, a.secrets, server)
	a.endpoints.Addresses = func(ctx context.Context, workspace, user string) (string, error) {
		member, err := directory.User(ctx, workspace, user)
		if err != nil || len(member.Emails) == 0 || member.State == account.StateSuspended {
			return "", errors.Join(err, event.ErrNotFound)
		}
		return member.Emails[0], nil
	}
	a.endpoints.Devices.Subject = webpush.Subject(s.PublicURL, s.MailFrom)
	if a.notifier != nil {
		a.endpoints.Devices.Changed = a.notifier.Books.SetDevices
	}
	var source deliver.Source = &forward.EventSource{Events: a.Index, Names: directory, Searches: reader, Directory: a.endpoints, Page: s.PublicURL}
	if a.notifier != nil {
		notes := &forward.Notes{
			Decisions: a.decisions, Books: a.notifier.Books, People: directory, Events: a.Index, Names: directory, Outbox: a.outbox, Others: source, Devices: a.endpoints.Devices,
			Page: s.PublicURL, Wake: func() { a.deliveries.Wake() }, Clock: time.Now, Settle: s.Settle, Unsubscribe: unsubscribe,
		}
		a.notifier.Outbox, source = notes, notes
	}
	sender := deliver.NewSender(a.outbound, time.Now)
	a.deliveries = deliver.NewWorker(deliver.Config{
		Outbox: a.outbox, Endpoints: a.endpoints, Source: source, Sender: sender, Clock: time.Now, Observer: a.metrics, Logger: a.log,
	})
	a.forwarder = &forward.Forwarder{
		Log: a.Stream, Checkpoints: forwarded{a.State}, Directory: a.endpoints, Searches: reader, Outbox: a.outbox, Wake: a.deliveries.Wake, Clock: time.Now, Settle: s.Settle, Logger: a.log,
	}
	return &api.Endpoints{Directory: a.endpoints, Outbox: a.outbox, Sender: sender, Source: source, Wake: a.deliveries.Wake}, nil
}

// forwarded keeps how far forwarding has come.
type forwarded struct{ records account.Records }

// The record that says it.
const (
	kindForwarded = "forwarded"
	theForwarded  = "live"
)

// Forwarded is what was noted last; see forward.Checkpoints.
func (f forwarded) Forwarded(ctx context.Context) (live.Checkpoint, error) {
	var checkpoint live.Checkpoint
	raw, err := f.records.Get(ctx, noWorkspace, kindForwarded, theForwarded)
	if errors.Is(err, event.ErrNotFound) {
		return checkpoint, nil
	}
	if err == nil {
		err = json.Unmarshal(raw, &checkpoint)
	}
	if err != nil {
		return checkpoint, fmt.Errorf("read how far events were forwarded: %w", err)
	}
	return checkpoint, nil
}

// NoteForwarded notes how far it has come.
func (f forwarded) NoteForwarded(ctx context.Context, checkpoint live.Checkpoint) error {
	raw, err := json.Marshal(checkpoint)
	if err == nil {
		err = f.records.Put(ctx, noWorkspace, kindForwarded, theForwarded, raw)
	}
	if err != nil {
		return fmt.Errorf("note how far events were forwarded: %w", err)
	}
	return nil
}

// forwardedTo is the place before which no endpoint needs an announcement any more.
func (a *App) forwardedTo(ctx context.Context) (live.Checkpoint, error) {
	workspaces, err := a.endpoints.Workspaces(ctx)
	if err != nil {
		return live.Checkpoint{}, err
	}
	if len(workspaces) > 0 {
		return forwarded{a.State}.Forwarded(ctx)
	}
	bounds, err := a.Stream.Bounds(ctx)
	return live.Checkpoint{Incarnation: bounds.Incarnation, Next: math.MaxUint64}, err
}

// keepForwarding has one process make deliveries of what is announced.
func (a *App) keepForwarding(ctx context.Context) error {
	return a.Stream.RunUnderLease(ctx, forwardsLease, forwardsTTL, a.forwarder.Run)
}
