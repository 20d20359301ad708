package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"tidings/event"
	"tidings/query"
)

// Terms returns the words of a workspace's visible events in a week that begin
// with a prefix, most events first, and in how many events each is. Addresses are
// left out.
func (x *Index) Terms(ctx context.Context, workspace string, week event.Week, prefix string, limit int) ([]query.Term, error) {
	var terms []query.Term
	err := x.using(ctx, week, false, func(file *weekFile, _ bool) error {
		workspaceID, known := file.workspaceIDOf(workspace)
		if !known || prefix == "" {
			return nil
		}
		var err error
		terms, err = file.terms(ctx, part(workspaceID, false), prefix, limit)
		return err
	})
	if err != nil {
		return nil, failed("reading words of week "+week.String(), err)
	}
	return terms, nil
}

// terms reads FTS5's own dictionary, where the words of one workspace stand
// together. The table that shows it belongs to a connection, and the connections
// that read may write nothing else.
func (w *weekFile) terms(ctx context.Context, part, prefix string, limit int) (terms []query.Term, err error) {
	conn, err := w.reader.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	for _, statement := range []string{
		"PRAGMA query_only = 0",
		"CREATE VIRTUAL TABLE IF NOT EXISTS temp.vocabulary USING fts5vocab(main, words, row)",
		"PRAGMA query_only = 1",
	} {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return nil, err
		}
	}
	first := string(appendWord(nil, part, kindWord, prefix))
	rows, err := conn.QueryContext(ctx,
		"SELECT term, doc FROM temp.vocabulary WHERE term >= ? AND term < ? ORDER BY doc DESC LIMIT +?", first, behind(first), limit)
	if err != nil {
		return nil, err
	}
	return scanTerms(rows, len(part)+1)
}

func scanTerms(rows *sql.Rows, skip int) ([]query.Term, error) {
	defer rows.Close()
	var terms []query.Term
	for rows.Next() {
		var text sql.RawBytes
		var count int
		if err := rows.Scan(&text, &count); err != nil {
			return nil, err
		}
		if word := unescaped(string(text[skip:])); !strings.Contains(word, "@") {
			terms = append(terms, query.Term{Word: word, Count: count})
		}
	}
	return terms, rows.Err()
}

// behind is the first text that is behind all that begin with a prefix.
func behind(prefix string) string {
	end := []byte(prefix)
	end[len(end)-1]++
	return string(end)
}

// unescaped takes back appendEscaped.
func unescaped(term string) string {
	if !strings.Contains(term, "=") {
		return term
	}
	const digits = "0123456789abcdef"
	out := make([]byte, 0, len(term))
	for i := 0; i < len(term); i++ {
		if term[i] == '=' && i+2 < len(term) {
			out = append(out, byte(strings.IndexByte(digits, term[i+1])<<4|strings.IndexByte(digits, term[i+2])))
			i += 2
			continue
		}
		out = append(out, term[i])
	}
	return string(out)
}
