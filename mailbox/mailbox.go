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
	// Owner says whose mail it is. Its folder is that of each file.
	Owner Owner
	// Memory is what was learned from other files of the same import; nothing when
	// nil.
	Memory *Memory
	// User is whose an event of ndjson is that names no user.
	User string
	// Decode reads one event of ndjson, and is required for that format. The
	// line is valid during the call only.
	Decode func(line []byte) (event.Input, error)
	// Now bounds the dates of mail, time.Now when nil.
	Now func() time.Time
	// headers says that bodies are passed over.
	headers bool
}

// Position is a point between two records, to resume an import there.
type Position struct {
	// Records is how many are done, the refused ones included.
	Records int64 `json:"records"`
	// Bytes is the offset in the uncompressed file, or in that of a directory
	// which is being read.
	Bytes int64 `json:"bytes,omitempty"`
	// Lines is how many lines are done, for messages.
	Lines int64 `json:"lines,omitempty"`
	// Files is how many files of a directory are done.
	Files int64 `json:"files,omitempty"`
	// Names is a hash of the names that are done in a directory.
	Names string `json:"names,omitempty"`
}

// Progress is how far a reader is, in a unit of its own.
type Progress struct {
	Done, Total int64
	// Unit is "bytes", as they are on the disk, or "files".
	Unit string
}

// Record is what one mail, or one line of ndjson, became.
type Record struct {
	// Reading has the kind "" for a line of ndjson.
	Reading
	// Path, Number and Line say where it is, as a Refusal does.
	Path         string
	Number, Line int64
}

// Reader reads one file or directory. All but Progress belongs to one
// goroutine.
type Reader struct {
	options Options
	source  source
}

// item is a record as it was found: a mail, or an event.
type item struct {
	mail   *Mail
	event  *event.Input
	folder Folder
	at     where
}

// where is the point in a file at which a record begins.
type where struct {
	path                 string
	record, line, offset int64
}

// refuse makes a refusal of what is there.
func (w where) refuse(code Code, detail string) *Refusal {
	return &Refusal{Path: w.path, Record: w.record, Line: w.line, Offset: w.offset, Code: code, Detail: detail}
}

// Ignored are the files of a directory that are no mail.
type Ignored struct {
	Count int64
	// Names are the first of them.
	Names []string
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
	return &Reader{options: options, source: opened}, nil
}

func openSource(path string, options Options) (source, error) {
	switch options.Format {
	case MBox:
		return openMBox(path, options)
	case Maildir:
		return openDirectory(path, options)
	case EML:
		return openSingle(path, options)
	case Zip:
		return openZip(path, options)
	case JSONLMail:
		return openLines(path, mailOfLine)
	case NDJSON:
		if options.Decode == nil {
			return nil, errors.New("open ndjson: no decoder was given")
		}
		return openLines(path, eventOfLine(options))
	}
	_, err := ParseFormat(string(options.Format))
	return nil, err
}

// Read is what the next record means: the events of a mail as Read has them, or
// the event of a line. The error is a *Refusal for a record that is refused,
// behind which reading goes on; io.EOF after the last record; or what ended the
// reading.
func (r *Reader) Read() (Record, error) {
	found, err := r.source.next()
	if err != nil {
		return Record{}, err
	}
	record := Record{Path: found.at.path, Number: found.at.record, Line: found.at.line}
	if found.event != nil {
		record.Events = []event.Input{*found.event}
		return record, nil
	}
	owner := r.options.Owner
	if r.options.Format == JSONLMail && len(owner.Users) == 0 {
		owner.Everybody = true // Who made the file has chosen its mails.
	} else if r.options.Memory != nil {
		owner = r.options.Memory.with(owner)
	}
	owner.Folder, owner.Now = found.folder, r.options.Now()
	record.Reading, err = Read(*found.mail, owner)
	if r.options.Memory != nil {
		r.options.Memory.note(found.mail, record.Reading, found.folder)
	}
	var refused *Refusal
	if errors.As(err, &refused) {
		return Record{}, found.at.refuse(refused.Code, refused.Detail)
	}
	return record, err
}

// Position is the point behind the last record that Read returned or refused.
func (r *Reader) Position() Position { return r.source.position() }

// Resume goes to a position of the same path. It is called before the first
// Read. A compressed file is read again up to there. The error is an
// event.ErrConflict when the file or directory has changed so that the position
// is lost.
func (r *Reader) Resume(at Position) error {
	if at == (Position{}) {
		return nil
	}
	return r.source.resume(at)
}

// Progress is how far reading is; any goroutine may ask.
func (r *Reader) Progress() Progress { return r.source.progress() }

// Ignored are the files that were passed over so far, since they are no mail.
func (r *Reader) Ignored() Ignored { return r.source.ignored() }

// Close closes what is open.
func (r *Reader) Close() error { return r.source.Close() }
