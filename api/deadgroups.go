package api

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tidings/event"
)

// Bounds of working on dead letters together.
const (
	// mostGrouped is how many are read to group them.
	mostGrouped = 10_000
	// mostReplayed is how many one request puts back at most.
	mostReplayed = 1000
	deadPage     = 200
	maxChosen    = 1000
)

// ReasonView are the dead letters that failed for one reason.
type ReasonView struct {
	Reason string    `json:"reason" doc:"the last error of each, with what differs between them left out"`
	Count  int       `json:"count"`
	First  time.Time `json:"first" doc:"when the first of them was given up"`
	Last   time.Time `json:"last"`
	// Example leads to the payload.
	Example string `json:"example" doc:"the id of one of them"`
}

type reasonsOutput struct {
	Body struct {
		Items    []ReasonView `json:"items"`
		Complete bool         `json:"complete" doc:"false when there are more than the 10,000 that were looked at"`
	} `nameHint:"ReasonList"`
}

// DeadLetterChoice says which dead letters are meant: one of the three.
type DeadLetterChoice struct {
	IDs    []string `json:"ids,omitempty" maxItems:"1000" doc:"these"`
	Reason string   `json:"reason,omitempty" maxLength:"300" doc:"those that failed for this reason, as the list of reasons has it"`
	All    bool     `json:"all,omitempty" doc:"all of the workspace"`
}

// DeadLetterReceipt says what became of a choice.
type DeadLetterReceipt struct {
	Done int  `json:"done"`
	Gone int  `json:"gone" doc:"were not there any more"`
	More bool `json:"more" doc:"more than 1,000 were meant: ask again"`
}

type choiceInput struct{ content }

type choiceOutput struct{ Body DeadLetterReceipt }

func (s *Server) deadGroupRoutes(docs huma.API) {
	handle(s, docs, route{
		id: "list-dead-letter-reasons", audit: auditNothing, method: http.MethodGet, path: "/v1/dead-letters/reasons", group: "Dead letters", may: admins(),
		summary: "Why events failed for good, the most frequent reason first",
	}, s.listReasons)
	handle(s, docs, route{
		id: "replay-dead-letters", method: http.MethodPost, path: "/v1/dead-letters/replay", group: "Dead letters",
		may: admins(), request: DeadLetterChoice{}, failures: []int{http.StatusTooManyRequests},
		summary:     "Put several back into the queue: some, those of a reason, or all",
		description: "At most 1,000 a request, oldest event first; more says to ask again.",
	}, func(ctx context.Context, caller Caller, in *choiceInput) (*choiceOutput, error) {
		return s.chosenLetters(ctx, caller, in, s.DeadLetters.Replay)
	})
	handle(s, docs, route{
		id: "drop-dead-letters", method: http.MethodPost, path: "/v1/dead-letters/drop", group: "Dead letters",
		may: admins(), request: DeadLetterChoice{},
		summary:     "Forget several: some, those of a reason, or all",
		description: "At most 1,000 a request, oldest event first; more says to ask again.",
	}, func(ctx context.Context, caller Caller, in *choiceInput) (*choiceOutput, error) {
		return s.chosenLetters(ctx, caller, in, s.DeadLetters.Drop)
	})
}

// What differs between two failures for the same reason: ids, addresses,
// numbers and what is quoted.
var (
	variableQuote  = regexp.MustCompile("\"[^\"]*\"|`[^`]*`")
	variableWord   = regexp.MustCompile(`\S+@\S+|\b[0-9a-v]{26}\b|\b[0-9a-fA-F]{8,}\b|\b\d+(?:[.:]\d+)*\b`)
	variableSpaces = regexp.MustCompile(`\s+`)
)

// reasonOf is why a dead letter failed, in the words that others failed with.
func reasonOf(letter event.DeadLetter) string {
	if len(letter.Attempts) == 0 {
		return "no reason given"
	}
	text := letter.Attempts[len(letter.Attempts)-1].Error
	text = variableQuote.ReplaceAllString(text, "…")
	text = variableWord.ReplaceAllString(text, "…")
	text = strings.TrimSpace(variableSpaces.ReplaceAllString(text, " "))
	if len(text) > maxReason {
		text = strings.ToValidUTF8(text[:maxReason-len("…")], "") + "…"
	}
	return cmp.Or(text, "no reason given")
}

// eachDeadLetter visits a workspace's dead letters in the order of their events,
// from behind the id after, until visit says that it is enough. It reports whether
// it saw all of them.
func (s *Server) eachDeadLetter(ctx context.Context, workspace, after string, visit func(event.DeadLetter) (bool, error)) (all bool, err error) {
	for {
		letters, err := s.DeadLetters.DeadLetters(ctx, workspace, after, deadPage)
		if err != nil {
			return false, fmt.Errorf("walk dead letters: %w", err)
		}
		if len(letters) == 0 {
			return true, nil
		}
		for _, letter := range letters {
			after = letter.ID
			if more, err := visit(letter); err != nil || !more {
				return false, err
			}
		}
	}
}

// deadLettersOf are a workspace's dead letters behind an id, limit at most, of all
// reasons or of one.
func (s *Server) deadLettersOf(ctx context.Context, workspace, reason, after string, limit int) ([]event.DeadLetter, error) {
	if reason == "" {
		return s.DeadLetters.DeadLetters(ctx, workspace, after, limit)
	}
	var letters []event.DeadLetter
	_, err := s.eachDeadLetter(ctx, workspace, after, func(letter event.DeadLetter) (bool, error) {
		if reasonOf(letter) == reason {
			letters = append(letters, letter)
		}
		return len(letters) < limit, nil
	})
	return letters, err
}

func (s *Server) listReasons(ctx context.Context, caller Caller, _ *empty) (*reasonsOutput, error) {
	groups := make(map[string]*ReasonView)
	seen := 0
	all, err := s.eachDeadLetter(ctx, caller.Workspace, "", func(letter event.DeadLetter) (bool, error) {
		if seen++; seen > mostGrouped {
			return false, nil
		}
		reason, at := reasonOf(letter), letter.At.UTC().Truncate(time.Second)
		group := groups[reason]
		if group == nil {
			group = &ReasonView{Reason: reason, First: at, Last: at, Example: letter.ID}
			groups[reason] = group
		}
		group.Count++
		if at.Before(group.First) {
			group.First = at
		}
		if at.After(group.Last) {
			group.Last = at
		}
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	out := new(reasonsOutput)
	out.Body.Complete = all
	out.Body.Items = make([]ReasonView, 0, len(groups))
	for _, group := range groups {
		out.Body.Items = append(out.Body.Items, *group)
	}
	slices.SortFunc(out.Body.Items, func(a, b ReasonView) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Reason, b.Reason))
	})
	return out, nil
}

func (c DeadLetterChoice) check() error {
	ways := 0
	for _, given := range []bool{len(c.IDs) > 0, c.Reason != "", c.All} {
		if given {
			ways++
		}
	}
	if ways != 1 {
		return event.Invalid("", "must hold one of ids, reason, all")
	}
	if len(c.IDs) > maxChosen {
		return event.Invalid("ids", "has more than 1,000")
	}
	for i, id := range c.IDs {
		if _, err := event.ParseID(id); err != nil {
			return event.Invalid(fmt.Sprintf("ids[%d]", i), "is not an event id")
		}
	}
	return nil
}

// chosenLetters does something to each letter of a choice, oldest event first.
// They are chosen first: what fails again meanwhile is not done a second time.
func (s *Server) chosenLetters(ctx context.Context, caller Caller, in *choiceInput, act func(ctx context.Context, workspace, id string) error) (*choiceOutput, error) {
	choice, err := decodeDocument[DeadLetterChoice](&s.bodies, &in.content)
	if err != nil {
		return nil, err
	}
	if err := choice.check(); err != nil {
		return nil, inBody(err)
	}
	out := new(choiceOutput)
	ids := choice.IDs
	if len(ids) == 0 {
		_, err := s.eachDeadLetter(ctx, caller.Workspace, "", func(letter event.DeadLetter) (bool, error) {
			if !choice.All && reasonOf(letter) != choice.Reason {
				return true, nil
			}
			if out.Body.More = len(ids) == mostReplayed; out.Body.More {
				return false, nil
			}
			ids = append(ids, letter.ID)
			return true, nil
		})
		if err != nil {
			return nil, err
		}
	}
	for _, id := range ids {
		switch err := act(ctx, caller.Workspace, id); {
		case isGone(err):
			out.Body.Gone++
		case err != nil:
			return nil, fmt.Errorf("after %d of them: %w", out.Body.Done, err)
		default:
			out.Body.Done++
		}
	}
	return out, nil
}
