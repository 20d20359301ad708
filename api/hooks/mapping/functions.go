package mapping

import (
	"crypto/sha256"
	"encoding/hex"
	"reflect"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/expr-lang/expr/vm/runtime"

	"tidings/address"
	"tidings/event"
)

// environment is what an expression can see: the request, and functions that are
// counted. Each is documented in docs/sources.md.
func environment(m *meter) map[string]any {
	return map[string]any{
		"e": any(nil), "body": any(nil), "form": map[string]any{}, "header": map[string]any{},
		stepName: m.step, addName: m.add,
		"equal__": m.equal, "unequal__": func(a, b any) bool { return !m.equal(a, b) },
		"in__": m.in, "matches__": m.matches, "contains__": m.contains,
		"less__":    func(a, b any) bool { m.read(a, b); return runtime.Less(a, b) },
		"atMost__":  func(a, b any) bool { m.read(a, b); return runtime.LessOrEqual(a, b) },
		"more__":    func(a, b any) bool { m.read(a, b); return runtime.More(a, b) },
		"atLeast__": func(a, b any) bool { m.read(a, b); return runtime.MoreOrEqual(a, b) },
		"len":       func(a any) int { m.read(a); return runtime.Len(a) },
		"hasPrefix": func(a, b any) bool { return strings.HasPrefix(m.whole(a), m.whole(b)) },
		"hasSuffix": func(a, b any) bool { return strings.HasSuffix(m.whole(a), m.whole(b)) },
		"indexOf":   func(a, b any) int { return strings.Index(m.whole(a), m.whole(b)) },
		"trim":      m.trim, "lastIndexOf": func(a, b any) int { return strings.LastIndex(m.whole(a), m.whole(b)) },
		"trimPrefix": func(a, b any) string { return strings.TrimPrefix(m.whole(a), m.whole(b)) },
		"trimSuffix": func(a, b any) string { return strings.TrimSuffix(m.whole(a), m.whole(b)) },
		"bare":       m.bare, "json": m.json, "values": m.values, "keys": m.keys, "text": m.text, "string": m.text, "list": m.list,
		"lower": m.lower, "upper": m.upper, "split": m.split, "join": m.join, "replace": m.replace, "address": m.address,
		"about": m.about, "header_of": m.headerOf,
	}
}

func (m *meter) add(a, b any) any {
	switch x := a.(type) {
	case string:
		y, ok := b.(string)
		if !ok {
			y = Text(b)
		}
		m.took(len(x) + len(y))
		return x + y
	case int:
		if y, ok := b.(int); ok {
			return x + y
		}
	}
	x, okX := number(a)
	y, okY := number(b)
	if okX && okY {
		return x + y
	}
	if y, ok := b.(string); ok {
		x := Text(a)
		m.took(len(x) + len(y))
		return x + y
	}
	panic(errUsed)
}

// equal compares numbers by their value and everything else as it is.
func (m *meter) equal(a, b any) bool {
	m.step()
	if x, ok := number(a); ok {
		y, ok := number(b)
		return ok && x == y
	}
	switch x := a.(type) {
	case nil:
		return b == nil
	case string:
		y, ok := b.(string)
		m.steps += min(len(x), len(y)) / 256
		return ok && x == y
	case bool:
		y, ok := b.(bool)
		return ok && x == y
	}
	m.took(m.size(a))
	return reflect.DeepEqual(a, b)
}

// size is about how many bytes a value has, counted as far as it may matter.
func (m *meter) size(value any) int {
	m.step()
	total := 8
	switch v := value.(type) {
	case string:
		return len(v)
	case []any:
		for _, within := range v {
			total += m.size(within)
		}
	case map[string]any:
		for name, within := range v {
			total += len(name) + m.size(within)
		}
	}
	return total
}

func (m *meter) in(a, b any) bool {
	switch v := b.(type) {
	case []any:
		return slices.ContainsFunc(v, func(within any) bool { return m.equal(a, within) })
	case map[string]any:
		name, ok := a.(string)
		_, found := v[name]
		return ok && found
	case []string:
		name, ok := a.(string)
		return ok && slices.Contains(v, name)
	case nil:
		return false
	}
	list := reflect.ValueOf(b)
	if list.Kind() != reflect.Slice {
		panic(errUsed)
	}
	for i := range list.Len() {
		if m.equal(a, list.Index(i).Interface()) {
			return true
		}
	}
	return false
}

func (m *meter) contains(text, part any) bool {
	a, b := Text(text), Text(part)
	m.read(a, b)
	return strings.Contains(a, b)
}

// whole is a text that a function looks through once.
func (m *meter) whole(value any) string {
	text, ok := value.(string)
	if !ok && value != nil {
		panic(errUsed)
	}
	m.read(value)
	return text
}

// maxCutset bounds the characters that trim takes off: each is looked for in all of them.
const maxCutset = 100

// trim takes white space, or the characters of a set, off both ends.
func (m *meter) trim(value any, set ...any) string {
	text := m.whole(value)
	if len(set) == 0 {
		return strings.TrimSpace(text)
	}
	cutset := m.whole(set[0])
	if len(set) > 1 || len(cutset) > maxCutset {
		panic(errUsed)
	}
	m.steps += len(text) * (1 + len(cutset)) / 32
	m.step()
	return strings.Trim(text, cutset)
}

// Bounds of patterns. A short one can be a large program: ".{1000}".
const (
	maxPattern  = 300
	maxProgram  = 2000
	maxPatterns = 100
)

// pattern is a regular expression, nil for what is none, and how large its program is.
type pattern struct {
	*regexp.Regexp
	size int
}

// matches counts the worst that a match can take: its program, for each byte of the text.
func (m *meter) matches(text, expression any) bool {
	a, b := m.whole(text), m.whole(expression)
	p, known := m.patterns[b]
	if !known {
		if len(b) > maxPattern || len(m.patterns) == maxPatterns {
			panic(errUsed)
		}
		p = compilePattern(b)
		m.steps += 200 + 4*p.size
		if m.patterns == nil {
			m.patterns = make(map[string]pattern)
		}
		m.patterns[b] = p
	}
	if p.Regexp == nil {
		panic(errUsed)
	}
	m.steps += len(a) * (1 + p.size/8)
	m.step()
	return p.MatchString(a)
}

func compilePattern(text string) pattern {
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil || repeated(parsed) > maxProgram {
		return pattern{}
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil || len(program.Inst) > maxProgram {
		return pattern{size: maxProgram}
	}
	compiled, err := regexp.Compile(text)
	if err != nil {
		return pattern{size: len(program.Inst)}
	}
	return pattern{compiled, len(program.Inst)}
}

// repeated is about how many instructions an expression comes to.
func repeated(r *syntax.Regexp) int {
	total := 1 + len(r.Rune)/16
	for _, within := range r.Sub {
		total += repeated(within)
	}
	if r.Op == syntax.OpRepeat {
		total *= max(r.Min, r.Max, 1)
	}
	return min(total, 1<<30)
}

// bare is a Message-ID without its angle brackets.
func (m *meter) bare(value any) string { m.step(); return event.MessageName(Text(value)) }

// json reads a text as JSON, nil when it is none.
func (m *meter) json(value any) any {
	text, ok := value.(string)
	if !ok {
		return value
	}
	m.took(4 * len(text))
	read, err := decode([]byte(text))
	if err != nil {
		return nil
	}
	return read
}

func (m *meter) values(value any) []any {
	object, _ := value.(map[string]any)
	m.took(16 * len(object))
	return sortedValues(object)
}

func (m *meter) keys(value any) []any {
	object, _ := value.(map[string]any)
	m.took(16 * len(object))
	names := make([]any, 0, len(object))
	for name := range object {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
	return names
}

// text is a scalar as a text, "" for what is none.
func (m *meter) text(value any) string {
	text := Text(value)
	m.took(len(text))
	return text
}

// list is a list: of nothing for nil, of itself for what is none.
func (m *meter) list(value any) []any {
	m.step()
	switch v := value.(type) {
	case nil:
		return []any{}
	case []any:
		return v
	}
	return []any{value}
}

func (m *meter) lower(value any) string { return strings.ToLower(m.text(value)) }
func (m *meter) upper(value any) string { return strings.ToUpper(m.text(value)) }

func (m *meter) split(value, separator any) []any {
	text := m.text(value)
	if Text(separator) == "" {
		panic(errUsed)
	}
	m.took(16 * strings.Count(text, Text(separator)))
	parts := strings.Split(text, Text(separator))
	all := make([]any, len(parts))
	for i, part := range parts {
		all[i] = part
	}
	return all
}

func (m *meter) join(value, separator any) string {
	var b strings.Builder
	for i, part := range m.list(value) {
		if i > 0 {
			b.WriteString(Text(separator))
		}
		text := Text(part)
		m.took(len(text) + len(Text(separator)))
		b.WriteString(text)
	}
	return b.String()
}

func (m *meter) replace(value, old, with any) string {
	text, from, to := m.text(value), Text(old), Text(with)
	if from == "" {
		panic(errUsed)
	}
	m.took(strings.Count(text, from) * len(to))
	return strings.ReplaceAll(text, from, to)
}

// address is the bare address of "Jo <jo@example.com>".
func (m *meter) address(value any) string {
	m.step()
	return person(Text(value)).Email
}

// about is the name of a message for an event that is about a person, and no mail.
func (m *meter) about(vendor, email any) string {
	m.step()
	if Text(email) == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(address.Fold(Text(email))))
	return Text(vendor) + "/" + hex.EncodeToString(sum[:12])
}

// headerOf finds a header of a mail in a list of {name, value} objects.
func (m *meter) headerOf(list, name any) string {
	wanted := Text(name)
	items, _ := list.([]any)
	for _, item := range items {
		m.step()
		pair, _ := item.(map[string]any)
		for _, key := range []string{"name", "Name"} {
			if strings.EqualFold(Text(pair[key]), wanted) {
				return Text(pair["value"]) + Text(pair["Value"])
			}
		}
	}
	return ""
}
