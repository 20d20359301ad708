package app

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

	"tidings/audit"
	"tidings/event"
	"tidings/indexer"
	"tidings/migrations"
)

type CopyRequest struct {
	To []string `json:"to"`
}

// CopyReport says what was copied; Whole is false while serve runs.
type CopyReport struct {
	migrations.Copied
	Whole       bool
	DeadLetters int64
	// AuditRows are of the audit log.
	AuditRows int64
}

// CopySealed copies the sealed weeks while the parts run.
func (a *App) CopySealed(ctx context.Context, request CopyRequest) (CopyReport, error) {
	to, err := a.copyTarget(ctx, request.To)
	if err != nil {
		return CopyReport{}, err
	}
	copied, err := to.weeks(ctx, true)
	return CopyReport{Copied: copied}, errors.Join(err, to.close())
}

// CopyAll indexes what waits, and copies everything once nothing is written.
func (a *App) CopyAll(ctx context.Context, request CopyRequest) (CopyReport, error) {
	to, err := a.copyTarget(ctx, request.To)
	if err != nil {
		return CopyReport{}, err
	}
	running, stop := context.WithCancel(ctx)
	stopped := make(chan error, 1)
	go func() { stopped <- a.Run(running) }()
	draining, cancel := context.WithTimeout(ctx, time.Hour)
	err = a.Drain(draining)
	cancel()
	stop()
	report := CopyReport{Whole: true, DeadLetters: a.Stream.Stats().DeadLetters}
	if err = errors.Join(err, <-stopped); err == nil {
		report.Copied, err = to.weeks(ctx, false)
	}
	if err == nil && to.state != nil {
		// The rows of the audit log go before their heads, which are in the state.
		report.AuditRows, err = to.copyAudit(ctx)
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
	from  *App
	name  string
	index Index
	state State
	held  *App
	// data is the directory that it is, "" where it is addresses.
	data string
}

// copyTarget opens the stores that the addresses name.
func (a *App) copyTarget(ctx context.Context, addresses []string) (_ *copyTarget, err error) {
	target := &App{log: a.log}
	to := &copyTarget{from: a, held: target, name: targetName(addresses)}
	defer func() {
		if err != nil {
			err = errors.Join(err, target.Close())
		}
	}()
	for _, address := range addresses {
		s := Settings{}
		switch scheme, _, isURL := strings.Cut(address, "://"); {
		case !isURL:
			s.Data, to.data = address, address
			if err := errors.Join(os.MkdirAll(filepath.Join(address, "stream"), 0o700), target.hold(address), target.openIndex(s, ""), target.openState(ctx, s)); err != nil {
				return nil, err
			}
		case strings.HasPrefix(scheme, "elasticsearch"):
			s.Index = address
			if err := target.openIndex(s, ""); err != nil {
				return nil, err
			}
		default:
			s.State = address
			if err := target.openState(ctx, s); err != nil {
				return nil, err
			}
		}
	}
	to.index, to.state = target.Index, target.State
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
	source, ok := t.from.Index.(migrations.EventSource)
	if !ok {
		return migrations.Copied{}, fmt.Errorf("this index cannot be copied: %w", errors.ErrUnsupported)
	}
	if t.index == nil {
		return migrations.Copied{}, nil
	}
	copier := migrations.Copier{
		Events: source, To: refreshed{t.index}, Sealer: t.index, Progress: copyNotes{t.from.State, t.name}, Logger: t.from.log,
	}
	return copier.Weeks(ctx, sealedOnly)
}

// refreshed is an index that counts what was written before it is asked.
type refreshed struct{ Index }

func (r refreshed) WeekInfos(ctx context.Context) ([]event.WeekInfo, error) {
	if index, ok := r.Index.(interface {
		Refresh(ctx context.Context) error
	}); ok {
		if err := index.Refresh(ctx); err != nil {
			return nil, err
		}
	}
	return r.Index.WeekInfos(ctx)
}

func (t *copyTarget) copyState(ctx context.Context) (migrations.Copied, error) {
	source, from := t.from.State.(migrations.StateSource)
	target, to := t.state.(migrations.StateTarget)
	if !from || !to {
		return migrations.Copied{}, fmt.Errorf("this state cannot be copied: %w", errors.ErrUnsupported)
	}
	copier := migrations.StateCopier{
		From: source, To: target, Records: listing{t.state},
		Leave: map[string]bool{kindCopied: true, kindBackup: true, kindWeekWanted: true, kindRun: true, "migration": true},
	}
	return copier.Copy(ctx)
}

// copyAudit copies the audit log to where the state goes.
func (t *copyTarget) copyAudit(ctx context.Context) (int64, error) {
	if err := t.from.Audit.Flush(ctx); err != nil {
		return 0, err
	}
	store, file, err := auditStore(t.state, t.data)
	if err != nil {
		return 0, err
	}
	t.held.auditFile = file
	return audit.Copy(ctx, t.from.Audit.Store, store, t.from.log)
}

// listing is a state store as a copy writes its catalogue.
type listing struct{ State }

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
	state  State
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
