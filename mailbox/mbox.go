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

// mbox is a file of mails, each behind a line that begins with "From ".
type mbox struct {
	file    *file
	options Options
	folder  Folder
	records int64
	// patches says that the file is one of git patches.
	patches bool
}

func openMBox(path string, options Options) (*mbox, error) {
	f, err := openFile(path, peeked)
	if err != nil {
		return nil, err
	}
	return newMBox(f, options), nil
}

// newMBox reads mails from an open file.
func newMBox(f *file, options Options) *mbox {
	b := &mbox{file: f, options: options, folder: FolderOfPath(givenName(f.path))}
	head, _ := f.in.Peek(256)
	line, _, _ := bytes.Cut(bytes.TrimPrefix(head, byteOrderMark), []byte("\n"))
	words := strings.Fields(string(line))
	b.patches = len(words) > 1 && isPatch(words[1:])
	return b
}

func (b *mbox) next() (item, error) {
	if err := b.skipToMail(); err != nil {
		return item{}, err
	}
	b.records++
	at := where{path: b.file.path, record: b.records, offset: b.file.offset}
	line, err := b.takeLine()
	if err != nil {
		return item{}, err
	}
	sent := fromDate(line)
	body := &mboxMail{file: b.file, patches: b.patches, lineStart: true, header: true}
	m, parseErr := readMailOr(body, b.options.headers)
	if err := body.drain(); err != nil {
		return item{}, err
	}
	if parseErr != nil {
		return item{}, at.refuse(Unreadable, parseErr.Error())
	}
	m.receivedAt(sent)
	return item{mail: &m, folder: b.folder, at: at}, nil
}

// skipToMail passes over blank lines before the first mail; behind it, a mail
// ends only where the next begins.
func (b *mbox) skipToMail() error {
	for {
		if b.file.offset == 0 {
			b.file.skipMark()
		}
		head, err := b.file.in.Peek(len("From "))
		if isFrom(head) {
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
		if len(bytes.TrimSpace(line)) > 0 {
			return event.Invalid("format", b.file.path+` is not an mbox: no line beginning with "From " where a mail should begin`)
		}
	}
}

// isFrom reports whether a line begins as a From_ line does. Some programs write
// the word alone.
func isFrom(head []byte) bool {
	return bytes.HasPrefix(head, []byte("From")) && len(head) > 4 && (head[4] == ' ' || head[4] == '\n' || head[4] == '\r')
}

// takeLine takes a line, of which it keeps the beginning.
func (b *mbox) takeLine() ([]byte, error) {
	var line []byte
	for {
		part, err := b.file.slice()
		if errors.Is(err, io.EOF) {
			return line, nil
		}
		if err != nil {
			return nil, err
		}
		if len(line) == 0 {
			line = bytes.Clone(part[:min(len(part), fromLine)])
		}
		if part[len(part)-1] == '\n' {
			return line, nil
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
	if !isFrom(head) && (len(head) > 0 || !errors.Is(err, io.EOF)) {
		return changed(b.file.path)
	}
	b.records, b.file.lines = at.Records, at.Lines
	return nil
}

func (b *mbox) progress() Progress {
	return Progress{Done: b.file.consumed.Load(), Total: b.file.size, Unit: "bytes"}
}

func (b *mbox) ignored() Ignored { return Ignored{} }

func (b *mbox) Close() error { return b.file.Close() }

// mboxMail reads one mail out of an mbox: up to the next From_ line, with one
// ">" taken from lines that were quoted because they look like one.
type mboxMail struct {
	file    *file
	patches bool
	// blank says that the line before was blank.
	blank bool
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
	m.blank = atStart && len(bytes.TrimSpace(part)) == 0
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
	if len(behind) == 0 || isFromLine(behind, true, m.patches) {
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
	if !isFrom(head) {
		return false
	}
	ahead, _ := m.file.in.Peek(fromLine)
	return isFromLine(ahead, m.blank, m.patches)
}
