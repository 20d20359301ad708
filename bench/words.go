package bench

import (
	"math"
	"math/rand/v2"
	"strings"
)

// Vocabulary is how many words there are.
const Vocabulary = 50_000

// tableBits is the size of the table that words are drawn from: the rarest word
// has a chance of 1 in 570,000, so a million entries hold each of them.
const tableBits = 20

// words draws words as a language does: the second half as often as the first,
// the third a third as often (Zipf).
type words struct {
	list []string
	// table has each word as many times as it is frequent.
	table []uint16
}

// newWords makes a vocabulary: common English words first, then made-up ones
// that read like words and are made of letters alone.
func newWords(seed uint64) *words {
	r := rand.New(rand.NewPCG(seed, 0x776f726473))
	w := &words{list: make([]string, 0, Vocabulary), table: make([]uint16, 1<<tableBits)}
	known := make(map[string]bool, Vocabulary)
	add := func(word string) {
		if !known[word] && len(w.list) < Vocabulary {
			known[word] = true
			w.list = append(w.list, word)
		}
	}
	for word := range strings.FieldsSeq(commonWords) {
		add(word)
	}
	for len(w.list) < Vocabulary {
		add(madeUp(r))
	}
	w.fill()
	return w
}

// fill shares the table out: entry p belongs to the word at which the sum of
// frequencies passes p.
func (w *words) fill() {
	total := 0.0
	for rank := range w.list {
		total += 1 / float64(rank+1)
	}
	at, sum := 0, 0.0
	for rank := range w.list {
		sum += 1 / float64(rank+1) / total
		end := int(math.Round(sum * float64(len(w.table))))
		for at < end && at < len(w.table) {
			w.table[at] = uint16(rank)
			at++
		}
	}
	for ; at < len(w.table); at++ {
		w.table[at] = Vocabulary - 1
	}
}

// madeUp is a word of two to five syllables.
func madeUp(r *rand.Rand) string {
	var word strings.Builder
	for range 2 + r.IntN(4) {
		word.WriteString(begins[r.IntN(len(begins))])
		word.WriteByte("aeiou"[r.IntN(5)])
		if r.IntN(3) == 0 {
			word.WriteByte("nrslmt"[r.IntN(6)])
		}
	}
	return word.String()
}

// draw is a random word, given 64 random bits of which it uses tableBits.
func (w *words) draw(bits uint64) string {
	return w.list[w.table[bits&(1<<tableBits-1)]]
}

var begins = strings.Fields("b br c ch cl d dr f fl g gr h j k l m n p pl pr qu r s sc sh sl sp st t tr v w")

const commonWords = `the to and of a in is you for that we it on this with be are have as not your
will from at or if can our by please has all was me but any so which there do they my thanks would
more an been know when up let hi what one out no time new like just need also about get some team
week next meeting see call them how these could should day may their send look first us make work
only other following back please find attached best regards pricing proposal contract renewal demo
invoice question help update review schedule tomorrow today morning afternoon monday tuesday
wednesday thursday friday budget quarter customer account support order project plan report data
security agreement legal finance signed discount offer quote trial onboarding training feedback
integration export import access password error issue ticket fix release version feature request
approved deadline delivery shipment payment due amount number form document page link slides deck
recording summary notes agenda minutes action item owner manager director office phone email address
company business service product market sales growth revenue cost price value benefit risk change
process system platform application server database network cloud mobile device user group role
permission policy compliance audit privacy questionnaire vendor supplier partner agency candidate
interview position resume salary hiring start end month year hours shift rota site warehouse
production quality customer feedback survey event webinar invitation register travel hotel flight
venue speaker program campaign newsletter subscribe unsubscribe open click reply forward sent
received opened bounced`
