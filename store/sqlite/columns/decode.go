package columns

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"tidings/event"
	"tidings/store/sqlite/rowids"
)

// ErrDamaged is what decoding says of anything that Encode did not write.
var ErrDamaged = errors.New("the stored columns are damaged")

// Decode reads what Encode wrote.
func Decode(week event.Week, rows, links []byte) (*Columns, error) {
	f, err := decodeRows(week, rows)
	if err != nil {
		return nil, err
	}
	d := decoder{raw: links}
	f.links = d.names()
	if d.failed || len(d.raw) > 0 || len(f.links) > f.linkCount {
		return nil, fmt.Errorf("links: %w", ErrDamaged)
	}
	for _, link := range f.links {
		f.textBytes += len(link)
	}
	return f, nil
}

func decodeRows(week event.Week, raw []byte) (*Columns, error) {
	d := decoder{raw: raw}
	f := &Columns{week: week, names: d.names(), linkCount: int(min(d.number(), math.MaxInt32))}
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
		return nil, ErrDamaged
	}
	return f, nil
}

// decoder reads numbers, and remembers that something was wrong.
type decoder struct {
	raw    []byte
	failed bool
}

func (d *decoder) number() uint64 {
	n, size := binary.Uvarint(d.raw)
	if size <= 0 {
		d.failed, d.raw = true, nil
		return 0
	}
	d.raw = d.raw[size:]
	return n
}

// length is the length of a list, each of whose parts takes a byte at least.
func (d *decoder) length() int {
	n := d.number()
	if n > uint64(len(d.raw)) {
		d.failed, d.raw = true, nil
		return 0
	}
	return int(n)
}

// code is an indexNames into a list.
func (d *decoder) code(length int) uint32 {
	n := d.number()
	if n >= uint64(length) {
		d.failed = true
		return 0
	}
	return uint32(n)
}

func (d *decoder) fixed() uint64 {
	if len(d.raw) < 8 {
		d.failed, d.raw = true, nil
		return 0
	}
	n := binary.BigEndian.Uint64(d.raw)
	d.raw = d.raw[8:]
	return n
}

func (d *decoder) names() []string {
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

func (d *decoder) rows(f *Columns) {
	f.rows = make([]row, d.length())
	column := func(set func(*row)) {
		for i := range f.rows {
			set(&f.rows[i])
		}
	}
	at := int64(0)
	end := rowids.End(f.week)
	column(func(r *row) {
		at += int64(min(d.number(), uint64(end)))
		r.Rowid = at
		d.failed = d.failed || at >= end
	})
	column(func(r *row) { r.kind = uint8(d.code(len(event.Types))) })
	column(func(r *row) { r.automated = d.number() == 1 })
	column(func(r *row) { r.user = d.code(len(f.names)) })
	column(func(r *row) { r.link = d.code(f.linkCount) })
	column(func(r *row) { r.source = d.code(len(f.names)) })
	column(func(r *row) { r.verdict = d.code(len(f.names)) })
	column(func(r *row) {
		if r.answer = uint32(d.number()); r.answer != noMeeting && int(r.answer) >= len(f.names) {
			d.failed, r.answer = true, noMeeting
		}
	})
	people := uint64(0)
	column(func(r *row) {
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
