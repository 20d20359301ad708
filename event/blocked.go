package event

import "fmt"

// WeekBlocked is a write to a week that takes none for now: it is sealed, or
// being built anew. It is an ErrUnavailable of that week alone; the holder of
// the lease takes the block off, and the same write succeeds then.
type WeekBlocked struct {
	Week Week
}

func (e *WeekBlocked) Error() string {
	return fmt.Sprintf("week %s takes no writes for now", e.Week)
}

// Is makes every WeekBlocked an ErrUnavailable.
func (e *WeekBlocked) Is(target error) bool { return target == ErrUnavailable }
