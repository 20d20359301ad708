package mailbox

import (
	"errors"
	"time"

	"tidings/event"
)

// Options says how to read.
type Options struct {
	// Format is detected when empty.
	Format Format
	// User is whose mail it is. Empty makes each sender the user of what they
	// sent; ndjson takes it for events that name no user.
	User string
	// Decode reads one event of ndjson, and is required for that format. The
	// line is valid during the call only.
	Decode func(line []byte) (event.Input, error)
	// Now bounds the dates of mail, time.Now when nil.
	Now func() time.Time
}

// Position is a place between two records, to resume an import there.
type Position struct {
	// Records is how many are done, the refused ones included.
	Records int64 `json:"records"`
	// Bytes is the offset in the uncompressed file, 0 in a directory.
	Bytes int64 `json:"bytes,omitempty"`
	// Lines is how many lines are done, for messages.
	Lines int64 `json:"lines,omitempty"`
	// Names is a hash of the names that are done in a directory.
	Names string `json:"names,omitempty"`
}

// Progress is how far a reader is, in a unit of its own.
type Progress struct {
	Done, Total int64
	// Unit is "bytes", as they are on the disk, or "files".
	Unit string
}

// Reader reads one file or directory. All but Progress belongs to one
// goroutine.
type Reader struct {
	format Format
	source source
}

// source is a format's way to walk its records.
type source interface {
	// next is the inputs of the next record, a *Refusal for one that has
	// none, io.EOF after the last, or the error that ends the walk.
	next() ([]event.Input, error)
	position() Position
	// resume is called before the first next. The error is an
	// event.ErrConflict when the place is not there.
	resume(Position) error
	progress() Progress
	Close() error
}

// Open opens a path for reading. The error is an event.ErrInvalid for what can
// never be read and an event.ErrNotFound for what is not there.
func Open(path string, options Options) (*Reader, error) {
	if options.Format == "" {
		format, err := Detect(path)
		if err != nil {
			return nil, err
		}
		options.Format = format
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	opened, err := openSource(path, options)
	if err != nil {
		return nil, err
	}
	return &Reader{format: options.Format, source: opened}, nil
}

func openSource(path string, options Options) (source, error) {
	switch options.Format {
	case MBox:
		return openMBox(path, options)
	case Maildir:
		return openDirectory(path, options)
	case EML:
		return openSingle(path, options)
	case JSONLMail:
		return openLines(path, mailOfLine(options))
	case NDJSON:
		if options.Decode == nil {
			return nil, errors.New("open ndjson: no decoder was given")
		}
		return openLines(path, eventOfLine(options))
	}
	_, err := ParseFormat(string(options.Format))
	return nil, err
}

// Format is the format that is read.
func (r *Reader) Format() Format { return r.format }

// Read is the events of the next record: of a mail its send, in pieces of 1,000
// recipients, and its reply. The error is a *Refusal for a record that is
// refused, behind which reading goes on; io.EOF after the last record; or what
// ended the reading.
func (r *Reader) Read() ([]event.Input, error) { return r.source.next() }

// Position is the place behind the last record that Read returned or refused.
func (r *Reader) Position() Position { return r.source.position() }

// Resume goes to a place that Position gave for the same path. It is called
// before the first Read. A compressed file is read again up to there. The error
// is an event.ErrConflict when the file or directory has changed so that the
// place is lost.
func (r *Reader) Resume(at Position) error {
	if at == (Position{}) {
		return nil
	}
	return r.source.resume(at)
}

// Progress is how far reading is; any goroutine may ask.
func (r *Reader) Progress() Progress { return r.source.progress() }

// Close closes what is open.
func (r *Reader) Close() error { return r.source.Close() }
