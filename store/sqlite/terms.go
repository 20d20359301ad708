package sqlite

import (
	"crypto/sha256"
	"encoding/base32"
	"strconv"
	"strings"

	"tidings/event"
	"tidings/query"
)

// A term is what FTS5 indexes: the part of the index that its event is in, what
// kind of term it is, and the text. A part is one workspace's visible events or
// one workspace's automated ones, so no search meets the postings of another
// workspace, and hidden events cost the default page nothing.
//
// The kinds share the columns: no word is a stem or a keyword.
const (
	kindWord    = '_'
	kindStem    = '~'
	kindKeyword = ':'
)

// tokenize makes FTS5 take terms as they are: the tokenizer splits at spaces
// and folds capitals, which no term has.
const tokenize = `ascii tokenchars ''_~:=.-+@''`

// keywordLetter tells the fields of keyword terms apart.
var keywordLetter = map[query.KeywordField]byte{
	query.FieldType:      't',
	query.FieldUser:      'u',
	query.FieldRecipient: 'r',
	query.FieldDomain:    'd',
	query.FieldMessage:   'm',
	query.FieldSource:    's',
	query.FieldVerdict:   'v',
	query.FieldAnswer:    'a',
}

// part names a part of a week's index: its number in base 36.
func part(workspaceID int64, automated bool) string {
	return strconv.FormatInt(partNumber(workspaceID, automated), 36)
}

// partNumber is twice the workspace's number, plus one for automated events.
func partNumber(workspaceID int64, automated bool) int64 {
	if automated {
		return 2*workspaceID + 1
	}
	return 2 * workspaceID
}

// appendEverything appends the term that every event of a part has.
func appendEverything(out []byte, part string) []byte {
	return append(append(out, part...), kindKeyword)
}

// hashText has no capitals, which the tokenizer would fold.
var hashText = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

// maxPlainValue is the longest value that a keyword term holds as it is.
const maxPlainValue = 16

// appendKeyword appends the term of a keyword field's value. A long value is
// represented by 80 bits of its hash, behind a mark that no other has.
func appendKeyword(out []byte, part string, field byte, value string) []byte {
	out = append(appendEverything(out, part), field)
	if len(value) <= maxPlainValue {
		return appendEscaped(out, value)
	}
	sum := sha256.Sum256([]byte(value))
	return hashText.AppendEncode(append(out, '~'), sum[:10])
}

// appendWord appends the term of a word, a stem, or the beginning of a word.
func appendWord(out []byte, part string, kind byte, word string) []byte {
	return appendEscaped(append(append(out, part...), kind), word)
}

// plain are the ASCII characters that terms hold as they are.
var plain = func() (set [128]bool) {
	for _, c := range "abcdefghijklmnopqrstuvwxyz0123456789.-_+@" {
		set[c] = true
	}
	return set
}()

// appendEscaped appends text so that the tokenizer leaves it whole, byte by
// byte, so that the beginning of a word gives the beginning of its term.
func appendEscaped(out []byte, text string) []byte {
	const digits = "0123456789abcdef"
	done := 0
	for i := range len(text) {
		if c := text[i]; c < 128 && !plain[c] {
			out = append(append(out, text[done:i]...), '=', digits[c>>4], digits[c&15])
			done = i + 1
		}
	}
	return append(out, text[done:]...)
}

// columnFields are the columns of the FTS5 table in their order. The first costs the
// fewest bytes, so it has the body's words and the keywords.
var columnFields = [...]query.TextField{
	query.FieldBody, query.FieldSubject, query.FieldPeople, query.FieldLink, query.FieldFile,
}

// columnOf names the columns.
var columnOf = map[query.TextField]string{
	query.FieldBody:    "body",
	query.FieldSubject: "subject",
	query.FieldPeople:  "people",
	query.FieldLink:    "link",
	query.FieldFile:    "file",
}

// eachTerm gives the terms of an event, column by column, in the order in which they
// stand there. They are a pure function of it, since taking an event out of the index
// asks for the very terms that went in.
func eachTerm(d *query.Document, workspaceID int64, to terms) {
	p := part(workspaceID, d.Event.Automated())
	scratch := make([]byte, 0, 128)
	eachKeyword(scratch, p, &d.Event, func(term []byte) { to.Add(0, term) })
	for column, field := range columnFields {
		eachToken(scratch, p, d.Fields[field], column, to)
	}
}

// eachToken gives the words of a field in their order, and behind them, once
// each, the stems that are not words themselves: a word that is its own stem is
// found as that, and a stem's position in the text is never asked for.
func eachToken(scratch []byte, part string, tokens []query.Token, column int, to terms) {
	begin := append(append(scratch, part...), kindWord)
	for i := range tokens {
		to.Add(column, appendEscaped(begin, tokens[i].Word))
	}
	begin[len(begin)-1] = kindStem
	for i := range tokens {
		if token := &tokens[i]; token.Stem != token.Word {
			to.AddOnce(column, appendEscaped(begin, token.Stem))
		}
	}
}

// indexTerms are the texts of an event's row as FTS5 takes them in and out.
type indexTerms struct {
	body, subject, people, link, file string
}

func termsOf(d query.Document, workspaceID int64) indexTerms {
	var made termTexts
	eachTerm(&d, workspaceID, &made)
	texts := &made.texts
	return indexTerms{string(texts[0]), string(texts[1]), string(texts[2]), string(texts[3]), string(texts[4])}
}

// termTexts are terms put together to the texts of their columns.
type termTexts struct {
	texts [len(columnFields)][]byte
	once  [len(columnFields)]map[string]bool
}

// Add puts a term behind the others of a column.
func (t *termTexts) Add(column int, term []byte) {
	t.texts[column] = append(append(t.texts[column], term...), ' ')
}

// AddOnce is Add, unless it was called with the term before.
func (t *termTexts) AddOnce(column int, term []byte) {
	if t.once[column] == nil {
		t.once[column] = make(map[string]bool)
	}
	if !t.once[column][string(term)] {
		t.once[column][string(term)] = true
		t.Add(column, term)
	}
}

func eachKeyword(scratch []byte, part string, e *event.Event, give func(term []byte)) {
	give(appendEverything(scratch, part))
	add := func(field query.KeywordField, value string) {
		give(appendKeyword(scratch, part, keywordLetter[field], value))
	}
	add(query.FieldType, string(e.Type))
	add(query.FieldUser, e.User)
	add(query.FieldMessage, e.Message)
	add(query.FieldSource, e.Source)
	add(query.FieldVerdict, e.Verdict.Is)
	if e.Meeting != nil {
		add(query.FieldAnswer, e.Meeting.Answer)
	}
	people := e.Recipients
	if e.Recipient != nil {
		people = []event.Person{*e.Recipient}
	}
	domains := make(map[string]bool, 1)
	for _, person := range people {
		add(query.FieldRecipient, person.Email)
		if domain := query.Domain(person.Email); !domains[domain] {
			domains[domain] = true
			add(query.FieldDomain, domain)
		}
	}
}

// quoted makes terms a string of an FTS5 expression. Terms hold no quotes.
func quoted(terms ...string) string { return `"` + strings.Join(terms, " ") + `"` }
