package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"tidings/event"
)

// keyMarks are how long before a key's end people are told.
var keyMarks = []time.Duration{24 * time.Hour, 7 * 24 * time.Hour, 30 * 24 * time.Hour}

// keyIdle is after how long without use people are asked whether a key is needed.
const keyIdle = 90 * 24 * time.Hour

// KeyNotice is what people should know about a key.
type KeyNotice struct {
	Workspace string
	// User is whose key it is, "" for nobody's.
	User string
	// Cause is the same for the same thing, however often it is found.
	Cause string
	// Text is a sentence.
	Text string
}

// Notices are what people should know of all keys now: which end within 30 days, 7 days
// or a day, and which were not used for 90 days.
func (k *Keys) Notices(ctx context.Context) ([]KeyNotice, error) {
	records, err := k.records.List(ctx, NoWorkspace, kindKey)
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	now := k.clock()
	var notices []KeyNotice
	for _, each := range records {
		var record keyRecord
		if err := json.Unmarshal(each.Doc, &record); err != nil {
			return nil, fmt.Errorf("decode key: %w", err)
		}
		if record.over(now) {
			continue
		}
		notice := KeyNotice{Workspace: record.Workspace, User: record.User}
		if mark, ends := record.mark(now); ends {
			notice.Cause = fmt.Sprintf("%s|ends|%d|%s", record.ID, record.Ends.Unix(), mark)
			notice.Text = fmt.Sprintf("%s ends on %s. Rotate it, or make another one, before then.", record.words(), record.Ends.Format("2 January 2006 at 15:04 UTC"))
		} else {
			used, err := k.lastUse(ctx, each.ID, record)
			if err != nil {
				return nil, err
			}
			if now.Sub(used) < keyIdle {
				continue
			}
			notice.Cause = fmt.Sprintf("%s|idle|%d", record.ID, used.Unix())
			notice.Text = fmt.Sprintf("%s was not used since %s. Revoke it if nothing needs it.", record.words(), used.Format("2 January 2006"))
		}
		note, err := Get[keyNote](ctx, k.records, record.Workspace, kindKey, record.ID)
		switch {
		case errors.Is(err, event.ErrNotFound) || err == nil && note.Hash != each.ID:
			continue // it is being revoked, or was rotated: its other text counts
		case err != nil:
			return nil, fmt.Errorf("read note of key: %w", err)
		}
		notices = append(notices, notice)
	}
	return notices, nil
}

// mark is the shortest time before a key's end that has come, of those that are shorter
// than the key's life.
func (r keyRecord) mark(now time.Time) (time.Duration, bool) {
	if r.Ends.IsZero() {
		return 0, false
	}
	at := slices.IndexFunc(keyMarks, func(mark time.Duration) bool { return r.Ends.Sub(now) <= mark })
	if at < 0 || r.Ends.Sub(r.Created) <= keyMarks[at] {
		return 0, false
	}
	return keyMarks[at], true
}

// lastUse is when a key was used last, or made.
func (k *Keys) lastUse(ctx context.Context, hash string, record keyRecord) (time.Time, error) {
	used, err := Get[time.Time](ctx, k.records, NoWorkspace, kindKeyUsed, hash)
	if errors.Is(err, event.ErrNotFound) {
		return record.Created, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("read last use of key: %w", err)
	}
	return used, nil
}

// words name a key for people.
func (r keyRecord) words() string {
	if r.Name == "" {
		return "The key " + r.Prefix + "…"
	}
	return fmt.Sprintf("The key “%s” (%s…)", r.Name, r.Prefix)
}

// Admins are the active people who look after a workspace.
func (d *Directory) Admins(ctx context.Context, workspace string) ([]string, error) {
	users, err := d.users(ctx, workspace)
	if err != nil {
		return nil, err
	}
	var admins []string
	for id, user := range users.byID {
		if user.Role == RoleAdmin && user.State != StateSuspended {
			admins = append(admins, id)
		}
	}
	slices.Sort(admins)
	return admins, nil
}
