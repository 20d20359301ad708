package notify

import (
	"context"
	"time"
)

const (
	// mostLeaving is how many leave the house by themselves for a person in an hour: the
	// rest of it goes together at its end.
	mostLeaving = 20
	// leavingPage is how many decisions are read at once to count those.
	leavingPage = 5 * mostLeaving
)

// window is when what leaves the house now does, 0 for at once: at the end of the quiet
// hours, with the digest, or with the rest of an hour that has had enough.
func (s Settings) window(left int, now time.Time) int64 {
	now = now.In(s.location())
	end := now
	if s.Digest != nil {
		end = s.Digest.next(now)
	}
	if quiet, in := s.Quiet.until(end); in {
		end = quiet
	}
	if end.Equal(now) && left >= mostLeaving {
		end = now.Truncate(time.Hour).Add(time.Hour)
	}
	if end.Equal(now) {
		return 0
	}
	return end.Unix()
}

// bound counts what leaves the house for each person within this hour, and has what is
// too much go together.
func (x *Engine) bound(ctx context.Context, questions []*question) error {
	now := x.Clock()
	left := make(map[Reader]int)
	for _, q := range questions {
		if !q.alone() {
			continue
		}
		who := Reader{q.Workspace, q.User}
		count, known := left[who]
		if !known {
			var err error
			if count, err = x.leftSince(ctx, q.Workspace, q.User, now.Truncate(time.Hour).UnixMilli()); err != nil {
				return err
			}
		}
		left[who] = count + 1
		if count >= mostLeaving {
			q.given.Left = count
			q.answer(now)
		}
	}
	return nil
}

// leftSince counts what left the house for a person by itself since a time, in Unix
// milliseconds, up to mostLeaving.
func (x *Engine) leftSince(ctx context.Context, workspace, user string, since int64) (count int, err error) {
	for after, more := "", true; more && count < mostLeaving; {
		page, next, err := x.Store.Page(ctx, workspace, Filter{User: user, Outcome: Notified}, after, leavingPage)
		if err != nil {
			return 0, err
		}
		for _, d := range page {
			if d.At >= since && d.alone() {
				count++
			}
		}
		after, more = next, next != "" && page[len(page)-1].At >= since
	}
	return count, nil
}
