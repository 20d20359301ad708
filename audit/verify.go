package audit

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"tidings/event"
)

// Fault is a place where the log is not what was written.
type Fault struct {
	Workspace string `json:"workspace"`
	Day       Day    `json:"day"`
	// Seq is the row at fault, or the last one before it.
	Seq     int64  `json:"seq"`
	Problem string `json:"problem"`
}

// String says it in words.
func (f Fault) String() string {
	of := string(f.Day)
	if f.Workspace != "" {
		of += " of workspace " + f.Workspace
	}
	return of + ": " + f.Problem
}

// Verified is what Verify saw.
type Verified struct {
	Days, Chains int
	Rows         int64
	Faults       []Fault
}

// Verify reads the whole log and holds it against the heads that are kept apart, and
// against heads that were kept elsewhere, by workspace and day. Days before kept may
// have been dropped. A day that cannot be read is a fault, and the others are read.
func (l *Log) Verify(ctx context.Context, elsewhere map[string]map[Day]Head, kept Day) (Verified, error) {
	var v Verified
	chains, err := l.list(ctx, &v)
	if err != nil {
		return v, err
	}
	known, err := l.Chained(ctx)
	if err != nil {
		return v, err
	}
	for _, workspace := range slices.AppendSeq(known, maps.Keys(elsewhere)) {
		chains[workspace] = append(chains[workspace], []Day{}...)
	}
	for _, workspace := range slices.Sorted(maps.Keys(chains)) {
		if err := l.verifyWorkspace(ctx, workspace, chains[workspace], elsewhere[workspace], kept, &v); err != nil {
			return v, err
		}
	}
	return v, nil
}

// list returns the days of each workspace that has rows. Days that cannot be read are
// faults.
func (l *Log) list(ctx context.Context, v *Verified) (map[string][]Day, error) {
	days, err := l.Store.Days(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the days of the audit log: %w", err)
	}
	v.Days = len(days)
	chains := make(map[string][]Day)
	for _, day := range days {
		workspaces, err := l.Store.Workspaces(ctx, day)
		if damaged, is := errors.AsType[*event.Degraded](err); is {
			v.Faults = append(v.Faults, Fault{Day: day, Problem: damaged.Words})
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("list the workspaces of the audit log: %w", err)
		}
		for _, workspace := range workspaces {
			chains[workspace] = append(chains[workspace], day)
		}
	}
	return chains, nil
}

// Look finds what Verify would without reading the rows: days that cannot be read, and
// chains of which a head was kept and no row is left. Days before kept may have been
// dropped.
func (l *Log) Look(ctx context.Context, kept Day) ([]Fault, error) {
	var v Verified
	chains, err := l.list(ctx, &v)
	if err != nil {
		return nil, err
	}
	damaged := make(map[Day]bool)
	for _, fault := range v.Faults {
		damaged[fault.Day] = true
	}
	known, err := l.Chained(ctx)
	if err != nil {
		return nil, err
	}
	for _, workspace := range known {
		heads, err := l.KeptHeads(ctx, workspace)
		if err != nil {
			return nil, err
		}
		for _, day := range slices.Sorted(maps.Keys(heads)) {
			if day < kept || damaged[day] || slices.Contains(chains[workspace], day) {
				continue
			}
			// It may have begun since the days were listed.
			if _, err := l.Store.Last(ctx, workspace, day); errors.Is(err, event.ErrNotFound) {
				v.Faults = append(v.Faults, gone(chainKey{workspace, day}, heads[day].Seq))
			} else if err != nil {
				return nil, fmt.Errorf("read the audit log: %w", err)
			}
		}
	}
	return v.Faults, nil
}

// gone is a chain of which no row is left.
func gone(key chainKey, rows int64) Fault {
	return Fault{key.workspace, key.day, 0, fmt.Sprintf("the day is gone; it had %d rows", rows)}
}

// verifyWorkspace reads the days that have rows and those that should have: one that
// began after the days were listed has a head already.
func (l *Log) verifyWorkspace(ctx context.Context, workspace string, days []Day, elsewhere map[Day]Head, kept Day, v *Verified) error {
	heads, err := l.KeptHeads(ctx, workspace)
	if err != nil {
		return err
	}
	days = slices.AppendSeq(slices.AppendSeq(slices.Clone(days), maps.Keys(heads)), maps.Keys(elsewhere))
	slices.Sort(days)
	for _, day := range slices.Compact(days) {
		if err := l.verifyChain(ctx, chainKey{workspace, day}, []Head{heads[day], elsewhere[day]}, day < kept, v); err != nil {
			return err
		}
	}
	return nil
}

// verifyChain reads one chain. After its first fault nothing more can be said of it
// but whether its end is there. One that mayBeGone is whole or not there.
func (l *Log) verifyChain(ctx context.Context, key chainKey, heads []Head, mayBeGone bool, v *Verified) error {
	fault := func(seq int64, problem string) {
		v.Faults = append(v.Faults, Fault{key.workspace, key.day, seq, problem})
	}
	last := Head{0, genesis(key.workspace, key.day)}
	broken := false
	// Whoever has the file may have put rows before the first.
	for after := int64(math.MinInt64); ; after = last.Seq {
		entries, err := l.Store.Chain(ctx, key.workspace, key.day, after, commitRows)
		if damaged, is := errors.AsType[*event.Degraded](err); is {
			fault(last.Seq, damaged.Words)
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the audit log: %w", err)
		}
		for _, e := range entries {
			v.Rows++
			if problem := e.follows(key, last); problem != "" && !broken {
				fault(e.Seq, problem)
				broken = true
			}
			last = Head{e.Seq, e.Hash}
			for _, head := range heads {
				if head.Seq == e.Seq && head.Hash != e.Hash && !broken {
					fault(e.Seq, "the row is another one than the head that was kept apart says")
					broken = true
				}
			}
		}
		if len(entries) < commitRows {
			break
		}
	}
	end := max(heads[0].Seq, heads[1].Seq)
	switch {
	case last.Seq != 0:
		v.Chains++
	case !mayBeGone && end > 0:
		v.Faults = append(v.Faults, gone(key, end))
		return nil
	case mayBeGone:
		return nil
	}
	if end > last.Seq {
		fault(last.Seq, fmt.Sprintf("the end is cut off: there were %d rows", end))
	}
	return nil
}

// follows says what is wrong with an entry behind another, or nothing.
func (e Entry) follows(key chainKey, last Head) string {
	row, err := e.Row()
	switch {
	case e.Seq < 1:
		return "the row was put before the first"
	case e.Seq != last.Seq+1:
		return fmt.Sprintf("rows are missing behind %d", last.Seq)
	case hashOf(last.Hash, e.Doc) != e.Hash:
		return "the row was changed, or is not the one that was here"
	case err != nil:
		return "the row cannot be read"
	case row.Prev != last.Hash || row.Seq != e.Seq || row.Workspace != key.workspace || DayOf(row.At) != key.day:
		return "the row is from another place"
	case row.ID != e.ID || !row.At.Equal(e.At) || row.Kind != e.Kind || row.Actor != e.Actor || row.Route != e.Route || !sameSet(row.About, e.About):
		return "what the row is found by is not what it says"
	}
	return ""
}

func sameSet(a, b []string) bool {
	set := func(of []string) []string { return slices.Compact(slices.Sorted(slices.Values(of))) }
	return slices.Equal(set(a), set(b))
}

// kindChained lists the workspaces that have heads.
const kindChained = "audit-workspace"

// Chained lists the workspaces that have had a head kept apart.
func (l *Log) Chained(ctx context.Context) ([]string, error) {
	records, err := l.Records.List(ctx, Installation, kindChained)
	if err != nil {
		return nil, fmt.Errorf("list the workspaces of the audit log: %w", err)
	}
	var names []string
	for _, record := range records {
		names = append(names, record.ID[1:])
	}
	return names, nil
}

// chained notes that a workspace has heads.
func (l *Log) chained(ctx context.Context, workspace string) error {
	// The installation's own has no name, which a record must have.
	err := l.Records.Swap(ctx, Installation, kindChained, "="+workspace, nil, []byte("{}"))
	if errors.Is(err, event.ErrConflict) {
		return nil
	}
	return err
}

// Retain drops the days that are older than the log is kept for. It is written into
// each chain's workspace before.
func (l *Log) Retain(ctx context.Context, before Day) error {
	days, err := l.Store.Droppable(ctx, before)
	if err != nil || len(days) == 0 {
		return err
	}
	gone := make(map[string][]Day)
	for _, day := range days {
		workspaces, err := l.Store.Workspaces(ctx, day)
		if err != nil {
			return fmt.Errorf("list the workspaces of the audit log: %w", err)
		}
		for _, workspace := range workspaces {
			gone[workspace] = append(gone[workspace], day)
		}
	}
	for _, workspace := range slices.Sorted(maps.Keys(gone)) {
		days := gone[workspace]
		row := Row{
			Workspace: workspace, Kind: KindLog, Actor: "server", Route: "retention",
			Object: string(days[0] + " to " + days[len(days)-1]),
		}
		if _, err := l.Must(ctx, row); err != nil {
			return err
		}
	}
	// The heads go first: a day without one is not missed, and is dropped the next time.
	for workspace, days := range gone {
		for _, day := range days {
			if err := l.Records.Delete(ctx, workspace, kindHead, string(day)); err != nil {
				return fmt.Errorf("forget a head of the audit log: %w", err)
			}
		}
	}
	return l.Store.Drop(ctx, before)
}
