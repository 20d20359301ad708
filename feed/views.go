package feed

import (
	"cmp"
	"slices"
	"time"

	"tidings/event"
	"tidings/query"
)

// Scope is who reads: the workspace that everything belongs to and the users
// whose events they may see.
type Scope struct {
	Workspace string
	// Users is nil when the reader may see everybody's.
	Users []string
	// Me is the reader's own user, "" when the key has none.
	Me string
	// Zone is where the reader's days begin; nil is UTC.
	Zone *time.Location
}

// maySee reports whether the reader may see a user's events.
func (s Scope) maySee(user string) bool {
	return s.Users == nil || slices.Contains(s.Users, user)
}

// seen is what the reader may see of a message that was sent; false where that is
// nothing.
func (s Scope) seen(state event.State) (event.State, bool) {
	if s.Users == nil {
		return state, true
	}
	return state.SeenBy(s.maySee)
}

func (s Scope) zone() *time.Location {
	if s.Zone == nil {
		return time.UTC
	}
	return s.Zone
}

// PageRequest asks for a page of the feed.
type PageRequest struct {
	Scope
	// Text is what was typed.
	Text string
	// Filter holds the structured filters. Since 0 means the horizon.
	Filter query.Filter
	// Limit is 1 to MaxLimit; 0 means DefaultLimit.
	Limit int
	// Cursor is Next of the page before, "" for the first.
	Cursor string
}

// Bounds of a page.
const (
	DefaultLimit = 50
	MaxLimit     = 200
)

// Page is a part of the feed, newest first.
type Page struct {
	Items []Item `json:"items" nullable:"false"`
	// Next asks for the page after this one; nil when there is none.
	Next *string `json:"next" doc:"cursor of the page after this one; null when there is none"`
	// Reached is how far back this page has looked.
	Reached time.Time  `json:"reached" doc:"how far back this page has looked; with the oldest first, how far forward where there are more"`
	Query   Understood `json:"query" doc:"how the text was understood"`
	// Partial says that some of the weeks that were looked into cannot be read, and
	// Warnings which.
	Partial  bool     `json:"partial,omitempty" doc:"weeks that cannot be read are missing: see warnings"`
	Warnings []string `json:"warnings,omitempty" doc:"what is missing, in words"`
	// Live is the position from which the socket misses nothing.
	Live string `json:"live,omitempty" doc:"subscribe from here to miss nothing"`
	// Answer is there on the first page of a question.
	Answer *Answer `json:"answer,omitempty" doc:"on the first page of a question (who, how many, which, did, has, when): what it comes to. See /v1/answer"`
}

// Understood is how the text of a search was read.
type Understood struct {
	Chips          []query.Chip `json:"chips" nullable:"false"`
	Words          string       `json:"words"`
	Interpretation string       `json:"interpretation" doc:"what was understood of the text, in words"`
	// Table is what the events are to be counted by, beside the list.
	table query.Table
	Order string   `json:"order" enum:"newest,oldest" doc:"what comes first in the list"`
	Notes []string `json:"notes,omitempty" doc:"what was left out, and why"`
	// Unused are the words that took no part.
	Unused []string `json:"unused,omitempty" doc:"words of the text that took no part"`
	// DidYouMean and Showing are the text with its misspelt words corrected.
	DidYouMean string `json:"did_you_mean,omitempty" doc:"the text as it was probably meant; nothing was found, or little, as it was typed"`
	Showing    string `json:"showing,omitempty" doc:"the corrected text that the items are of, when there are none of the text as it was typed; chips, words and interpretation are this text's"`
}

// MessageView is what is known of one message.
type MessageView struct {
	Message    string      `json:"message" doc:"the name that the message is known under; any of its names may be asked for"`
	Aliases    []string    `json:"aliases,omitempty" doc:"its other names"`
	User       *User       `json:"user,omitempty"`
	Subject    string      `json:"subject,omitempty"`
	Sent       *time.Time  `json:"sent,omitempty" doc:"absent while the send itself is not known"`
	Recipients []Recipient `json:"recipients" nullable:"false" doc:"by address: the first 50, or up to 200 behind a cursor"`
	Rest       *Rest       `json:"rest,omitempty" doc:"the recipients behind those"`
	Unopened   int         `json:"unopened" doc:"how many have not opened, of all recipients"`
	Counts     []TypeCount `json:"counts" nullable:"false" doc:"events of the message, by type"`
	Version    int64       `json:"v" doc:"version of the state; the socket's state frames carry it too"`
}

// TypeCount counts events of one type, by who made them.
type TypeCount struct {
	Type      event.Type `json:"type"`
	People    int        `json:"people" doc:"made by people, or not known to be made by machines"`
	Automated int        `json:"automated" doc:"made by machines"`
}

// EventView is one event with its raw evidence.
type EventView struct {
	Item
	Body     string    `json:"body,omitempty" doc:"the whole text, of a reply with what it quotes"`
	OwnWords string    `json:"own_words,omitempty" doc:"of a reply whose body quotes or has a signature: the body without"`
	Evidence *Evidence `json:"evidence,omitempty" doc:"what was said of the client, as it came"`
}

// Evidence is raw evidence of what made an event.
type Evidence struct {
	IP        string            `json:"ip,omitempty"`
	UserAgent *string           `json:"user_agent,omitempty"`
	Automated *bool             `json:"automated,omitempty" doc:"the provider's own flag"`
	Method    string            `json:"method,omitempty" doc:"the request's"`
	Headers   map[string]string `json:"headers,omitempty" doc:"those of the request's that tell a machine from a person"`
	// RulesVersion says which version of the rules gave the verdict.
	RulesVersion int `json:"rules_version,omitempty"`
}

func sortPeople(people []event.Person) {
	slices.SortFunc(people, func(a, b event.Person) int { return cmp.Compare(a.Email, b.Email) })
}
