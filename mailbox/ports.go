package mailbox

// source is a format's way to walk its records.
type source interface {
	// next is the next record, a *Refusal for one that is none, io.EOF after the
	// last, or the error that ends the walk.
	next() (item, error)
	position() Position
	// resume is called before the first next. The error is an
	// event.ErrConflict when the position is not there.
	resume(Position) error
	progress() Progress
	// ignored are files that were passed over, by name.
	ignored() Ignored
	Close() error
}
