package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"tidings/event"
	"tidings/indexer"
	"tidings/migrations"
)

// migrateCopyCmd copies an installation into other stores.
type migrateCopyCmd struct {
	From string   `help:"The data directory to copy, also while serve runs on it." required:"" placeholder:"DIR" type:"path"`
	To   []string `help:"Where to: elasticsearch://… for the events, mongodb://… for the state, both by giving it twice; or another data directory." required:"" placeholder:"URL" sep:"none"`
}

// Help says how a move goes.
func (migrateCopyCmd) Help() string {
	return `A move to other stores goes in two runs of the same command:

  1. While serve runs: sealed weeks are copied, which is most of it.
  2. After serve was stopped: what waits is indexed, and the rest follows, weeks
     that changed since once more, and the state.

Each may be stopped and run again. Whatever was copied is read back and compared
by number and hash. The source stays as it is. The targets must be empty at first.

  tidings migrate copy --from DIR --to elasticsearch://HOST:9200 --to mongodb://HOST/tidings
  tidings serve --data DIR --index elasticsearch://HOST:9200 --state mongodb://HOST/tidings`
}

type copyRequest struct {
	To []string `json:"to"`
}

// copyReport says what was copied; Whole is false while serve runs.
type copyReport struct {
	migrations.Copied
	Whole       bool
	DeadLetters int64
}

// Run copies what can be copied now and says what is left.
func (c *migrateCopyCmd) Run(ctx context.Context, env *environment) error {
	if info, err := os.Stat(c.From); err != nil || !info.IsDir() {
		return fmt.Errorf("%s is no data directory", c.From)
	}
	for i, to := range c.To {
		if !strings.Contains(to, "://") {
			absolute, err := filepath.Abs(to)
			if err != nil {
				return fmt.Errorf("--to: %w", err)
			}
			c.To[i] = absolute
		}
	}
	done, err := operate(ctx, env, settings{Data: c.From}, "copy", copyRequest{c.To}, (*app).copyAll)
	if err != nil {
		return err
	}
	fmt.Fprintf(env.Out, "%s copied and compared (%s), %s unchanged since an earlier run.\n",
		count(done.Weeks, "week", "weeks"), count(int(done.Events), "event", "events"), count(done.Kept, "week", "weeks"))
	if !done.Whole {
		_, err = fmt.Fprintln(env.Out, "These were the sealed weeks. Stop serve and run this again for the rest.")
		return err
	}
	_, err = fmt.Fprintf(env.Out, "%s and %s copied and compared.\n",
		count(int(done.States), "state", "states"), count(int(done.Records), "record", "records"))
	if done.DeadLetters > 0 {
		fmt.Fprintf(env.Err, "%s stay in the queue of the data directory.\n", count(int(done.DeadLetters), "dead letter", "dead letters"))
	}
	return err
}

// copySealed copies the sealed weeks while the parts run.
func (a *app) copySealed(ctx context.Context, request copyRequest) (copyReport, error) {
	to, err := a.copyTarget(ctx, request.To)
	if err != nil {
		return copyReport{}, err
	}
	copied, err := to.weeks(ctx, true)
	return copyReport{Copied: copied}, errors.Join(err, to.close())
}

// copyAll indexes what waits, and copies everything once nothing is written.
func (a *app) copyAll(ctx context.Context, request copyRequest) (copyReport, error) {
	to, err := a.copyTarget(ctx, request.To)
	if err != nil {
		return copyReport{}, err
	}
	running, stop := context.WithCancel(ctx)
	stopped := make(chan error, 1)
	go func() { stopped <- a.Run(running) }()
	draining, cancel := context.WithTimeout(ctx, time.Hour)
	err = a.drain(draining)
	cancel()
	stop()
	report := copyReport{Whole: true, DeadLetters: a.stream.Stats().DeadLetters}
	if err = errors.Join(err, <-stopped); err == nil {
		report.Copied, err = to.weeks(ctx, false)
	}
	if err == nil && to.state != nil {
		var copied migrations.Copied
		copied, err = to.copyState(ctx)
		report.States, report.Records = copied.States, copied.Records
	}
	return report, errors.Join(err, to.close())
}

// copyTarget is where an installation is copied to; either part may be nil.
type copyTarget struct {
	from  *app
	name  string
	index indexStore
	state stateStore
	held  *app
}

// copyTarget opens the stores that the addresses name.
func (a *app) copyTarget(ctx context.Context, addresses []string) (_ *copyTarget, err error) {
	target := &app{log: a.log}
	to := &copyTarget{from: a, held: target, name: targetName(addresses)}
	defer func() {
		if err != nil {
			err = errors.Join(err, target.Close())
		}
	}()
	for _, address := range addresses {
		s := settings{}
		switch scheme, _, isURL := strings.Cut(address, "://"); {
		case !isURL:
			s.Data = address
			if err := errors.Join(os.MkdirAll(address, 0o700), target.hold(address), target.openIndex(s), target.openState(ctx, s)); err != nil {
				return nil, err
			}
		case strings.HasPrefix(scheme, "elasticsearch"):
			s.Index = address
			if err := target.openIndex(s); err != nil {
				return nil, err
			}
		default:
			s.State = address
			if err := target.openState(ctx, s); err != nil {
				return nil, err
			}
		}
	}
	to.index, to.state = target.index, target.state
	return to, nil
}

// targetName tells targets apart in the notes of what was copied, and holds no
// password.
func targetName(addresses []string) string {
	sum := sha256.Sum256([]byte(strings.Join(addresses, "\x00")))
	return hex.EncodeToString(sum[:8])
}

func (t *copyTarget) close() error { return t.held.Close() }

// weeks copies weeks where there is an index to copy them to.
func (t *copyTarget) weeks(ctx context.Context, sealedOnly bool) (migrations.Copied, error) {
	source, ok := t.from.index.(migrations.EventSource)
	if !ok {
		return migrations.Copied{}, fmt.Errorf("this index cannot be copied: %w", errors.ErrUnsupported)
	}
	if t.index == nil {
		return migrations.Copied{}, nil
	}
	copier := migrations.Copier{
		Events: source, To: refreshed{t.index}, Sealer: t.index, Progress: copyNotes{t.from.state, t.name}, Logger: t.from.log,
	}
	return copier.Weeks(ctx, sealedOnly)
}

// refreshed is an index that counts what was written before it is asked.
type refreshed struct{ indexStore }

func (r refreshed) WeekInfos(ctx context.Context) ([]event.WeekInfo, error) {
	if index, ok := r.indexStore.(interface {
		Refresh(ctx context.Context) error
	}); ok {
		if err := index.Refresh(ctx); err != nil {
			return nil, err
		}
	}
	return r.indexStore.WeekInfos(ctx)
}

func (t *copyTarget) copyState(ctx context.Context) (migrations.Copied, error) {
	source, from := t.from.state.(migrations.StateSource)
	target, to := t.state.(migrations.StateTarget)
	if !from || !to {
		return migrations.Copied{}, fmt.Errorf("this state cannot be copied: %w", errors.ErrUnsupported)
	}
	copier := migrations.StateCopier{
		From: source, To: target, Records: listing{t.state},
		Leave: map[string]bool{kindCopied: true, kindWeekWanted: true, kindRun: true, "migration": true},
	}
	return copier.Copy(ctx)
}

// listing is a state store as a copy writes its catalogue.
type listing struct{ stateStore }

func (l listing) ListWeeks(ctx context.Context, workspace string, weeks []event.Week) error {
	marks := make([]indexer.WorkspaceWeek, len(weeks))
	for i, week := range weeks {
		marks[i] = indexer.WorkspaceWeek{Workspace: workspace, Week: week}
	}
	_, err := l.Apply(ctx, nil, marks)
	return err
}

// copyNotes keeps in the source what was copied into a target.
type copyNotes struct {
	state  stateStore
	target string
}

const kindCopied = "copied"

// Begun reports whether copying into the target has begun.
func (n copyNotes) Begun(ctx context.Context) (bool, error) {
	_, err := n.state.Get(ctx, noWorkspace, kindCopied, n.target)
	if errors.Is(err, event.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Begin notes that it has.
func (n copyNotes) Begin(ctx context.Context) error {
	return n.state.Put(ctx, noWorkspace, kindCopied, n.target, json.RawMessage("{}"))
}

// Copied is what was copied of a week.
func (n copyNotes) Copied(ctx context.Context, week event.Week) (digest migrations.Digest, copied bool, err error) {
	raw, err := n.state.Get(ctx, noWorkspace, kindCopied, n.target+" "+week.String())
	if errors.Is(err, event.ErrNotFound) {
		return digest, false, nil
	}
	if err == nil {
		err = json.Unmarshal(raw, &digest)
	}
	return digest, err == nil, err
}

// NoteCopied writes what was copied of a week.
func (n copyNotes) NoteCopied(ctx context.Context, week event.Week, digest migrations.Digest) error {
	raw, err := json.Marshal(digest)
	if err != nil {
		return fmt.Errorf("note a copy: %w", err)
	}
	return n.state.Put(ctx, noWorkspace, kindCopied, n.target+" "+week.String(), raw)
}
