package segments

// Index is an index that is written, in one transaction. A number is that of a row of
// words_data.
type Index interface {
	Read(number int64) ([]byte, error)
	// Block puts a block in the place of what has its number. It keeps no part of it.
	Block(number int64, block []byte) error
	// Term puts a row into words_idx. It keeps no part of the term.
	Term(segment int, term []byte, page int64) error
	// Drop takes away all rows of a segment.
	Drop(segment int) error
}

// Dictionary is an index whose terms are read.
type Dictionary interface {
	// Read returns a block, which is good until the next call for its segment.
	Read(number int64) ([]byte, error)
	// Leaf is the last leaf of a segment that begins with term or with one before it, as
	// words_idx says.
	Leaf(segment int, term []byte) (page int, err error)
}
