package account

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tidings/address"
	"tidings/event"
)

// Follow-ups are kept under kindFollowUp, by whose mail it is and a hash of the person.
const kindFollowUp = "followup"

// Bounds of follow-ups: how many a workspace keeps, the bytes of a note, how far ahead
// a snooze may end, and after how long one that is only done is forgotten where room
// is needed.
const (
	maxFollowUps   = 5_000
	maxNote        = 2_000
	maxSnooze      = 366 * 24 * time.Hour
	forgetFollowUp = 60 * 24 * time.Hour
)

// FollowUp is what a team has noted of a person to whom one of them writes. Whoever
// may see the mail sees it and may change it.
type FollowUp struct {
	Email string `json:"email"`
	User  string `json:"user,omitempty" doc:"whose mail to them it is about"`
	// Done covers what was sent or done until then: what comes later is new.
	Done     *time.Time `json:"done,omitempty" doc:"when it was marked done; what comes later is listed again"`
	Snoozed  *time.Time `json:"snoozed_until,omitempty" doc:"not listed until then"`
	Assignee string     `json:"assignee,omitempty" doc:"the id of the user who takes care of it"`
	Note     string     `json:"note,omitempty"`
	By       string     `json:"by,omitempty" doc:"the id of the user who changed it last"`
	Changed  time.Time  `json:"changed"`
	Revision int64      `json:"revision" doc:"name it to change the follow-up"`
}

// FollowUpRequest replaces a follow-up.
type FollowUpRequest struct {
	Revision int64      `json:"revision,omitempty" doc:"of the follow-up that this replaces; absent or 0 where there is none"`
	Done     bool       `json:"done,omitempty"`
	Snoozed  *time.Time `json:"snoozed_until,omitempty" doc:"at most a year ahead"`
	Assignee string     `json:"assignee,omitempty" doc:"the id of a user"`
	Note     string     `json:"note,omitempty" maxLength:"2000"`
}

func (r FollowUpRequest) check(now time.Time) *event.FieldError {
	switch {
	case len(r.Note) > maxNote:
		return event.Invalid("note", fmt.Sprintf("has %d bytes; at most %d are taken", len(r.Note), maxNote))
	case !utf8.ValidString(r.Note):
		return event.Invalid("note", "is not valid UTF-8")
	case r.Snoozed != nil && r.Snoozed.After(now.Add(maxSnooze)):
		return event.Invalid("snoozed_until", "is more than a year ahead")
	case r.Assignee != "":
		return CheckName("assignee", r.Assignee)
	}
	return nil
}

// FollowUps keeps follow-ups.
type FollowUps struct {
	records Records
	clock   func() time.Time
}

// NewFollowUps keeps follow-ups in records.
func NewFollowUps(records Records, clock func() time.Time) *FollowUps {
	return &FollowUps{records, clock}
}

func followUpID(user, email string) string {
	return url.PathEscape(user) + "/" + string(event.KeyOf(email))
}

// Sees reports whether a caller may see the mail of a user, "" for mail of nobody.
func (c Caller) Sees(user string) bool { return c.Users == nil || slices.Contains(c.Users, user) }

// List returns those that a caller may see, in no particular order.
func (f *FollowUps) List(ctx context.Context, caller Caller) ([]FollowUp, error) {
	all, err := List[FollowUp](ctx, f.records, caller.Workspace, kindFollowUp)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(one FollowUp) bool { return !caller.Sees(one.User) }), nil
}

// Put replaces the follow-up of a person for a user's mail. ErrConflict says that
// somebody changed it meanwhile, ErrNotFound that the caller may not see that mail.
func (f *FollowUps) Put(ctx context.Context, caller Caller, user, email string, request FollowUpRequest) (FollowUp, error) {
	now := f.clock().UTC().Truncate(time.Second)
	if !caller.Sees(user) {
		return FollowUp{}, fmt.Errorf("follow-up: %w", event.ErrNotFound)
	}
	if err := request.check(now); err != nil {
		return FollowUp{}, err
	}
	if request.Assignee != "" && !caller.Sees(request.Assignee) {
		return FollowUp{}, event.Invalid("assignee", "is nobody whom you may see")
	}
	id := followUpID(user, email)
	before, err := f.records.Get(ctx, caller.Workspace, kindFollowUp, id)
	var known FollowUp
	switch {
	case errors.Is(err, event.ErrNotFound):
		before = nil
		if err := f.makeRoom(ctx, caller.Workspace, now); err != nil {
			return FollowUp{}, err
		}
	case err != nil:
		return FollowUp{}, fmt.Errorf("get follow-up: %w", err)
	default:
		if err := json.Unmarshal(before, &known); err != nil {
			return FollowUp{}, fmt.Errorf("decode follow-up: %w", err)
		}
	}
	if known.Revision != request.Revision {
		return FollowUp{}, fmt.Errorf("follow-up: %w", event.ErrConflict)
	}
	next := FollowUp{
		Email: email, User: user, Snoozed: request.Snoozed, Assignee: request.Assignee, Note: strings.TrimSpace(request.Note),
		By: caller.User, Changed: now, Revision: known.Revision + 1,
	}
	if request.Done {
		next.Done = &now
	}
	doc, err := json.Marshal(next)
	if err != nil {
		return FollowUp{}, fmt.Errorf("encode follow-up: %w", err)
	}
	if err := f.records.Swap(ctx, caller.Workspace, kindFollowUp, id, before, doc); err != nil {
		return FollowUp{}, fmt.Errorf("put follow-up: %w", err)
	}
	return next, nil
}

// makeRoom forgets what is only done, and long ago, once there are many.
func (f *FollowUps) makeRoom(ctx context.Context, workspace string, now time.Time) error {
	all, err := List[FollowUp](ctx, f.records, workspace, kindFollowUp)
	if err != nil || len(all) < maxFollowUps {
		return err
	}
	left := len(all)
	for _, one := range all {
		snoozed := one.Snoozed != nil && one.Snoozed.After(now)
		if one.Note != "" || one.Assignee != "" || snoozed || now.Sub(one.Changed) < forgetFollowUp {
			continue
		}
		if err := f.delete(ctx, workspace, one); err != nil {
			return err
		}
		left--
	}
	if left >= maxFollowUps {
		return &event.TooMuch{What: fmt.Sprintf("there are %d follow-ups already: finish some first", left)}
	}
	return nil
}

func (f *FollowUps) delete(ctx context.Context, workspace string, one FollowUp) error {
	if err := f.records.Delete(ctx, workspace, kindFollowUp, followUpID(one.User, one.Email)); err != nil {
		return fmt.Errorf("delete follow-up: %w", err)
	}
	return nil
}

// ForgetPerson deletes what was noted of an erased person, and every note that names
// them, by the forms in lower case that their address is written in. It may be repeated.
func (f *FollowUps) ForgetPerson(ctx context.Context, workspace, email string, forms []string) error {
	all, err := List[FollowUp](ctx, f.records, workspace, kindFollowUp)
	if err != nil {
		return err
	}
	for _, one := range all {
		if one.Email != email && !address.Names(one.Note, forms) {
			continue
		}
		if err := f.delete(ctx, workspace, one); err != nil {
			return err
		}
	}
	return nil
}

// OfPerson are those of one person that a caller may see, by user.
func (f *FollowUps) OfPerson(ctx context.Context, caller Caller, email string) ([]FollowUp, error) {
	all, err := f.List(ctx, caller)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(one FollowUp) bool { return one.Email != email })
	slices.SortFunc(all, func(a, b FollowUp) int { return cmp.Compare(a.User, b.User) })
	return all, nil
}
