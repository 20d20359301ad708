package columns

import "encoding/binary"

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

// Encode writes the rows, and apart from them the most frequent links: few counts
// ask for those, and they are long. It puts pairs and links in another order.
func (f *Columns) Encode() (rows, links []byte) {
	f.sortPairs()
	f.sortLinks(mostLinks, linkBytes)
	return f.encodeRows(), encodeNames(nil, f.links)
}

// encodeRows writes column by column, each of which compresses well on its own.
func (f *Columns) encodeRows() []byte {
	out := encodeNames(nil, f.names)
	number := func(n uint64) { out = binary.AppendUvarint(out, n) }
	number(uint64(f.linkCount))
	column := func(of func(*row) uint64) {
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
	column(func(r *row) uint64 {
		step := r.Rowid - before
		before = r.Rowid
		return uint64(step)
	})
	column(func(r *row) uint64 { return uint64(r.kind) })
	column(func(r *row) uint64 {
		if r.automated {
			return 1
		}
		return 0
	})
	column(func(r *row) uint64 { return uint64(r.user) })
	column(func(r *row) uint64 { return uint64(r.link) })
	column(func(r *row) uint64 { return uint64(r.source) })
	column(func(r *row) uint64 { return uint64(r.verdict) })
	column(func(r *row) uint64 { return uint64(r.answer) })
	column(func(r *row) uint64 { return uint64(r.people) })
	for i := range f.rows {
		for _, code := range f.peopleIn(&f.rows[i]) {
			number(uint64(code))
		}
	}
	return out
}
