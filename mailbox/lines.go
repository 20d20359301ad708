package mailbox

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"tidings/event"
)

// maxLine bounds a line, as the HTTP API bounds a request.
const maxLine = 10 << 20

// lines is a file of one record a line.
type lines struct {
	file    *file
	records int64
	// decode reads a line; its refusal gets told where it is here.
	decode lineDecoder
}

type lineDecoder func(line []byte) (item, *Refusal)

func openLines(path string, decode lineDecoder) (*lines, error) {
	f, err := openFile(path, 64<<10)
	if err != nil {
		return nil, err
	}
	return &lines{file: f, decode: decode}, nil
}

func (l *lines) next() (item, error) {
	for {
		at := where{path: l.file.path, offset: l.file.offset, line: l.file.lines + 1}
		line, tooLong, err := l.file.wholeLine(maxLine)
		if err != nil {
			return item{}, err
		}
		if at.offset == 0 {
			line = bytes.TrimPrefix(line, byteOrderMark)
		}
		line = bytes.TrimSpace(line)
		if len(line) == 0 && !tooLong {
			continue
		}
		l.records++
		at.record = l.records
		if tooLong {
			return item{}, at.refuse(TooLong, "")
		}
		found, refused := l.decode(line)
		if refused != nil {
			return item{}, at.refuse(refused.Code, refused.Detail)
		}
		found.at = at
		return found, nil
	}
}

func (l *lines) ignored() Ignored { return Ignored{} }

func (l *lines) position() Position {
	return Position{Records: l.records, Bytes: l.file.offset, Lines: l.file.lines}
}

func (l *lines) resume(at Position) error {
	// A position is behind a line's end, which is read again to be sure.
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
func eventOfLine(options Options) lineDecoder {
	return func(line []byte) (item, *Refusal) {
		input, err := options.Decode(line)
		if err != nil {
			return item{}, &Refusal{Code: NoEvent, Detail: err.Error()}
		}
		if input.User == "" {
			input.User = options.User
		}
		return item{event: &input}, nil
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
	// References is a list, or a field as a header has it.
	References texts `json:"references"`
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

// mailOfLine reads a line of jsonl-mail.
func mailOfLine(line []byte) (item, *Refusal) {
	var given mailLine
	if err := json.Unmarshal(line, &given); err != nil {
		// The decoder's text may repeat what the line holds.
		return item{}, &Refusal{Code: Unreadable, Detail: "it is not a JSON object of a mail"}
	}
	m := Mail{
		header:     header{},
		ID:         messageID(given.MessageID),
		ReplyTo:    messageID(given.InReplyTo),
		References: messageIDs(strings.Join(given.References, " ")),
		Subject:    cleanLine(decodeWords(given.Subject, ""), maxSubject),
		Body:       cleanBody(given.Body),
	}
	m.From, _ = sender(given.From, "")
	var to []event.Person
	for _, text := range append(given.To, given.Cc...) {
		people, named := addresses(text)
		to = append(to, people...)
		m.named = m.named || named
	}
	m.To = distinct(to)
	var ok bool
	if m.Time, ok = parseDate(string(given.Date)); !ok {
		m.wrong = "it cannot be read"
		if given.Date == "" {
			m.wrong = "it has none"
		}
	}
	return item{mail: &m}, nil
}
