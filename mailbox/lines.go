package mailbox

import (
	"bytes"
	"encoding/json"
	"time"

	"tidings/event"
)

// maxLine bounds a line, as the HTTP API bounds a request.
const maxLine = 10 << 20

// lines is a file of one record a line.
type lines struct {
	file    *file
	records int64
	// decode reads a line; its refusal gets its place here.
	decode func(line []byte) ([]event.Input, *Refusal)
}

func openLines(path string, decode func([]byte) ([]event.Input, *Refusal)) (*lines, error) {
	f, err := openFile(path, 64<<10)
	if err != nil {
		return nil, err
	}
	return &lines{file: f, decode: decode}, nil
}

func (l *lines) next() ([]event.Input, error) {
	for {
		begin, number := l.file.offset, l.file.lines+1
		line, tooLong, err := l.file.wholeLine(maxLine)
		if err != nil {
			return nil, err
		}
		if begin == 0 {
			line = bytes.TrimPrefix(line, byteOrderMark)
		}
		line = bytes.TrimSpace(line)
		if len(line) == 0 && !tooLong {
			continue
		}
		l.records++
		refused := &Refusal{Code: TooLong}
		if !tooLong {
			var inputs []event.Input
			if inputs, refused = l.decode(line); refused == nil {
				return inputs, nil
			}
		}
		refused.Path, refused.Record = l.file.path, l.records
		refused.Line, refused.Offset = number, begin
		return nil, refused
	}
}

func (l *lines) position() Position {
	return Position{Records: l.records, Bytes: l.file.offset, Lines: l.file.lines}
}

func (l *lines) resume(at Position) error {
	// A place is behind a line's end, which is read again to be sure.
	if err := l.file.seek(max(at.Bytes-1, 0)); err != nil {
		return err
	}
	if at.Bytes > 0 {
		last, err := l.file.slice()
		if err != nil || len(last) != 1 {
			return changed(l.file.path)
		}
	}
	l.records, l.file.lines = at.Records, at.Lines
	return nil
}

func (l *lines) progress() Progress {
	return Progress{Done: l.file.consumed.Load(), Total: l.file.size, Unit: "bytes"}
}

func (l *lines) Close() error { return l.file.Close() }

// eventOfLine passes a line of ndjson to the caller's decoder.
func eventOfLine(options Options) func([]byte) ([]event.Input, *Refusal) {
	return func(line []byte) ([]event.Input, *Refusal) {
		input, err := options.Decode(line)
		if err != nil {
			return nil, &Refusal{Code: NoEvent, Detail: err.Error()}
		}
		if input.User == "" {
			input.User = options.User
		}
		return []event.Input{input}, nil
	}
}

// mailLine is a line of jsonl-mail.
type mailLine struct {
	Date      dateText `json:"date"`
	From      string   `json:"from"`
	To        texts    `json:"to"`
	Cc        texts    `json:"cc"`
	Subject   string   `json:"subject"`
	Body      string   `json:"body"`
	MessageID string   `json:"message_id"`
	InReplyTo string   `json:"in_reply_to"`
}

// dateText is a date as text, or Unix seconds, which it makes a text of.
type dateText string

// UnmarshalJSON reads both.
func (d *dateText) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && (raw[0] == '-' || '0' <= raw[0] && raw[0] <= '9') {
		var seconds int64
		if err := json.Unmarshal(raw, &seconds); err != nil {
			return err
		}
		*d = dateText(time.Unix(seconds, 0).UTC().Format(time.RFC3339))
		return nil
	}
	return json.Unmarshal(raw, (*string)(d))
}

// texts is a list of texts, of which some writers make a single text.
type texts []string

// UnmarshalJSON reads both.
func (t *texts) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '"' {
		*t = make(texts, 1)
		return json.Unmarshal(raw, &(*t)[0])
	}
	return json.Unmarshal(raw, (*[]string)(t))
}

func mailOfLine(options Options) func([]byte) ([]event.Input, *Refusal) {
	return func(line []byte) ([]event.Input, *Refusal) {
		var given mailLine
		if err := json.Unmarshal(line, &given); err != nil {
			// The decoder's text may repeat what the line holds.
			return nil, &Refusal{Code: Unreadable, Detail: "it is no JSON object of a mail"}
		}
		m := mail{
			id:      messageID(given.MessageID),
			replyTo: messageID(given.InReplyTo),
			date:    string(given.Date),
			subject: cleanLine(decodeWords(given.Subject), maxSubject),
			body:    cleanBody(given.Body),
		}
		m.from, _ = sender(given.From)
		for _, text := range append(given.To, given.Cc...) {
			people, named := addresses(text)
			m.to = append(m.to, people...)
			m.named = m.named || named
		}
		return m.inputs(options)
	}
}
