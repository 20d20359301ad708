package query

import (
	"reflect"
	"slices"
	"strings"
	"time"

	"tidings/query/times"
)

// Canonical writes a query in operators. Of a query that Parse gave, Parse with
// the same options makes the same query again, as long as the text is within
// MaxText; of others it is for reading.
func Canonical(q Query) string {
	var parts []string
	if where := printAll(q.Where, nil); where != "" {
		parts = append(parts, where)
	}
	if q.From != 0 || q.Until != 0 {
		parts = append(parts, printTime(Time{q.From, q.Until}))
	}
	if q.History != nil {
		parts = append(parts, printHistory(*q.History)...)
	}
	chosen := q.Automated
	if chosen == "" {
		chosen = AutomatedHide
	}
	if chosen != automatedFor(q.Where) {
		parts = append(parts, "automated:"+string(chosen))
	}
	return strings.Join(parts, " ")
}

func printHistory(h History) (parts []string) {
	if h.counts() {
		parts = append(parts, "times:"+formatRange(h.Least, h.Most))
	}
	if h.First != 0 || h.Last != 0 {
		parts = append(parts, "nth:"+formatRange(h.First, h.Last))
	}
	if h.Pause != 0 {
		parts = append(parts, "pause:>"+formatSpan(h.Pause))
	}
	if h.From != 0 {
		parts = append(parts, "took:>"+formatSpan(h.From))
	}
	if h.Within != 0 {
		parts = append(parts, "took:<"+formatSpan(h.Within))
	}
	if h.Quiet {
		parts = append(parts, "quiet:0h")
	}
	return parts
}

func printTime(t Time) string { return "time:" + printEnd(t.From) + "/" + printEnd(t.Until) }

func printEnd(seconds int64) string {
	if seconds == 0 {
		return ".."
	}
	return time.Unix(seconds, 0).UTC().Format(time.RFC3339)
}

// printAll writes conditions side by side. outer are the conditions on people
// further out, which hold for states too.
func printAll(where Expr, outer []Expr) string {
	parts, ok := where.(And)
	if !ok {
		parts = And{where}
	}
	outer = slices.Clone(outer)
	for _, part := range parts {
		if isPerson(part) {
			outer = append(outer, part)
		}
	}
	var printed []string
	seen := map[KeywordField]bool{}
	for i, part := range parts {
		switch e := part.(type) {
		case nil:
			continue
		case Keyword:
			if asksSends(e) && i+1 < len(parts) && isNot(parts[i+1]) && asksSends(parts[i+1].(Not).Expr) && !slices.ContainsFunc(parts[:i], asksSends) {
				continue // The Not says so.
			}
			text := printValues(e, " ")
			if seen[e.Field] || !e.Field.single() && len(e.Values) > 1 {
				// Beside the others of its field it would mean either.
				text = printInner(e)
			}
			seen[e.Field] = true
			printed = append(printed, text)
		case Or:
			if k, ok := e[0].(Keyword); ok && len(e) == 2 && reflect.DeepEqual(e[1], Keyword{Field: FieldMessage}) && isPerson(k) {
				printed = append(printed, "among:"+quoteValue(k.Values[0]))
				continue
			}
			alternatives := make([]string, len(e))
			for i, alternative := range e {
				alternatives[i] = printOne(alternative, outer)
			}
			printed = append(printed, strings.Join(alternatives, " OR "))
		case Recipients:
			printed = append(printed, printRecipients(e, outer))
		default:
			printed = append(printed, printOne(part, outer))
		}
	}
	return strings.Join(printed, " ")
}

// printRecipients writes a state and what else is asked of the same recipient,
// but for outer, which is written already.
func printRecipients(r Recipients, outer []Expr) string {
	printed := []string{"is:" + string(r.Is)}
	switch {
	case r.Is == IsUnopened && r.OlderThan > 0:
		printed[0] = "unopened:>" + formatAge(r.OlderThan)
	case r.From != 0 || r.Until != 0:
		printed[0] = string(r.Is) + ":" + printEnd(r.From) + "/" + printEnd(r.Until)
	}
	for _, part := range conjuncts(r.Who) {
		if part != nil && !slices.ContainsFunc(outer, func(o Expr) bool { return reflect.DeepEqual(o, part) }) {
			text := printAll(part, nil)
			if or, ok := part.(And); ok && len(or) > 0 {
				text = "(" + text + ")"
			}
			printed = append(printed, text)
		}
	}
	return strings.Join(printed, " ")
}

// printOne writes a condition so that a minus or an OR may stand beside it.
func printOne(where Expr, outer []Expr) string {
	switch e := where.(type) {
	case Not:
		return "-" + printOne(e.Expr, outer)
	case Keyword:
		if len(e.Values) == 1 {
			return printValues(e, " ")
		}
		return printInner(e)
	case Words:
		return printWords(e)
	case Time:
		return printTime(e)
	case Recipients:
		if text := printRecipients(e, outer); !strings.Contains(text, " ") {
			return text
		}
	}
	return "(" + printAll(where, outer) + ")"
}

// printInner writes a keyword with several values as a condition of its own.
func printInner(k Keyword) string {
	if k.Field.single() {
		return "(" + printValues(k, " ") + ")"
	}
	return "(" + printValues(k, " OR ") + ")"
}

func printValues(k Keyword, between string) string {
	operator := string(k.Field)
	switch k.Field {
	case FieldUser:
		operator = "from"
	case FieldRecipient:
		operator = "to"
	}
	values := make([]string, len(k.Values))
	for i, value := range k.Values {
		values[i] = operator + ":" + quoteValue(asTyped(value))
	}
	return strings.Join(values, between)
}

// asTyped is an address as people type it: its local part without the quotes of RFC 5322,
// which end a value.
func asTyped(value string) string {
	end := strings.LastIndex(value, `"@`)
	if !strings.HasPrefix(value, `"`) || end < 1 {
		return value
	}
	return strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(value[1:end]) + value[end+1:]
}

func printWords(w Words) string {
	operator := ""
	switch w.Field {
	case FieldAny:
		if w.Form == FormStem && isEnglish(w.Word) {
			operator = "words:"
		}
	case FieldPeople:
		operator = "to:"
	default:
		operator = string(w.Field) + ":"
	}
	switch w.Form {
	case FormPrefix:
		return operator + strings.Join(w.Terms, " ") + "*"
	case FormPhrase:
		return operator + `"` + strings.Join(withoutParts(w.Terms), " ") + `"`
	}
	if w.Word != "" {
		return operator + w.Word
	}
	return operator + strings.Join(w.Terms, " ")
}

// withoutParts leaves out the parts of an address before the whole one, since
// the analysis puts them there again.
func withoutParts(terms []string) []string {
	kept := make([]string, 0, len(terms))
	for _, term := range terms {
		if strings.Contains(term, "@") {
			parts := len(Analyse(term)) - 1
			kept = kept[:max(0, len(kept)-parts)]
		}
		kept = append(kept, term)
	}
	return kept
}

// isEnglish reports whether a word may be read as anything but itself, so that
// it is printed with its operator.
func isEnglish(word string) bool {
	if word == "" || isSmall(word) || isGeneric(word) || isMachine(word) || isPeople(word) {
		return word != ""
	}
	if '0' <= word[0] && word[0] <= '9' {
		return true
	}
	for _, l := range append([]*language{shortEnglish}, languages...) {
		if _, begins := l.phrases[word]; begins || l.weight[word] > 0 {
			return true
		}
	}
	if _, f := doneOf(word); f != noForm || isQuantity(word) || isNegation(word) || keyNoun(word) != "" {
		return true
	}
	if times.IsWord(word) || correctOwn(word) != "" {
		return true
	}
	switch word {
	case "repeatedly", "multiple", "quiet", "inactive", "silent", "dormant", "mobile", "phone", "desktop", "tablet", "outlook", "gmail",
		"via", "using", "through", "exactly", "above", "per", "split", "broken", "order", "ordered", "engaged", "active", "times":
		return true
	case "unopened", "unread", "unreplied", "unanswered", "unclicked", "nobody", "awaiting", "waiting", "no", "without", "zero",
		"not", "never", "besides", "apart", "aside", "isn't", "wasn't", "aren't", "weren't", "still", "already", "ever", "even", "also", "except", "excluding", "exclude", "other", "hide", "ignore", "include", "including",
		"real", "human", "genuine", "bot", "machine", "automated", "automatic", "only", "yet", "far",
		"accepted", "confirmed", "declined", "rejected", "refused", "tentative", "maybe",
		"link", "links", "file", "files", "attachment", "attachments", "spam", "marked", "opted",
		"since", "starting", "after", "before", "until", "till", "til", "prior", "up", "between", "earlier", "over", "more",
		"older", "longer", "less", "newer", "fewer", "later", "under", "during", "within", "throughout", "around",
		"now", "today", "yesterday", "yest", "tomorrow", "tmrw", "tonight", "right", "half", "few", "couple",
		"noon", "dawn", "midday", "lunch", "lunchtime", "midnight", "morning", "afternoon", "evening", "night", "early", "mid", "late",
		"hasnt", "havent", "didnt", "dont", "doesnt", "q1", "q2", "q3", "q4", "weekend":
		return true
	}
	return false
}
