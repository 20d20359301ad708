package query

import (
	_ "embed"
	"hash/fnv"
	"strings"
	// the words below
)

// rightWords is a Bloom filter of words that are right as they are typed: 230,000
// of Webster's second dictionary, of 1934, and the commonest names of the United
// States' census of 1990, of 4 to 14 letters. Both are in the public domain. It is
// wrong of one other word in a hundred, which is then asked about instead of being
// replaced.
//
//go:embed rightwords.bin
var rightWords []byte

// rightHashes is how many bits of the filter stand for a word.
const rightHashes = 6

// isRight reports whether a word is one of the language or a name, though an index
// may not have it. Plurals and past tenses are right with their stem.
func isRight(word string) bool {
	if inRightWords(word) {
		return true
	}
	for _, ending := range [...]string{"s", "es", "ed", "d", "ing", "ly", "er"} {
		if bare, ok := strings.CutSuffix(word, ending); ok && len(bare) >= shortestCorrected && inRightWords(bare) {
			return true
		}
	}
	// Two words written as one.
	const shortest = 4
	for cut := shortest; cut+shortest <= len(word); cut++ {
		if inRightWords(word[:cut]) && inRightWords(word[cut:]) {
			return true
		}
	}
	return false
}

func inRightWords(word string) bool {
	sum := fnv.New64a()
	sum.Write([]byte(word))
	hash := sum.Sum64()
	first, step := hash&0xffffffff, hash>>32|1
	bits := uint64(len(rightWords)) * 8
	for i := range uint64(rightHashes) {
		at := (first + i*step) % bits
		if rightWords[at>>3]&(1<<(at&7)) == 0 {
			return false
		}
	}
	return true
}
