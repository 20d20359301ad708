package bench

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"time"

	"tidings/faulty"
)

// lacksMongo says that there is no MongoDB to take away.
func lacksMongo(*Faults) string {
	if faulty.FindSecantus() == "" {
		return "no SecantusDB, which speaks MongoDB's protocol: make prepare"
	}
	return ""
}

// mongoAway cuts the line to a MongoDB, kills it, and brings it back.
func mongoAway(ctx context.Context, r *faultRun) (err error) {
	server, err := faulty.StartSecantus(ctx, faulty.FindSecantus(), filepath.Join(r.dir, "mongo"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	line, err := faulty.NewLine(server.Address)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, line.Close()) }()
	r.stores = []string{"--state", "mongodb://" + line.Address() + "/faults?directConnection=true"}
	return r.away(ctx, true, func() error {
		line.Cut()
		return server.Kill()
	}, func() error {
		err := server.Start(ctx)
		line.Restore()
		return err
	})
}

// natsAway ends a NATS server and starts it again.
func natsAway(ctx context.Context, r *faultRun) error {
	server, err := faulty.StartNATS(filepath.Join(r.dir, "nats"))
	if err != nil {
		return err
	}
	defer server.Stop()
	r.stores = []string{"--stream", server.URL()}
	err = r.away(ctx, false, func() error { server.Stop(); return nil }, server.Start)
	return errors.Join(err, r.end()) // before its NATS
}

// away takes something away that the server needs, for Away, and brings it back. accepts
// says whether events are taken meanwhile; otherwise senders are told.
func (r *faultRun) away(ctx context.Context, accepts bool, takeAway, bringBack func() error) error {
	if err := r.serve(ctx); err != nil {
		return err
	}
	r.work(ctx, 1, 0, faultPace)
	if err := r.grow(ctx, 4*faultBatch); err != nil {
		return err
	}
	if err := takeAway(); err != nil {
		return err
	}
	// What was under way when it went may be answered either way.
	if err := wait(ctx, time.Second); err != nil {
		return err
	}
	r.begins()
	before := r.book.size()
	if err := wait(ctx, r.Away); err != nil {
		return err
	}
	grown := r.book.size() - before
	answers := r.ends()
	if accepts {
		r.must(grown > 0, "events are taken meanwhile")
	} else {
		r.must(grown == 0, "nothing is acknowledged meanwhile")
		r.must(answers[http.StatusServiceUnavailable] > 0, "senders are told 503")
	}
	r.must(residentMemory(r.server.command.Process.Pid) < faultMemory, "it holds no more than %d MB", faultMemory>>20)
	if err := bringBack(); err != nil {
		return err
	}
	r.mended = time.Now()
	if err := r.grow(ctx, 4*faultBatch); err != nil {
		return err
	}
	return r.settle(ctx)
}

// faultMemory is what a server may hold while something is away.
const faultMemory = 600 << 20
