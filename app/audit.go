package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"tidings/api"
	"tidings/audit"
	"tidings/store/mongo"
	"tidings/store/sqlite"
)

// How long the audit log is kept, and how often it is looked what is older.
const (
	auditKept  = 400 * 24 * time.Hour
	auditEvery = time.Hour
	auditLease = "audit"
	auditTTL   = time.Minute
	// auditClosing is how long the log may take to write what waits at the end.
	auditClosing = 10 * time.Second
)

// auditStore is the store of the audit log beside a state; file is that too where it is in
// the directory data.
func auditStore(state State, data string) (store audit.Store, file *sqlite.Audit, err error) {
	if state, ok := state.(*mongo.State); ok {
		return state.Audit(), nil, nil
	}
	file, err = sqlite.OpenAudit(filepath.Join(data, auditFolder))
	return file, file, err
}

// openAudit opens the audit log beside the state: a directory of files, or collections
// of the same database.
func (a *App) openAudit(ctx context.Context, s Settings) error {
	store, file, err := auditStore(a.State, s.Data)
	if err != nil {
		return err
	}
	a.auditFile = file
	log, err := audit.Open(ctx, audit.Config{Store: store, Records: a.State, Clock: time.Now, Rand: rand.Reader, Logger: a.log})
	if err != nil {
		return fmt.Errorf("open the audit log: %w", err)
	}
	a.Audit = log
	if s.AuditSink != "" {
		a.auditSink, err = auditSink(s.AuditSink, a.outbound)
	}
	return err
}

// auditFolder is where a data directory has the audit log.
const auditFolder = "audit"

// closeAudit writes what waits.
//
//nolint:contextcheck // it is done when the contexts of others have ended
func (a *App) closeAudit() error {
	var errs []error
	if a.Audit != nil {
		ctx, cancel := context.WithTimeout(context.Background(), auditClosing)
		defer cancel()
		errs = append(errs, a.Audit.Close(ctx))
	}
	if a.auditFile != nil {
		errs = append(errs, a.auditFile.Close())
	}
	return errors.Join(errs...)
}

// oldestKept is the first day that the log is kept for.
func oldestKept() audit.Day { return audit.DayOf(time.Now().Add(-auditKept)) }

// keepAudit drops what is older than the log is kept for, in one process at a time.
func (a *App) keepAudit(ctx context.Context) error {
	return a.Stream.RunUnderLease(ctx, auditLease, auditTTL, func(ctx context.Context) error {
		tick := time.NewTicker(auditEvery)
		defer tick.Stop()
		said := make(map[audit.Fault]bool)
		for {
			a.sayAuditFaults(ctx, said)
			if err := a.Audit.Retain(ctx, oldestKept()); err != nil && ctx.Err() == nil {
				a.log.WarnContext(ctx, "old days of the audit log were not dropped", "error", err)
			}
			select {
			case <-ctx.Done():
				return nil
			case <-tick.C:
			}
		}
	})
}

// sayAuditFaults says once of each day of the audit log that it is damaged or gone.
func (a *App) sayAuditFaults(ctx context.Context, said map[audit.Fault]bool) {
	faults, err := a.Audit.Look(ctx, oldestKept())
	if err != nil && ctx.Err() == nil {
		a.log.WarnContext(ctx, "the audit log was not looked at", "error", err)
	}
	for _, fault := range faults {
		if !said[fault] {
			said[fault] = true
			a.log.ErrorContext(ctx, "the audit log is damaged", "day", string(fault.Day), "workspace", fault.Workspace, "problem", fault.Problem)
		}
	}
}

// backupAudit copies the audit log, after the state that has its heads.
func (a *App) backupAudit(ctx context.Context, to string) ([]string, error) {
	if err := a.Audit.Flush(ctx); err != nil {
		return nil, err
	}
	names, err := a.auditFile.Backup(ctx, filepath.Join(to, auditFolder))
	for i, name := range names {
		names[i] = filepath.Join(auditFolder, name)
	}
	return names, err
}

// AuditCheck asks for a look through the audit log, with heads that were kept
// elsewhere by workspace and day.
type AuditCheck struct {
	Heads map[string]map[audit.Day]audit.Head `json:"heads,omitempty"`
}

// CheckAudit looks through the whole log.
func (a *App) CheckAudit(ctx context.Context, check AuditCheck) (audit.Verified, error) {
	if err := a.Audit.Flush(ctx); err != nil {
		return audit.Verified{}, err
	}
	return a.Audit.Verify(ctx, check.Heads, oldestKept())
}

// AuditHeads are the heads of all chains, to be kept elsewhere.
func (a *App) AuditHeads(ctx context.Context, _ struct{}) (AuditCheck, error) {
	check := AuditCheck{Heads: make(map[string]map[audit.Day]audit.Head)}
	if err := a.Audit.Save(ctx); err != nil {
		return check, err
	}
	workspaces, err := a.Audit.Chained(ctx)
	for _, workspace := range workspaces {
		if err == nil {
			check.Heads[workspace], err = a.Audit.KeptHeads(ctx, workspace)
		}
	}
	return check, err
}

// onRecord writes down that the operator does something before it is done. What only
// looks at how the weeks are, or for warnings, is not.
func (a *App) onRecord(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, ours := strings.CutPrefix(r.URL.Path, OperatorPath)
		if !ours || name == "weeks" || name == "warnings" {
			next.ServeHTTP(w, r)
			return
		}
		if err := a.operates(r.Context(), name); err != nil {
			answer(w, nil, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// operates writes a row of the operator's into the installation's chain.
func (a *App) operates(ctx context.Context, command string) error {
	row := audit.Row{Workspace: audit.Installation, Kind: audit.KindBegun, Actor: api.Operator(ctx), Route: "operator " + command}
	_, err := a.Audit.Must(ctx, row)
	return err
}

// Recorded wraps what a command does without a server, so that it is on record as if
// there was one.
func Recorded[In, Out any](name string, do func(*App, context.Context, In) (Out, error)) func(*App, context.Context, In) (Out, error) {
	return func(a *App, ctx context.Context, in In) (Out, error) {
		ctx = api.WithPeer(ctx, uint32(os.Getuid())) //nolint:gosec // an id is no number to count with
		if err := a.operates(ctx, name); err != nil {
			var none Out
			return none, err
		}
		return do(a, ctx, in)
	}
}
