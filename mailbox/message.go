package mailbox

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/emersion/go-message"
)

// maxHeader bounds what is kept of a header, in bytes.
const maxHeader = 1 << 20

// errNoMail is a text that does not begin with a header.
var errNoMail = errors.New("it has no header of a mail")

// header holds the fields of a mail that are used, unfolded, by their canonical
// name. A list may be repeated; of another field the first counts.
type header map[string][]string

// get is the field's value, or empty.
func (h header) get(name string) string { return strings.Join(h[name], ", ") }

// wantedFields are the fields that are kept, by their names in lower case, and
// whether they may be repeated.
var wantedFields = map[string]struct {
	name  string
	joins bool
}{
	"from": {"From", true}, "sender": {"Sender", true},
	"to": {"To", true}, "cc": {"Cc", true}, "bcc": {"Bcc", true},
	"date": {"Date", false}, "subject": {"Subject", false},
	"message-id": {"Message-Id", false}, "in-reply-to": {"In-Reply-To", false},
	"content-type":              {"Content-Type", false},
	"content-transfer-encoding": {"Content-Transfer-Encoding", false},
	"content-disposition":       {"Content-Disposition", false},
}

// readMail reads one message as RFC 5322 and MIME have it. go-message reads the
// body; it refuses a whole mail for one malformed header line, so the header is
// read here, passing over what is malformed.
func readMail(from io.Reader) (mail, error) {
	in := bufio.NewReader(&lineFeeds{reader: from})
	h, err := readHeader(in)
	if err != nil {
		return mail{}, err
	}
	m := mail{
		id:      messageID(toUTF8(h.get("Message-Id"))),
		replyTo: messageID(toUTF8(h.get("In-Reply-To"))),
		date:    h.get("Date"),
		subject: cleanLine(decodeWords(toUTF8(h.get("Subject"))), maxSubject),
	}
	var found bool
	if m.from, found = sender(h.get("From")); !found {
		m.from, _ = sender(h.get("Sender"))
	}
	for _, field := range []string{"To", "Cc", "Bcc"} {
		people, named := addresses(h.get(field))
		m.to = append(m.to, people...)
		m.named = m.named || named
	}
	m.body = h.body(in)
	return m, nil
}

// body is the text of the mail's body.
func (h header) body(in io.Reader) string {
	var given message.Header
	given.Set("Content-Type", repairType(h.get("Content-Type")))
	given.Set("Content-Transfer-Encoding", strings.TrimSpace(h.get("Content-Transfer-Encoding")))
	given.Set("Content-Disposition", h.get("Content-Disposition"))
	entity, err := message.New(given, in)
	if err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
		return ""
	}
	return textOf(entity)
}

// readHeader reads up to the blank line behind the header. The error is
// errNoMail when there is not one field, or the reader's own.
func readHeader(in *bufio.Reader) (header, error) {
	h := make(header, len(wantedFields))
	fields := headerFields{header: h}
	read := 0
	var line []byte
	blank := true
	for {
		part, err := in.ReadSlice('\n')
		blank = blank && len(bytes.TrimSpace(part)) == 0
		if read += len(part); read <= maxHeader {
			line = append(line, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		if blank && fields.seen > 0 {
			break
		}
		if line = bytes.TrimRight(line, "\r\n"); !blank && len(line) > 0 {
			fields.line(line)
		}
		if err != nil {
			break
		}
		line, blank = line[:0], true
	}
	fields.end()
	if fields.seen == 0 {
		return nil, errNoMail
	}
	return h, nil
}

// headerFields takes the lines of a header one by one.
type headerFields struct {
	header header
	seen   int
	// name and value are of the field whose lines are being read; the name is
	// empty for one that is not wanted.
	name  string
	joins bool
	value strings.Builder
}

func (f *headerFields) line(line []byte) {
	if line[0] == ' ' || line[0] == '\t' {
		f.more(line)
		return
	}
	name, value, found := bytes.Cut(line, []byte(":"))
	name = bytes.TrimRight(name, " \t")
	if !found || !isFieldName(name) {
		// A parameter that lost its indent, or nothing that can be used.
		if strings.HasSuffix(f.value.String(), ";") {
			f.more(line)
		}
		return
	}
	f.end()
	f.seen++
	wanted := wantedFields[strings.ToLower(string(name))]
	f.name, f.joins = wanted.name, wanted.joins
	f.more(value)
}

// more adds a line to the field.
func (f *headerFields) more(line []byte) {
	line = bytes.TrimSpace(line)
	if f.name == "" || len(line) == 0 {
		return
	}
	if f.value.Len() > 0 {
		f.value.WriteByte(' ')
	}
	f.value.Write(line)
}

// end keeps the field whose lines have been read.
func (f *headerFields) end() {
	value := f.value.String()
	f.value.Reset()
	if f.name == "" || value == "" {
		return
	}
	if f.joins || len(f.header[f.name]) == 0 {
		f.header[f.name] = append(f.header[f.name], value)
	}
}

// isFieldName reports whether a text may be the name of a header field: RFC
// 5322 section 2.2.
func isFieldName(name []byte) bool {
	for _, c := range name {
		if c < 33 || c > 126 || c == ':' {
			return false
		}
	}
	return len(name) > 0
}

// lineFeeds turns line ends of CR LF, and of several CRs, into a line feed: the
// multipart reader expects one kind from beginning to end.
type lineFeeds struct {
	reader io.Reader
	// held counts CRs whose next byte is not known yet.
	held int
	buf  [8 << 10]byte
	rest []byte
	err  error
}

func (l *lineFeeds) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n := 0
	for n == 0 {
		if len(l.rest) == 0 {
			if l.err != nil {
				return 0, l.err
			}
			var read int
			read, l.err = l.reader.Read(l.buf[:])
			l.rest = l.buf[:read]
		}
		n = l.take(p)
	}
	return n, nil
}

// take moves bytes from rest to p. CRs that no line feed follows become one.
func (l *lineFeeds) take(p []byte) int {
	n := 0
	for n < len(p) && len(l.rest) > 0 {
		c := l.rest[0]
		if c == '\r' {
			l.held = 1
			l.rest = l.rest[1:]
			continue
		}
		if l.held > 0 && c != '\n' {
			l.held = 0
			p[n] = '\r'
			n++
			continue
		}
		l.held = 0
		p[n] = c
		n++
		l.rest = l.rest[1:]
	}
	return n
}
