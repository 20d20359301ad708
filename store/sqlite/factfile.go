package sqlite

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"tidings/event"
	"tidings/query"
)

// formFacts is the first byte of stored facts; those of another form are made
// again from the documents.
const formFacts = 2

// encodeNames writes texts behind their lengths.
func encodeNames(out []byte, names []string) []byte {
	out = binary.AppendUvarint(out, uint64(len(names)))
	for _, name := range names {
		out = binary.AppendUvarint(out, uint64(len(name)))
	}
	for _, name := range names {
		out = append(out, name...)
	}
	return out
}

// encode writes facts by columns, each of which compresses well on its own. The
// links are written apart, by encodeNames.
func (f *facts) encode() []byte {
	out := encodeNames(nil, f.names)
	number := func(n uint64) { out = binary.AppendUvarint(out, n) }
	number(uint64(f.linkCount))
	column := func(of func(*fact) uint64) {
		for i := range f.rows {
			number(of(&f.rows[i]))
		}
	}
	number(uint64(len(f.pairs)))
	for i := range f.pairs {
		number(uint64(f.pairs[i].message))
		number(uint64(f.pairs[i].recipient))
		number(uint64(f.pairs[i].domain))
		out = binary.BigEndian.AppendUint64(out, f.pairs[i].number)
	}
	number(uint64(len(f.rows)))
	before := int64(0)
	column(func(r *fact) uint64 {
		step := r.place - before
		before = r.place
		return uint64(step)
	})
	column(func(r *fact) uint64 { return uint64(r.kind) })
	column(func(r *fact) uint64 {
		if r.automated {
			return 1
		}
		return 0
	})
	column(func(r *fact) uint64 { return uint64(r.user) })
	column(func(r *fact) uint64 { return uint64(r.link) })
	column(func(r *fact) uint64 { return uint64(r.source) })
	column(func(r *fact) uint64 { return uint64(r.verdict) })
	column(func(r *fact) uint64 { return uint64(r.answer) })
	column(func(r *fact) uint64 { return uint64(r.people) })
	for i := range f.rows {
		for _, code := range f.peopleIn(&f.rows[i]) {
			number(uint64(code))
		}
	}
	return out
}

// errFacts is what decoding says of anything that encode did not write.
var errFacts = errors.New("the stored facts are damaged")

// decodeFacts reads what encode wrote.
func decodeFacts(week event.Week, raw []byte) (*facts, error) {
	d := factDecoder{raw: raw}
	f := &facts{week: week, names: d.names(), linkCount: int(min(d.number(), math.MaxInt32))}
	for _, name := range f.names {
		f.textBytes += len(name)
	}
	f.pairs = make([]pair, d.length())
	for i := range f.pairs {
		p := &f.pairs[i]
		p.message, p.recipient, p.domain = d.code(len(f.names)), d.code(len(f.names)), d.code(len(f.names))
		p.number = d.fixed()
	}
	d.rows(f)
	for i := range f.people {
		f.people[i] = d.code(len(f.pairs))
	}
	if d.failed || len(d.raw) > 0 {
		return nil, errFacts
	}
	return f, nil
}

// factDecoder reads numbers, and remembers that something was wrong.
type factDecoder struct {
	raw    []byte
	failed bool
}

func (d *factDecoder) number() uint64 {
	n, size := binary.Uvarint(d.raw)
	if size <= 0 {
		d.failed, d.raw = true, nil
		return 0
	}
	d.raw = d.raw[size:]
	return n
}

// length is the length of a list, each of whose parts takes a byte at least.
func (d *factDecoder) length() int {
	n := d.number()
	if n > uint64(len(d.raw)) {
		d.failed, d.raw = true, nil
		return 0
	}
	return int(n)
}

// code is a place in a list.
func (d *factDecoder) code(length int) uint32 {
	n := d.number()
	if n >= uint64(length) {
		d.failed = true
		return 0
	}
	return uint32(n)
}

func (d *factDecoder) fixed() uint64 {
	if len(d.raw) < 8 {
		d.failed, d.raw = true, nil
		return 0
	}
	n := binary.BigEndian.Uint64(d.raw)
	d.raw = d.raw[8:]
	return n
}

func (d *factDecoder) names() []string {
	lengths := make([]int, d.length())
	total := 0
	for i := range lengths {
		lengths[i] = int(min(d.number(), uint64(len(d.raw))))
		total += lengths[i]
	}
	if total > len(d.raw) {
		d.failed, d.raw = true, nil
		return nil
	}
	text := string(d.raw[:total])
	d.raw = d.raw[total:]
	names := make([]string, len(lengths))
	for i, length := range lengths {
		names[i], text = text[:length], text[length:]
	}
	return names
}

func (d *factDecoder) rows(f *facts) {
	f.rows = make([]fact, d.length())
	column := func(set func(*fact)) {
		for i := range f.rows {
			set(&f.rows[i])
		}
	}
	place := int64(0)
	end := firstPlace(f.week, f.week.End())
	column(func(r *fact) {
		place += int64(min(d.number(), uint64(end)))
		r.place = place
		d.failed = d.failed || place >= end
	})
	column(func(r *fact) { r.kind = uint8(d.code(len(event.Types))) })
	column(func(r *fact) { r.automated = d.number() == 1 })
	column(func(r *fact) { r.user = d.code(len(f.names)) })
	column(func(r *fact) { r.link = d.code(f.linkCount) })
	column(func(r *fact) { r.source = d.code(len(f.names)) })
	column(func(r *fact) { r.verdict = d.code(len(f.names)) })
	column(func(r *fact) {
		if r.answer = uint32(d.number()); r.answer != noMeeting && int(r.answer) >= len(f.names) {
			d.failed, r.answer = true, noMeeting
		}
	})
	people := uint64(0)
	column(func(r *fact) {
		r.people = uint16(d.number())
		r.first = uint32(people)
		people += uint64(r.people)
		d.failed = d.failed || r.people == 0
	})
	if people > uint64(len(d.raw)) {
		d.failed, people = true, 0
	}
	f.people = make([]uint32, people)
}

// collectFacts reads the facts of a workspace out of its documents.
func (x *Index) collectFacts(ctx context.Context, file *weekFile, workspaceID int64) (*facts, error) {
	f := newFacts(file.week)
	match, err := compileParts(nil, partsOf(workspaceID, query.AutomatedShow))
	if err != nil {
		return nil, err
	}
	rows, err := file.read.page.QueryContext(ctx, match, 0, firstPlace(file.week, file.week.End()), -1)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	workspace := file.nameOf(workspaceID)
	f.index()
	for rows.Next() {
		r, err := file.scanRow(rows)
		if err != nil {
			return nil, err
		}
		e, err := x.documents.unpack(r.id, workspace, r.doc)
		if err != nil {
			return nil, err
		}
		f.rows = append(f.rows, f.factOf(factEvent{r.place, e}))
	}
	slices.Reverse(f.rows) // they came newest first
	return f, rows.Err()
}

// saveFacts writes the facts of the workspaces of a week's file that have none,
// for when it is read as a sealed one.
func (x *Index) saveFacts(ctx context.Context, file *weekFile) error {
	missing, err := file.factless(ctx)
	if err != nil {
		return err
	}
	for _, workspaceID := range missing {
		f, err := x.collectFacts(ctx, file, workspaceID)
		if err != nil {
			return err
		}
		f.sortPairs()
		f.sortLinks(mostLinks)
		doc := x.documents.encoder.EncodeAll(f.encode(), []byte{formFacts})
		links := x.documents.encoder.EncodeAll(encodeNames(nil, f.links), []byte{formFacts})
		err = transact(ctx, file.writer, func(tx *sql.Tx) error {
			if _, err := tx.ExecContext(ctx, "INSERT INTO facts VALUES(?, ?)", workspaceID, doc); err != nil {
				return err
			}
			_, err := tx.ExecContext(ctx, "INSERT INTO links VALUES(?, ?)", workspaceID, links)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// dropFacts takes away stored facts that are not true any more, when a week that
// is to be read as a sealed one is changed. In an open one they are not read.
func (w *weekFile) dropFacts(ctx context.Context, tx *sql.Tx, workspaceIDs map[int64]bool) error {
	if w.counting != nil {
		return nil
	}
	for workspaceID := range workspaceIDs {
		if err := deleteFacts(ctx, tx, workspaceID); err != nil {
			return err
		}
	}
	return nil
}

// deleteFacts takes away the stored facts of a workspace.
func deleteFacts(ctx context.Context, tx *sql.Tx, workspaceID int64) error {
	if _, err := tx.ExecContext(ctx, "DELETE FROM facts WHERE space = ?", workspaceID); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, "DELETE FROM links WHERE space = ?", workspaceID)
	return err
}

// factless are the workspaces without stored facts.
func (w *weekFile) factless(ctx context.Context) ([]int64, error) {
	rows, err := w.writer.QueryContext(ctx, "SELECT n FROM space WHERE n NOT IN (SELECT space FROM facts) ORDER BY n")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var workspaceIDs []int64
	for rows.Next() {
		var workspaceID int64
		if err := rows.Scan(&workspaceID); err != nil {
			return nil, err
		}
		workspaceIDs = append(workspaceIDs, workspaceID)
	}
	return workspaceIDs, rows.Err()
}

// savedFacts are the stored facts of a workspace in a sealed week, nil where
// there are none.
func (x *Index) savedFacts(ctx context.Context, file *weekFile, workspaceID int64) (*facts, error) {
	raw, err := x.savedPart(ctx, file, "SELECT doc FROM facts WHERE space = ?", workspaceID)
	if err != nil || raw == nil {
		return nil, err
	}
	f, err := decodeFacts(file.week, raw)
	if err != nil {
		return nil, fmt.Errorf("week %s: %w", file.week, err)
	}
	f.links, err = x.savedLinks(ctx, file, workspaceID, f.linkCount)
	for _, link := range f.links {
		f.textBytes += len(link)
	}
	return f, err
}

// savedLinks are the links that the stored facts of a workspace have.
func (x *Index) savedLinks(ctx context.Context, file *weekFile, workspaceID int64, count int) ([]string, error) {
	raw, err := x.savedPart(ctx, file, "SELECT doc FROM links WHERE space = ?", workspaceID)
	if err != nil {
		return nil, err
	}
	d := factDecoder{raw: raw}
	links := d.names()
	if d.failed || len(links) > count {
		return nil, fmt.Errorf("week %s: links: %w", file.week, errFacts)
	}
	return links, nil
}

// savedPart reads and unpacks one stored part, nil where there is none.
func (x *Index) savedPart(ctx context.Context, file *weekFile, ask string, workspaceID int64) ([]byte, error) {
	var doc []byte
	err := file.reader.QueryRowContext(ctx, ask, workspaceID).Scan(&doc)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, err
	case len(doc) == 0 || doc[0] != formFacts:
		return nil, nil
	}
	raw, err := x.counting.decoder.DecodeAll(doc[1:], nil)
	if err != nil {
		return nil, fmt.Errorf("week %s: %w: %w", file.week, errFacts, err)
	}
	return raw, nil
}
