package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"tidings/event"
	"tidings/feed"
	"tidings/query"
	"tidings/store/sqlite/columns"
)

// Aggregate counts the events of one week for which a query holds.
func (x *Index) Aggregate(ctx context.Context, c feed.AggregateRequest) (feed.Aggregate, error) {
	if err := countable(c); err != nil {
		return feed.Aggregate{}, fmt.Errorf("counting: %w", err)
	}
	var aggregate feed.Aggregate
	err := x.using(ctx, c.Week, false, func(file *weekFile, sealed bool) error {
		workspaceID, known := file.workspaceIDOf(c.Workspace)
		if !known {
			return nil
		}
		words := func(where query.Expr, low, high int64) ([]int64, error) {
			match, err := compileParts(where, partsOf(workspaceID, query.AutomatedShow))
			if err != nil || match == "" {
				return nil, err
			}
			return file.rowids(ctx, workspaceID, match, low, high)
		}
		collect := func() (*columns.Columns, error) { return x.columnsOf(ctx, file, sealed, workspaceID) }
		return x.columns.Use(ctx, columns.Key{Week: c.Week, Workspace: c.Workspace}, collect, func(held *columns.Columns) error {
			var err error
			aggregate, err = held.Aggregate(c, words)
			return err
		})
	})
	if err != nil {
		return feed.Aggregate{}, failed("counting week "+c.Week.String(), err)
	}
	return aggregate, nil
}

// countable refuses what cannot be counted by.
func countable(c feed.AggregateRequest) error {
	if c.Query.AsksBeyondIndex() || c.Query.AsksPerson() || c.Statuses == nil && c.Query.AsksRecipients() {
		return fmt.Errorf("the state of recipients is not known here: %w", errors.ErrUnsupported)
	}
	// The rest is what an index answers.
	candidates, _ := c.Query.Candidates()
	_, err := compile(candidates.Where, "")
	return err
}

// Revisions names what weeks hold of a workspace.
func (x *Index) Revisions(_ context.Context, workspace string, weeks []event.Week) (map[event.Week]string, error) {
	revisions := make(map[event.Week]string, len(weeks))
	for _, week := range weeks {
		revisions[week] = x.columns.Revision(columns.Key{Week: week, Workspace: workspace})
	}
	return revisions, nil
}

// columnsOf are those that a sealed week has stored, or what its documents say.
func (x *Index) columnsOf(ctx context.Context, file *weekFile, sealed bool, workspaceID int64) (*columns.Columns, error) {
	if sealed {
		if saved, err := x.savedColumns(ctx, file, workspaceID); err != nil || saved != nil {
			return saved, err
		}
	}
	return x.collectColumns(ctx, file, workspaceID)
}

// rowids are where an expression matches rows of a workspace in [low, high), ascending.
func (w *weekFile) rowids(ctx context.Context, workspaceID int64, match string, low, high int64) ([]int64, error) {
	return w.found(ctx, w.read.rowids, workspaceID, match, low, high)
}

func scanRowids(rows *sql.Rows) ([]int64, error) {
	defer rows.Close()
	var rowids []int64
	for rows.Next() {
		var rowid int64
		if err := rows.Scan(&rowid); err != nil {
			return nil, err
		}
		rowids = append(rowids, rowid)
	}
	return rowids, rows.Err()
}
