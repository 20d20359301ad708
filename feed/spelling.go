package feed

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"tidings/event"
	"tidings/query"
)

// Bounds of what is kept to correct words.
const (
	// few is how many results a search has at most whose words are looked at.
	few = 5
	// spellingWeeks are the newest weeks whose words are known, or those of them that
	// have words enough.
	spellingWeeks = 4
	// termsOfWeek are the commonest words of one week with one first letter.
	termsOfWeek = 5000
	// termsKept is how many words are kept of all lists, and freshTerms how long. Most lists
	// have some hundred, and many workspaces ask.
	termsKept  = 64 * termsOfWeek
	freshTerms = 10 * time.Minute
	// listTerms is what a list counts for beside its words.
	listTerms = 16
)

// spelling corrects misspelt words by the words of the index. It is safe for
// concurrent use.
type spelling struct {
	vocabulary Vocabulary
	clock      func() time.Time

	mu   sync.Mutex
	kept map[letterKey]*letterTerms
	// words is what all of kept count for.
	words int
}

// letterKey names the words of a workspace with one first letter.
type letterKey struct {
	workspace string
	letter    rune
}

type letterTerms struct {
	terms []query.Term
	read  time.Time
}

func newSpelling(v Vocabulary, clock func() time.Time) *spelling {
	return &spelling{vocabulary: v, clock: clock, kept: make(map[letterKey]*letterTerms)}
}

// correct is a text with its misspelt words corrected, and whether all corrections
// are so near that they may be searched for without asking. It is "" when there
// is nothing to correct, or when the words cannot be read now: a search does not
// fail for that.
func (m *spelling) correct(ctx context.Context, workspace, text string, chips []query.Chip, weeks []event.Week) (corrected string, sure bool) {
	runes := []rune(text)
	sure = true
	for _, chip := range slices.Backward(chips) {
		typed, ok := correctable(chip)
		if !ok {
			continue
		}
		first, _ := utf8.DecodeRuneInString(typed)
		terms, err := m.terms(ctx, letterKey{workspace, first}, weeks)
		if err != nil {
			return "", false
		}
		correction, ok := query.Correct(typed, terms)
		if !ok {
			continue
		}
		sure = sure && correction.Sure(typed)
		replaced := strings.Replace(chip.Text, chip.Value, correction.Word, 1)
		runes = slices.Replace(runes, chip.Span[0], chip.Span[1], []rune(replaced)...)
		corrected = string(runes)
	}
	return corrected, sure
}

// correctable is the word of a chip that looks for one word as people write it, of those that are
// corrected at all: for others no words are read.
func correctable(chip query.Chip) (string, bool) {
	switch chip.Field {
	case "words", "subject", "body", "file", "to":
	default:
		return "", false
	}
	if chip.Not || strings.ContainsAny(chip.Value, `"*@`) {
		return "", false
	}
	tokens := query.Analyse(chip.Value)
	if len(tokens) != 1 || !query.Correctable(tokens[0].Word) {
		return "", false
	}
	return tokens[0].Word, true
}

// terms are the words of the newest weeks with one first letter.
func (m *spelling) terms(ctx context.Context, key letterKey, weeks []event.Week) ([]query.Term, error) {
	m.mu.Lock()
	known, ok := m.kept[key]
	m.mu.Unlock()
	if ok && m.clock().Sub(known.read) < freshTerms {
		return known.terms, nil
	}
	counts := make(map[string]int)
	for _, week := range weeks[:min(spellingWeeks, len(weeks))] {
		if len(counts) >= termsOfWeek {
			break
		}
		terms, err := m.vocabulary.Terms(ctx, key.workspace, week, string(key.letter), termsOfWeek)
		if err != nil {
			return nil, err
		}
		for _, term := range terms {
			counts[term.Word] += term.Count
		}
	}
	read := &letterTerms{terms: make([]query.Term, 0, len(counts)), read: m.clock()}
	for word, count := range counts {
		read.terms = append(read.terms, query.Term{Word: word, Count: count})
	}
	slices.SortFunc(read.terms, func(a, b query.Term) int { return cmp.Compare(a.Word, b.Word) })
	m.keep(key, read)
	return read.terms, nil
}

// keep remembers words in the place of the oldest when there are too many.
func (m *spelling) keep(key letterKey, read *letterTerms) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.forget(key)
	for len(m.kept) > 0 && m.words+len(read.terms)+listTerms > termsKept {
		var oldest letterKey
		for key, terms := range m.kept {
			if at, ok := m.kept[oldest]; !ok || terms.read.Before(at.read) {
				oldest = key
			}
		}
		m.forget(oldest)
	}
	m.kept[key] = read
	m.words += len(read.terms) + listTerms
}

func (m *spelling) forget(key letterKey) {
	if known, ok := m.kept[key]; ok {
		m.words -= len(known.terms) + listTerms
		delete(m.kept, key)
	}
}

// corrected is a request with its words corrected. ok is false when nothing is to
// be corrected.
func (r *Reader) corrected(ctx context.Context, request PageRequest, chips []query.Chip) (corrected PageRequest, sure, ok bool) {
	if r.spelling == nil || !hasCorrectable(chips) {
		return request, false, false
	}
	weeks, err := r.weeks.Weeks(ctx, request.Workspace)
	if err != nil {
		return request, false, false
	}
	text, sure := r.spelling.correct(ctx, request.Workspace, request.Text, chips, weeks)
	request.Text = text
	return request, sure, text != ""
}

// interpret is what a text was understood as, with its words corrected where Page
// shows what it finds with them corrected.
func (r *Reader) interpret(ctx context.Context, request PageRequest, who *people, now time.Time) (Understood, query.Query, error) {
	request.Limit = 1
	p := r.scanOf(request, who, Key{}, now)
	if r.spelling == nil || !hasCorrectable(p.understood.Chips) {
		q, err := r.withNames(ctx, request.Workspace, p.scan.query)
		return p.understood, q, err
	}
	if err := p.scan.run(ctx, now); err != nil {
		return Understood{}, query.Query{}, err
	}
	err := r.correctPage(ctx, p, now)
	return p.understood, p.scan.query, err
}

func hasCorrectable(chips []query.Chip) bool {
	return slices.ContainsFunc(chips, func(c query.Chip) bool { _, ok := correctable(c); return ok })
}

// rare are the chips of a page's text whose word finds few events also alone. One
// that finds more was meant, however few have all that was asked for.
func (r *Reader) rare(ctx context.Context, p *pageScan, now time.Time) ([]query.Chip, error) {
	chips := p.understood.Chips
	if len(chips) == 1 {
		return chips, nil
	}
	var rare []query.Chip
	for _, chip := range chips {
		if _, ok := correctable(chip); !ok {
			continue
		}
		alone := p.request
		alone.Text, alone.Limit = chip.Text, few
		other := r.scanOf(alone, p.who, Key{}, now)
		if err := other.scan.run(ctx, now); err != nil {
			return nil, err
		}
		if len(other.scan.found) < few && other.scan.next == nil {
			rare = append(rare, chip)
		}
	}
	return rare, nil
}

// correctPage looks whether a page with few results was meant otherwise. A page
// without any is replaced by that of the corrected text where that has some and
// is sure; else the corrected text is proposed, if it has results at all.
func (r *Reader) correctPage(ctx context.Context, p *pageScan, now time.Time) error {
	if len(p.scan.found) >= few || p.scan.next != nil {
		return nil
	}
	chips, err := r.rare(ctx, p, now)
	if err != nil {
		return err
	}
	request, sure, ok := r.corrected(ctx, p.request, chips)
	if !ok {
		return nil
	}
	replaces := sure && len(p.scan.found) == 0
	other := r.scanOf(request, p.who, Key{}, now)
	if !replaces {
		other.scan.limit = 1
	}
	if err := other.scan.run(ctx, now); err != nil {
		return err
	}
	switch {
	case len(other.scan.found) == 0:
	case replaces:
		p.understood = other.understood // what was searched for
		p.understood.Showing = request.Text
		p.scan, p.request = other.scan, request
	default:
		p.understood.DidYouMean = request.Text
	}
	return nil
}
