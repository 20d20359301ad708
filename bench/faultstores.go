package bench

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"tidings/faulty"
	"tidings/store/elastic"
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

// lacksElastic says that there is no Elasticsearch to take away, or none that a line leads to.
func lacksElastic(f *Faults) string {
	if f.Index == "" {
		return "no --index was given (make bench-elastic starts one)"
	}
	config, err := elastic.ParseURL(f.Index)
	switch {
	case err != nil:
		return err.Error()
	case len(config.Nodes) > 1 || config.Nodes[0].Scheme != "http":
		return "--index names several hosts, or TLS: it takes one without"
	}
	return ""
}

// elasticAway cuts the line to an Elasticsearch and restores it.
func elasticAway(ctx context.Context, r *faultRun) (err error) {
	config, err := elastic.ParseURL(r.Index)
	if err != nil {
		return err
	}
	line, err := faulty.NewLine(config.Nodes[0].Host)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, line.Close()) }()
	prefix := "faults-" + strings.ToLower(rand.Text()[:8])
	raw := rawElastic{node: config.Nodes[0], username: config.Username, password: config.Password, over: http.DefaultTransport}
	defer func() {
		cleaning, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		err = errors.Join(err, r.end(), raw.removeIndices(cleaning, prefix), raw.removeTemplate(cleaning, prefix))
	}()
	address := url.URL{Scheme: "elasticsearch", Host: line.Address(), Path: "/" + prefix}
	if config.Username != "" {
		address.User = url.UserPassword(config.Username, config.Password)
	}
	r.stores = []string{"--index", address.String()}
	return r.away(ctx, true, func() error { line.Cut(); return nil }, func() error { line.Restore(); return nil })
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
	r.repaired = time.Now()
	if err := r.grow(ctx, 4*faultBatch); err != nil {
		return err
	}
	return r.finish(ctx)
}

// faultMemory is what a server may hold while something is away.
const faultMemory = 600 << 20
