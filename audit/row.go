package audit

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// Kind is what a row is about.
type Kind string

// The kinds. A change is written before it is made (begun) and once more with what
// came of it (change).
const (
	KindSignIn  Kind = "sign-in"
	KindRead    Kind = "read"
	KindBegun   Kind = "begun"
	KindChange  Kind = "change"
	KindSecret  Kind = "secret"
	KindRefused Kind = "refused"
	KindLog     Kind = "log"
)

// Valid reports whether k is one of the kinds.
func (k Kind) Valid() bool {
	switch k {
	case KindSignIn, KindRead, KindBegun, KindChange, KindSecret, KindRefused, KindLog:
		return true
	}
	return false
}

// Everybody among what a row is about stands for all of a workspace: who exports it
// has looked at everybody's mail.
const (
	EveryUser   = "user:*"
	EveryPerson = "person:*"
)

// Installation is the workspace of rows that belong to none, such as a failed
// sign-in.
const Installation = ""

// Row is one entry of the log. Its field order is its canonical form: a new field
// goes to the end and is left out when empty.
type Row struct {
	// Seq counts the rows of a workspace and day from 1.
	Seq int64 `json:"seq"`
	// ID is unique and in the order of time. It stays the same in whatever the row
	// is sent to.
	ID        string    `json:"id"`
	At        time.Time `json:"at"`
	Workspace string    `json:"workspace"`
	Kind      Kind      `json:"kind"`
	// Actor is user:ID, key:ID, operator:UID, server or nobody.
	Actor string `json:"actor"`
	// Credential is the beginning of the hash of the key or session.
	Credential string `json:"credential,omitempty"`
	// Address is the network that the request came from, /24 or /48.
	Address string `json:"address,omitempty"`
	// Route is the method and the route's path, or the operator's command.
	Route string `json:"route"`
	// Object is what was asked for, with persons' keys instead of addresses.
	Object string `json:"object,omitempty"`
	// About are whose mail was looked at, and what: user:ID, person:KEY, message:ID.
	About []string `json:"about,omitempty"`
	// Persons are addresses of whom it is about too. They become keys in About before
	// anything is written.
	Persons []string `json:"-"`
	// Result is the status of the answer, 0 where there is none.
	Result int `json:"result,omitempty"`
	// Rows is how many rows the answer had.
	Rows int `json:"rows,omitempty"`
	// Count is of how many requests a summed row stands, Since the first of them.
	Count int        `json:"count,omitempty"`
	Since *time.Time `json:"since,omitempty"`
	// Changes are the records that a change wrote.
	Changes []Change `json:"changes,omitempty"`
	// Of is the ID of the row that this one ends.
	Of     string `json:"of,omitempty"`
	Trace  string `json:"trace,omitempty"`
	Reason string `json:"reason,omitempty"`
	// Prev is the hash of the row before it; that of the first follows from the
	// workspace and the day.
	Prev string `json:"prev"`
	// Hash is that of Prev and the row. It is beside the row, not in it.
	Hash string `json:"-"`
}

// Change is one record that was written, by keyed hashes of what it was and is: they
// tell that it changed, and whether it is the same as another time, and nothing else.
type Change struct {
	Kind   string `json:"kind"`
	ID     string `json:"id"`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

// Day is a day in UTC, as 2026-11-29. Days sort as texts do.
type Day string

// DayOf is the day of a time.
func DayOf(at time.Time) Day { return Day(at.UTC().Format(time.DateOnly)) }

// Entry is a row as it is stored: its canonical form and its hash, and the columns
// that it is found by, which say the same.
type Entry struct {
	Workspace string
	Seq       int64
	ID        string
	At        time.Time
	Kind      Kind
	Actor     string
	Route     string
	About     []string
	Doc       []byte
	Hash      string
}

// Row reads the row.
func (e Entry) Row() (Row, error) {
	var row Row
	if err := json.Unmarshal(e.Doc, &row); err != nil {
		return Row{}, fmt.Errorf("read a row of the audit log: %w", err)
	}
	row.Hash = e.Hash
	return row, nil
}

// Bounds of what a row holds.
const (
	maxText  = 500
	maxAbout = 250
)

// tidy bounds a row's texts and makes them valid, so that the row read back is the
// row written.
func (r *Row) tidy() {
	for _, text := range []*string{&r.Actor, &r.Credential, &r.Address, &r.Route, &r.Object, &r.Trace, &r.Reason} {
		*text = clean(*text)
	}
	for i := range r.About {
		r.About[i] = clean(r.About[i])
	}
	r.At = r.At.UTC().Truncate(time.Millisecond)
}

// nameBy puts keys in the place of addresses, and bounds whom a row is about: beyond
// that it is not known any more whom it is not about.
func (r *Row) nameBy(names Names) {
	seen := make(map[string]bool, len(r.Persons))
	for _, email := range r.Persons {
		if !seen[email] {
			seen[email] = true
			r.About = append(r.About, names.Person(email))
		}
	}
	r.Persons = nil
	if len(r.About) > maxAbout {
		r.About = append(r.About[:maxAbout:maxAbout], EveryUser, EveryPerson)
	}
}

// clean replaces what is no text and shortens it at a whole character.
func clean(text string) string {
	text = strings.ToValidUTF8(text, "�")
	if len(text) <= maxText {
		return text
	}
	end := maxText
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}

// genesis stands before the first row of a chain.
func genesis(workspace string, day Day) string {
	sum := sha256.Sum256([]byte("tidings audit\x00" + workspace + "\x00" + string(day)))
	return hex.EncodeToString(sum[:])
}

// hashOf is the hash of a row by the one before it.
func hashOf(prev string, doc []byte) string {
	h := sha256.New()
	_, _ = io.WriteString(h, prev) // a hash takes everything
	_, _ = h.Write(doc)
	return hex.EncodeToString(h.Sum(nil))
}

// link puts a row behind another in its chain.
func link(row Row, seq int64, prev string) (Entry, error) {
	row.Seq, row.Prev, row.Hash = seq, prev, ""
	doc, err := json.Marshal(row)
	if err != nil {
		return Entry{}, fmt.Errorf("encode a row of the audit log: %w", err)
	}
	return Entry{
		Workspace: row.Workspace, Seq: seq, ID: row.ID, At: row.At, Kind: row.Kind, Actor: row.Actor, Route: row.Route,
		About: row.About, Doc: doc, Hash: hashOf(prev, doc),
	}, nil
}

var idLetters = base32.HexEncoding.WithPadding(base32.NoPadding)

// newID is 48 bits of milliseconds and 72 random ones, in letters that sort as they do.
func newID(at time.Time, random io.Reader) (string, error) {
	var raw [15]byte
	binary.BigEndian.PutUint64(raw[:8], uint64(at.UnixMilli())<<16)
	if _, err := io.ReadFull(random, raw[6:]); err != nil {
		return "", errors.Join(errors.New("read randomness"), err)
	}
	return strings.ToLower(idLetters.EncodeToString(raw[:])), nil
}
