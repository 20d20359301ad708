package event

// Outcome is what became of one event of a batch that was given to an index.
type Outcome struct {
	// Created is true when this call wrote the event, false when it was there.
	Created bool
	// Err is why this event alone was not written: ErrInvalid when it never
	// can be, ErrUnavailable when the same may succeed later.
	Err error
}

// WeekInfo is what an index says of one week.
type WeekInfo struct {
	Week   Week
	Events int64
	Bytes  int64
	Sealed bool
	// Damage is set where the week cannot be read; nothing else is known then.
	Damage *WeekDamaged
}
