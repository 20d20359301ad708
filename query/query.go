// Package query is the search language: it reads what people type and what
// programs ask, as one Query that the feed page, the live socket, statistics
// and export share, so that their answers agree.
//
// Text goes in with a clock, a time zone and a directory of people; a Query and
// the chips that show how it was understood come out. The package also holds the
// one analysis of text (Analyse) that every index and the in-memory Match use,
// so that an event matches live if and only if an index finds it. Pure: no I/O,
// no panic on any bytes.
package query

import "tidings/event"

// Query is a search as every store and the live matcher understand it.
type Query struct {
	// From and Until bound the event's time, [From, Until) in Unix seconds;
	// 0 leaves that end open.
	From, Until int64
	// Automated says what to do with opens and clicks that machines made.
	Automated Automated
	// Now is the time in Unix seconds that ages are counted from, see
	// Recipients. It is 0 where no condition has an age.
	Now int64
	// Where is the condition; nil means everything.
	Where Expr
	// History is what else must hold of an event among the others of its
	// recipient; nil for nothing.
	History *History
}

// Automated is a choice about opens and clicks that machines made.
type Automated string

// The choices. The zero value is AutomatedHide.
const (
	AutomatedHide Automated = "hide"
	AutomatedShow Automated = "show"
	AutomatedOnly Automated = "only"
)

// Expr is a condition on one event: And, Or, Not, Keyword, Words, Time or
// Recipients. Compilers switch over the first five: what an index cannot answer
// by itself, Time and Recipients, does not come to them (see Query.Candidates).
type Expr interface{ expr() }

// And holds when all of its parts do. An empty And always holds.
type And []Expr

// Or holds when any of its parts does. An empty Or never holds.
type Or []Expr

// Not holds when its part does not.
type Not struct{ Expr Expr }

// Keyword holds when a field has exactly one of the values.
type Keyword struct {
	Field  KeywordField
	Values []string
}

// KeywordField is a field that is compared as a whole.
type KeywordField string

// The keyword fields. Recipient and Domain are the lower-cased address, and
// what stands behind its last @, of the recipient or of any of a send's.
const (
	FieldType      KeywordField = "type"
	FieldUser      KeywordField = "user"
	FieldRecipient KeywordField = "recipient"
	FieldDomain    KeywordField = "domain"
	FieldMessage   KeywordField = "message"
	FieldSource    KeywordField = "source"
	FieldVerdict   KeywordField = "verdict"
	FieldAnswer    KeywordField = "answer"
	// FieldDevice and FieldClient are told by an event's user agent: see DeviceOf
	// and ClientOf. No index holds them.
	FieldDevice KeywordField = "device"
	FieldClient KeywordField = "client"
	// FieldBounce is the kind of a bounce. No index holds it.
	FieldBounce KeywordField = "bounce"
)

// Words holds when a text field has the terms in the given form.
type Words struct {
	Field TextField
	Form  Form
	// Terms come from Analyse: one stem for FormStem, one or more words in
	// their order for FormPhrase, the beginning of a word for FormPrefix.
	Terms []string
	// Word is the word that a FormStem was made of, to show it and to correct
	// its spelling. It takes no part in the comparison.
	Word string
}

// TextField is a field that is searched by word.
type TextField string

// The text fields. Any is all the others. Subject holds the titles of meetings
// and custom events too, People the names and addresses of recipients.
const (
	FieldAny     TextField = ""
	FieldSubject TextField = "subject"
	FieldPeople  TextField = "people"
	FieldLink    TextField = "link"
	FieldFile    TextField = "file"
	FieldBody    TextField = "body"
)

// TextFields lists the text fields but Any, in the order of highlights.
var TextFields = []TextField{FieldSubject, FieldPeople, FieldLink, FieldFile, FieldBody}

// Form is how terms are compared with a field's words.
type Form int

// The forms.
const (
	// FormStem compares the stem of a word with the stems of the field.
	FormStem Form = iota
	// FormPhrase looks for the words as written, one after the other.
	FormPhrase
	// FormPrefix looks for a word, as written, that begins so.
	FormPrefix
)

// Time holds when the event's time is in [From, Until), in Unix seconds; 0 leaves
// an end open. It stands where a time is one alternative or is negated; a time
// that the whole search must meet is the Query's own.
type Time struct{ From, Until int64 }

// RecipientState is a condition on the recipients of a send.
type RecipientState string

// The states. Each holds when at least one recipient is so, but for Unreplied,
// which holds when none has replied.
const (
	IsUnopened   RecipientState = "unopened"
	IsOpened     RecipientState = "opened"
	IsClicked    RecipientState = "clicked"
	IsReplied    RecipientState = "replied"
	IsUnreplied  RecipientState = "unreplied"
	IsDownloaded RecipientState = "downloaded"
	IsBounced    RecipientState = "bounced"
)

func (And) expr()        {}
func (Or) expr()         {}
func (Not) expr()        {}
func (Keyword) expr()    {}
func (Words) expr()      {}
func (Time) expr()       {}
func (Recipients) expr() {}

// AllOf joins conditions, leaving out nil ones; nil when none is left.
func AllOf(conditions ...Expr) Expr {
	count, last := 0, -1
	for i, c := range conditions {
		if c != nil {
			count, last = count+1, i
		}
	}
	switch count {
	case 0:
		return nil
	case 1:
		return conditions[last]
	}
	all := make(And, 0, count)
	for _, c := range conditions {
		if c != nil {
			all = append(all, c)
		}
	}
	return all
}

// Types is the condition that an event has one of the types.
func Types(types ...event.Type) Expr {
	values := make([]string, len(types))
	for i, t := range types {
		values[i] = string(t)
	}
	return Keyword{FieldType, values}
}
