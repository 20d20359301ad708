//go:build !race

package sqlite

import (
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/query"
	"tidings/store/sqlite/segments"
)

// wordPostings are all postings of all words of a file, as FTS5 reads them.
func wordPostings(t *testing.T, pool *sql.DB) (postings []string) {
	conn, err := pool.Conn(t.Context())
	require.NoError(t, err)
	defer conn.Close()
	for _, statement := range []string{"PRAGMA query_only = 0", "CREATE VIRTUAL TABLE IF NOT EXISTS temp.postings USING fts5vocab(main, words, instance)"} {
		_, err := conn.ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
	rows, err := conn.QueryContext(t.Context(), "SELECT term, doc, col, offset FROM temp.postings ORDER BY term, doc, col, offset")
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var term, column string
		var doc, offset int64
		require.NoError(t, rows.Scan(&term, &doc, &column, &offset))
		postings = append(postings, fmt.Sprint(term, " ", doc, " ", column, " ", offset))
	}
	require.NoError(t, rows.Err())
	return postings
}

// requireTerms holds what is told of words to the places that FTS5 reads.
func requireTerms(t *testing.T, file *weekFile, places []string) {
	for _, workspace := range []string{"w", "v"} {
		workspaceID, known := file.workspaceIDOf(workspace)
		require.True(t, known)
		for _, automated := range []bool{false, true} {
			of := part(workspaceID, automated)
			for _, prefix := range []string{"", "c", "cor", "zz"} {
				rows := make(map[string]map[string]bool)
				for _, place := range places {
					parts := strings.Fields(place)
					word, ok := strings.CutPrefix(parts[0], of+string(rune(kindWord)))
					if !ok || !strings.HasPrefix(word, prefix) || strings.Contains(word, "@") {
						continue
					}
					if rows[word] == nil {
						rows[word] = make(map[string]bool)
					}
					rows[word][parts[1]] = true
				}
				terms, err := file.terms(t.Context(), of, prefix, 1_000_000)
				require.NoError(t, err)
				require.Len(t, terms, len(rows), "%s of %s", prefix, of)
				for _, term := range terms {
					require.Len(t, rows[term.Word], term.Count, "%s of %s", term.Word, of)
				}
				few, err := file.terms(t.Context(), of, prefix, 3)
				require.NoError(t, err)
				require.Len(t, few, min(3, len(terms)))
				for i, term := range few {
					require.Equal(t, terms[i].Count, term.Count)
				}
			}
		}
	}
}

// TestWordsAreWrittenAsFTS5Would writes, rewrites and erases events in a random order,
// with segments merged at each level, by us and by FTS5, and compares what FTS5 then
// reads with what it would read had it been given the rows itself.
func TestWordsAreWrittenAsFTS5Would(t *testing.T) {
	for seed := range uint64(2) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 50))
			x := openForFaults(t, t.TempDir())
			var week event.Week
			var made []event.Event
			words := []int{30, 2000}[seed%2]
			for key := 0; key < 500; {
				var batch []event.Event
				for range 1 + random.IntN(5) {
					batch = append(batch, wordyEvent(random, key, words))
					key++
				}
				week = batch[0].Week()
				if random.IntN(4) == 0 && len(made) > 0 {
					batch = append(batch, made[random.IntN(len(made))]) // once more
				}
				_, err := x.Create(t.Context(), batch)
				require.NoError(t, err)
				made = append(made, batch...)
				switch random.IntN(12) {
				case 0:
					again := made[random.IntN(len(made))]
					again.Verdict = event.Verdict{Is: event.Machine, Rule: "r", By: "rule", Version: random.IntN(100) + 1}
					again.Body = wordyEvent(random, key, words).Body
					require.NoError(t, x.Rewrite(t.Context(), []event.Event{again}))
				case 1:
					// One page alone, so that most merging is still under way when it goes on.
					require.NoError(t, x.writing(t.Context(), week, false, func(file *weekFile, _ bool) error {
						require.NoError(t, file.rereadWords(t.Context()))
						_, err := file.writer.ExecContext(t.Context(), "INSERT INTO words(words, rank) VALUES('merge', 1)")
						return err
					}))
				case 2:
					if random.IntN(8) == 0 {
						of := made[random.IntN(len(made))]
						_, _, err := x.EraseRecipient(t.Context(), of.Workspace, of.Recipient.Email)
						require.NoError(t, err)
					}
				}
			}
			require.NoError(t, x.using(t.Context(), week, false, func(file *weekFile, _ bool) error {
				require.NoError(t, file.rereadWords(t.Context()))
				_, err := file.writer.ExecContext(t.Context(), "INSERT INTO words(words) VALUES('integrity-check')")
				require.NoError(t, err)
				have := wordPostings(t, file.reader)
				require.NotEmpty(t, have)
				requireTerms(t, file, have)

				beside, err := openPool(t.TempDir()+"/beside.db", access{write: true, connections: 1, cacheKB: 1 << 10})
				require.NoError(t, err)
				defer beside.Close()
				require.NoError(t, create(t.Context(), beside, "it", weekSchema))
				rows, err := file.rowsBetween(t.Context(), 0, 1<<62)
				require.NoError(t, err)
				for _, r := range rows {
					e, err := x.documents.unpack(r.id, file.nameOf(r.workspaceID), r.doc)
					require.NoError(t, err)
					text := termsOf(query.NewDocument(e), r.workspaceID)
					_, err = beside.Exec("INSERT INTO words(rowid, body, subject, people, link, file) VALUES(?, ?, ?, ?, ?, ?)",
						r.rowid, text.body, text.subject, text.people, text.link, text.file)
					require.NoError(t, err)
				}
				want := wordPostings(t, beside)
				require.Len(t, have, len(want))
				for i := range want {
					if want[i] != have[i] {
						require.Equal(t, want[i], have[i])
					}
				}
				return nil
			}))
			require.NoError(t, x.Check(t.Context(), week))
		})
	}
}

// TestLongTermsAreFoundFromBothEnds writes terms of many rows on small leaves, so that the
// index of their rows has several levels, and merges them.
func TestLongTermsAreFoundFromBothEnds(t *testing.T) {
	path := t.TempDir() + "/words.db"
	pool, err := openPool(path, access{write: true, connections: 1, cacheKB: 1 << 10})
	require.NoError(t, err)
	require.NoError(t, create(t.Context(), pool, "it", weekSchema))
	p := preparer{ctx: t.Context(), pool: pool}
	tables := prepareWordTables(&p)
	require.NoError(t, p.err)

	const leaf, rows, parts = 64, 3000, 4
	for part := range parts {
		batch := segments.NewBatch(len(columnFields))
		for row := part; row < rows; row += parts {
			batch.Row(int64(row) << 20)
			for column, terms := range []string{"every", "every odd", "even"} {
				if (terms == "even") == (row%2 == 0) || terms == "every" {
					for term := range strings.FieldsSeq(terms) {
						batch.Add(column, []byte(term))
					}
				}
			}
		}
		require.NoError(t, transact(t.Context(), pool, func(tx *sql.Tx) error {
			_, err := segments.Add(tables.in(t.Context(), tx), batch.Segment(leaf), leaf, parts)
			return err
		}))
	}
	require.NoError(t, closePools(p.all, pool)) // It would not see what was written past FTS5.
	pool, err = openPool(path, access{write: true, connections: 1, cacheKB: 1 << 10})
	require.NoError(t, err)
	defer pool.Close()
	var merged, indexed int
	require.NoError(t, pool.QueryRow("SELECT count(DISTINCT segid), sum(pgno & 1) FROM words_idx").Scan(&merged, &indexed))
	require.Equal(t, 1, merged)
	require.Equal(t, 3, indexed, "each term is long")
	_, err = pool.Exec("INSERT INTO words(words) VALUES('integrity-check')")
	require.NoError(t, err)
	for _, test := range []struct {
		match, order string
		from, want   int64
	}{
		{"every", "ASC", 0, 0},
		{"every", "DESC", 1 << 40, rows - 1},
		{"odd", "ASC", 1000, 1001},
		{"even", "DESC", 1999, 1998},
		{"odd", "DESC", 0, -1},
		{"every AND even", "ASC", 2997, 2998},
	} {
		bound := map[string]string{"ASC": ">=", "DESC": "<="}[test.order]
		row := int64(-1) << 20
		err := pool.QueryRow("SELECT rowid FROM words WHERE words MATCH ? AND rowid "+bound+" ? ORDER BY rowid "+test.order, test.match, test.from<<20).Scan(&row)
		if !errors.Is(err, sql.ErrNoRows) {
			require.NoError(t, err)
		}
		require.Equal(t, test.want, row>>20, test)
	}
}
