package mailbox

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"

	"tidings/event"
)

// peeked is how far an mbox is looked ahead: a Content-Length below it can be
// checked against what stands behind the body.
const peeked = 1 << 20

// fromLine is how far the line after a From_ line is looked for.
const fromLine = 2 << 10

// mbox is a file of mails, each behind a line that begins with "From ".
type mbox struct {
	file    *file
	options Options
	records int64
}

func openMBox(path string, options Options) (*mbox, error) {
	f, err := openFile(path, peeked)
	if err != nil {
		return nil, err
	}
	return &mbox{file: f, options: options}, nil
}

func (b *mbox) next() ([]event.Input, error) {
	if err := b.skipToMail(); err != nil {
		return nil, err
	}
	begin := b.file.offset
	b.records++
	if err := b.skipLine(); err != nil {
		return nil, err
	}
	body := &mboxMail{file: b.file, lineStart: true, header: true}
	m, parseErr := readMail(body)
	if err := body.drain(); err != nil {
		return nil, err
	}
	if parseErr != nil {
		return nil, b.refused(begin, &Refusal{Code: Unreadable, Detail: parseErr.Error()})
	}
	inputs, refused := m.inputs(b.options)
	if refused != nil {
		return nil, b.refused(begin, refused)
	}
	return inputs, nil
}

func (b *mbox) refused(begin int64, r *Refusal) error {
	r.Path, r.Record, r.Offset = b.file.path, b.records, begin
	return r
}

// skipToMail passes over blank lines before the first mail; behind it, a mail
// ends only where the next begins.
func (b *mbox) skipToMail() error {
	for {
		head, err := b.file.in.Peek(len("From "))
		if bytes.Equal(head, []byte("From ")) {
			return nil
		}
		if len(head) == 0 {
			if errors.Is(err, io.EOF) {
				return io.EOF
			}
			return b.file.failed(err)
		}
		line, err := b.file.slice()
		if err != nil {
			return err
		}
		if b.file.offset == int64(len(line)) {
			line = bytes.TrimPrefix(line, byteOrderMark)
		}
		if len(bytes.TrimSpace(line)) > 0 {
			return event.Invalid("format", b.file.path+` is no mbox: no line beginning with "From " where a mail should begin`)
		}
	}
}

func (b *mbox) skipLine() error {
	for {
		part, err := b.file.slice()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if part[len(part)-1] == '\n' {
			return nil
		}
	}
}

func (b *mbox) position() Position {
	return Position{Records: b.records, Bytes: b.file.offset, Lines: b.file.lines}
}

func (b *mbox) resume(at Position) error {
	if err := b.file.seek(at.Bytes); err != nil {
		return err
	}
	head, err := b.file.in.Peek(len("From "))
	if !bytes.Equal(head, []byte("From ")) && (len(head) > 0 || !errors.Is(err, io.EOF)) {
		return changed(b.file.path)
	}
	b.records, b.file.lines = at.Records, at.Lines
	return nil
}

func (b *mbox) progress() Progress {
	return Progress{Done: b.file.consumed.Load(), Total: b.file.size, Unit: "bytes"}
}

func (b *mbox) Close() error { return b.file.Close() }

// mboxMail reads one mail out of an mbox: up to the next From_ line, with one
// ">" taken from lines that were quoted because they look like one.
type mboxMail struct {
	file *file
	// rest is what Read has not given out yet of a line.
	rest      []byte
	lineStart bool
	header    bool
	// length is the header's Content-Length, 0 when none.
	length int
	// verbatim is how many bytes belong to the mail whatever they look like.
	verbatim int
	err      error
}

func (m *mboxMail) Read(p []byte) (int, error) {
	for len(m.rest) == 0 {
		if m.err != nil {
			return 0, m.err
		}
		m.rest, m.err = m.part()
	}
	n := copy(p, m.rest)
	m.rest = m.rest[n:]
	return n, nil
}

// drain goes to the end of the mail. The error is of reading the file.
func (m *mboxMail) drain() error {
	for m.err == nil {
		_, m.err = m.part()
	}
	if errors.Is(m.err, io.EOF) {
		return nil
	}
	return m.err
}

// part is the next line of the mail, or a piece of a long one.
func (m *mboxMail) part() ([]byte, error) {
	if m.length > 0 && !m.header {
		m.believe()
	}
	if m.lineStart && m.verbatim <= 0 && m.atNextMail() {
		return nil, io.EOF
	}
	part, err := m.file.slice()
	if err != nil {
		return nil, err
	}
	atStart := m.lineStart
	m.lineStart = part[len(part)-1] == '\n'
	if m.verbatim > 0 {
		m.verbatim -= len(part)
	}
	if m.header && atStart {
		m.headerLine(part)
	}
	if atStart && !m.header && isQuotedFrom(part) {
		part = part[1:]
	}
	return part, nil
}

// headerLine looks for the length of the body (mboxcl), and for the end of the
// header.
func (m *mboxMail) headerLine(line []byte) {
	if len(bytes.TrimRight(line, "\r\n")) > 0 {
		name, value, found := bytes.Cut(line, []byte(":"))
		if found && strings.EqualFold(string(bytes.TrimSpace(name)), "Content-Length") {
			m.length, _ = strconv.Atoi(string(bytes.TrimSpace(value)))
		}
		return
	}
	m.header = false
}

// believe takes a Content-Length that leads to the next mail for what it says.
// It looks ahead, which overwrites the last line: that must be given out before.
func (m *mboxMail) believe() {
	length := m.length
	m.length = 0
	if length > peeked-fromLine {
		return
	}
	ahead, _ := m.file.in.Peek(length + fromLine)
	if len(ahead) < length || (length < len(ahead) && !endsLine(ahead, length)) {
		return
	}
	behind := bytes.TrimLeft(ahead[length:], "\r\n")
	if len(behind) == 0 || isFromLine(behind) {
		m.verbatim = length
	}
}

// endsLine reports whether a new line begins at n, or the end of one stands
// there.
func endsLine(text []byte, n int) bool {
	return text[n-1] == '\n' || text[n] == '\n' || text[n] == '\r'
}

// atNextMail reports whether a From_ line is next.
func (m *mboxMail) atNextMail() bool {
	head, _ := m.file.in.Peek(len("From "))
	if !bytes.Equal(head, []byte("From ")) {
		return false
	}
	ahead, _ := m.file.in.Peek(fromLine)
	return isFromLine(ahead)
}

// isFromLine tells the line between two mails from a sentence that begins with
// "From ": it names a month, a time of day and a year, and a header follows.
// Writers differ in all else, and some leave no blank line before it.
func isFromLine(text []byte) bool {
	line, after, found := bytes.Cut(text, []byte("\n"))
	if !found {
		return false
	}
	words := strings.Fields(string(line))
	if len(words) == 0 || words[0] != "From" {
		return false
	}
	var month, clock, year bool
	for _, word := range words[1:] {
		month = month || isMonth(word)
		clock = clock || isClock(word)
		year = year || isYear(word)
	}
	return month && clock && year && beginsHeader(after)
}

func isMonth(word string) bool {
	return len(word) == 3 && strings.Contains("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec", word)
}

func isClock(word string) bool {
	return len(word) >= len("1:02") && len(word) <= len("01:02:03") &&
		strings.Contains(word, ":") && strings.Trim(word, "0123456789:") == ""
}

func isYear(word string) bool {
	return len(word) == 4 && (word[:2] == "19" || word[:2] == "20") && strings.Trim(word, "0123456789") == ""
}

// beginsHeader reports whether a header field is next, or a quoted From_ line,
// which some programs leave as the first line of a mail.
func beginsHeader(text []byte) bool {
	if bytes.HasPrefix(text, []byte(">From ")) {
		return true
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	name, _, found := bytes.Cut(line, []byte(":"))
	return found && isFieldName(bytes.TrimRight(name, " \t"))
}

// isQuotedFrom reports whether a line is ">From ", with any number of ">".
func isQuotedFrom(line []byte) bool {
	unquoted := bytes.TrimLeft(line, ">")
	return len(unquoted) < len(line) && bytes.HasPrefix(unquoted, []byte("From "))
}
