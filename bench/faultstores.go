package bench

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
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

// lacksElastic says that no Elasticsearch was named.
func lacksElastic(f *Faults) string {
	if f.Index == "" {
		return "no --index was given"
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

// elasticAway cuts the line to an Elasticsearch.
func elasticAway(ctx context.Context, r *faultRun) (err error) {
	return r.onElastic(ctx, func(proxy *faulty.Bulk) error {
		return r.away(ctx, true, func() error { proxy.Cut(); return nil }, func() error { proxy.Restore(); return nil })
	})
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

// elasticFails has writes of an Elasticsearch fail in part. What it refuses becomes dead
// letters and nothing else, and is there once it refuses nothing.
func elasticFails(ctx context.Context, r *faultRun) error {
	return r.onElastic(ctx, func(proxy *faulty.Bulk) error {
		if err := r.serve(ctx); err != nil {
			return err
		}
		faults := faulty.Faults{Busy: 0.1, Refused: 0.01, Lost: 0.1}
		proxy.Set(faults)
		r.begins()
		r.work(ctx, 1, 0, faultPace)
		if err := errors.Join(wait(ctx, r.Away), r.grow(ctx, 10*faultBatch), r.rest()); err != nil {
			return err
		}
		refused := 0
		for id := range r.book.acknowledged {
			if faults.Refuses(id) {
				refused++
			}
		}
		var letters int
		if err := r.await(ctx, "what is refused is a dead letter, and the rest is there", func() bool {
			dead, err := r.deadLetters(ctx)
			if err != nil {
				return false
			}
			letters = len(dead)
			found, err := exported(ctx, r.server, faultWorkspace)
			return err == nil && letters >= min(refused, 200) && r.book.missing(found) == refused
		}); err != nil {
			return err
		}
		r.must(letters == min(refused, 200), "%d of %d refused events are dead letters", letters, refused)
		counts := proxy.Counts()
		r.must(counts.Busy > 0 && counts.Lost > 0, "writes were too many and answers lost (%d, %d)", counts.Busy, counts.Lost)
		proxy.Set(faulty.Faults{})
		r.ends()
		if err := r.replayAll(ctx); err != nil {
			return err
		}
		return r.settle(ctx)
	})
}

// onElastic has the index in the Elasticsearch of Index, behind a proxy, below a prefix that
// goes at the end.
func (r *faultRun) onElastic(ctx context.Context, do func(proxy *faulty.Bulk) error) (err error) {
	config, err := elastic.ParseURL(r.Index)
	if err != nil {
		return err
	}
	prefix := "faults-" + strings.ToLower(rand.Text()[:8])
	raw := rawElastic{node: config.Nodes[0], username: config.Username, password: config.Password, over: http.DefaultTransport}
	proxy, err := faulty.NewBulk(config.Nodes[0].String())
	if err != nil {
		return err
	}
	defer func() {
		cleaning, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		err = errors.Join(err, r.end(), proxy.Close(), raw.removeIndices(cleaning, prefix), raw.removeTemplate(cleaning, prefix))
	}()
	r.stores = []string{"--index", proxy.URL() + "/" + prefix + "?refresh=200ms"}
	return do(proxy)
}
