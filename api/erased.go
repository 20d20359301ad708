package api

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"tidings/account"
	"tidings/event"
)

// erasedSetting is the setting of what becomes of events about erased people.
const erasedSetting = "erased"

// What becomes of events that happen to a person after they were erased.
const (
	erasedKeep   = "keep"
	erasedRefuse = "refuse"
)

const (
	// policyLife is how long another process goes on with the setting of before.
	policyLife = 5 * time.Second
	// erasedWait is how long an event waits for the state to say who was erased.
	erasedWait = time.Second
)

// erasedPolicy remembers which workspaces refuse erased people.
type erasedPolicy struct {
	records Records
	clock   func() time.Time
	// refusing says of a workspace whether it does.
	refusing *account.Lately[bool]

	mu sync.Mutex
	// awayUntil is when the state is asked again after it gave no answer.
	awayUntil time.Time
}

func newErasedPolicy(config Config) *erasedPolicy {
	return &erasedPolicy{
		records: config.Records, clock: config.Clock,
		refusing: account.NewLately[bool](config.Clock, policyLife),
	}
}

// of is the setting of a workspace, as it is written.
func (p *erasedPolicy) of(ctx context.Context, workspace string) (string, error) {
	setting, err := account.Get[string](ctx, p.records, workspace, kindSetting, erasedSetting)
	if errors.Is(err, event.ErrNotFound) {
		return erasedKeep, nil
	}
	return setting, err
}

func (p *erasedPolicy) put(ctx context.Context, workspace, setting string) error {
	err := account.Put(ctx, p.records, workspace, kindSetting, erasedSetting, setting)
	p.refusing.Forget(workspace)
	return err
}

func (p *erasedPolicy) away() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.clock().Before(p.awayUntil)
}

func (p *erasedPolicy) isAway() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.awayUntil = p.clock().Add(policyLife)
}

func (p *erasedPolicy) refuses(ctx context.Context, workspace string) (bool, error) {
	refuses, begun, ok := p.refusing.Get(workspace)
	if ok {
		return refuses, nil
	}
	setting, err := p.of(ctx, workspace)
	if err != nil {
		return false, err
	}
	refuses = setting == erasedRefuse
	p.refusing.Keep(workspace, refuses, begun)
	return refuses, nil
}

// RefusesErased reports whether a workspace refuses events about people who were erased
// from it, whenever they happened.
func (s *Server) RefusesErased(ctx context.Context, workspace string) (bool, error) {
	return s.erasedPolicy.refuses(ctx, workspace)
}

// erasedIn are the erased people whom events name, where the workspace refuses them.
// While the state does not say, events are taken in: the indexer asks again, and drops
// what is refused.
func (s *Server) erasedIn(ctx context.Context, workspace string, events []event.Event) map[string]int64 {
	if s.Erasures == nil || len(events) == 0 || s.erasedPolicy.away() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, erasedWait)
	defer cancel()
	erased, err := s.lookErased(ctx, workspace, events)
	if err != nil {
		s.erasedPolicy.isAway()
		s.Logger.WarnContext(ctx, "events are taken in without asking who was erased; the indexer asks again", "error", err)
		return nil
	}
	return erased
}

func (s *Server) lookErased(ctx context.Context, workspace string, events []event.Event) (map[string]int64, error) {
	if refuses, err := s.erasedPolicy.refuses(ctx, workspace); err != nil || !refuses {
		return nil, err
	}
	named := make(map[string]bool)
	var emails []string
	for i := range events {
		for _, person := range peopleOf(&events[i]) {
			if !named[person.Email] {
				named[person.Email] = true
				emails = append(emails, person.Email)
			}
		}
	}
	if len(emails) == 0 {
		return nil, nil
	}
	erased, err := s.Erasures.Erased(ctx, map[string][]string{workspace: emails})
	if err != nil {
		return nil, fmt.Errorf("look for erased people: %w", err)
	}
	return erased[workspace], nil
}

func peopleOf(e *event.Event) []event.Person {
	if e.Recipient != nil {
		return []event.Person{*e.Recipient}
	}
	return e.Recipients
}

// erasedField is where an event names somebody of the erased people, "" for nowhere.
func erasedField(e *event.Event, erased map[string]int64) string {
	for i, person := range peopleOf(e) {
		if _, is := erased[person.Email]; !is {
			continue
		}
		if e.Recipient != nil {
			return "recipient.email"
		}
		return fmt.Sprintf("recipients[%d].email", i)
	}
	return ""
}

// refuseErased takes the events out of a batch that name erased people, where the
// workspace refuses them, and rejects each by name.
func (s *Server) refuseErased(ctx context.Context, workspace string, b *batch) {
	erased := s.erasedIn(ctx, workspace, b.good)
	if len(erased) == 0 {
		return
	}
	good, at := b.good[:0], b.at[:0]
	for i, e := range b.good {
		field := erasedField(&e, erased)
		if field == "" {
			good, at = append(good, e), append(at, b.at[i])
			continue
		}
		b.rejected = append(b.rejected, rejection{b.at[i], fault{
			field, "was erased from this workspace, which refuses events about people who were", reasonErased,
		}})
	}
	b.good, b.at = good, at
}
