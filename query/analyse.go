package query

// Token is one word of a text, in both indexed forms, with the bytes of the
// original that it came from.
type Token struct {
	// Word is lower case with diacritics folded and a possessive 's cut.
	Word string
	// Stem is the Porter stem of Word.
	Stem string
	// Start and End are byte offsets into the analysed text.
	Start, End int
}
