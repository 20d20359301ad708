package query

import (
	"crypto/sha256"
	"encoding/binary"

	"tidings/address"
	"tidings/event"
)

// Filter holds conditions that a program gives one by one, beside the text that
// somebody typed. Several values of one kind mean any of them; an empty kind
// means all.
type Filter struct {
	Types                       []event.Type
	Users, Recipients, Messages []string
	// Since and Until bound the time, [Since, Until) in Unix seconds, 0 for
	// an open end.
	Since, Until int64
	// UnlessTimed has Since and Until hold only where the text names no time
	// itself; whoever reads the text heeds it.
	UnlessTimed bool
	// Automated replaces the query's own choice unless it is "".
	Automated Automated
}

// Apply is what both the query and the filter let through.
func (f Filter) Apply(q Query) Query {
	q.From = max(q.From, f.Since)
	if f.Until != 0 && (q.Until == 0 || f.Until < q.Until) {
		q.Until = f.Until
	}
	if f.Automated != "" {
		q.Automated = f.Automated
	}
	where := []Expr{q.Where}
	if len(f.Types) > 0 {
		where = append(where, Types(f.Types...))
	}
	where = append(where,
		anyOf(FieldUser, f.Users),
		anyOf(FieldRecipient, each(f.Recipients, address.Fold)),
		anyOf(FieldMessage, each(f.Messages, event.MessageName)),
	)
	q.Where = AllOf(where...)
	return q
}

// anyOf is the condition on a keyword field, nil without values.
func anyOf(field KeywordField, values []string) Expr {
	if len(values) == 0 {
		return nil
	}
	return Keyword{field, values}
}

// Fingerprint names a sequence of texts, so that a cursor is not used with
// another search than its own. It is the same on every machine and for ever.
func Fingerprint(parts ...string) [8]byte {
	sum := sha256.New()
	for _, part := range parts {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		sum.Write(length[:])
		sum.Write([]byte(part))
	}
	var name [8]byte
	copy(name[:], sum.Sum(nil))
	return name
}

// each is every text as it is kept.
func each(texts []string, kept func(string) string) []string {
	all := make([]string, len(texts))
	for i, text := range texts {
		all[i] = kept(text)
	}
	return all
}
