package mailbox

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
)

// Bounds of the search for what a mail says.
const (
	maxDepth = 10
	maxParts = 1000
	// maxLeaf bounds what is read of a text, before its encodings are taken off.
	maxLeaf = 4 * maxText
	maxHTML = 1 << 20
	// maxMachine bounds a part that is written for programs, and maxMachines how
	// many of them are kept.
	maxMachine  = 256 << 10
	maxMachines = 20
	// maxInner is how many mails within a mail are read.
	maxInner = 10
	// maxBoundary is longer than the standard's 70.
	maxBoundary = 250
)

// errNoMail is a text that does not begin with a header.
var errNoMail = errors.New("it has no header of a mail")

// content is what is used of the parts of a mail.
type content struct {
	plain, html string
	// machines are the parts for programs: reports, receipts, calendars.
	machines []machinePart
	// inner are the mails, or headers of mails, that the mail holds.
	inner []innerMail
}

// machinePart is a part that programs read, decoded.
type machinePart struct {
	kind, method string
	text         string
}

// innerMail is a mail within a mail.
type innerMail struct {
	header  header
	content content
}

// text is the text of the first plain part, or of the first HTML part.
func (c *content) text() string {
	if c.plain != "" {
		return c.plain
	}
	return c.html
}

// machine is the first part of a kind, or nil.
func (c *content) machine(kinds ...string) *machinePart {
	for i := range c.machines {
		for _, kind := range kinds {
			if c.machines[i].kind == kind {
				return &c.machines[i]
			}
		}
	}
	return nil
}

// delimiter is what ended a part: a line of the boundary of a level, or the end
// of the mail, whose level is -1.
type delimiter struct {
	level   int
	closing bool
}

var endOfMail = delimiter{level: -1}

// mimeReader walks the parts of a mail line by line: RFC 2046, with what is
// often found in its place. What is not wanted is passed over, so its memory
// does not grow with the mail. A line belongs to the boundary that it is as a
// whole, so that one boundary may begin with another.
type mimeReader struct {
	in *bufio.Reader
	// boundaries are those of the multiparts that are open, outermost first,
	// with the two dashes before them.
	boundaries []string
	parts      int
	// hint is the charset of what names none.
	hint string
	// atStart says that the next bytes begin a line.
	atStart bool
}

func newMIMEReader(from io.Reader) *mimeReader {
	return &mimeReader{in: bufio.NewReaderSize(&lineFeeds{reader: from}, 8<<10), atStart: true}
}

// line gives the next line with its end, or a piece of a long one; or the
// delimiter that it is.
func (r *mimeReader) line() (line []byte, ended *delimiter) {
	part, err := r.in.ReadSlice('\n')
	if len(part) == 0 && err != nil {
		return nil, &endOfMail
	}
	if r.atStart {
		if found := r.delimiter(part); found != nil {
			return nil, found
		}
	}
	r.atStart = part[len(part)-1] == '\n'
	return part, nil
}

// delimiter reports which boundary a line is.
func (r *mimeReader) delimiter(line []byte) *delimiter {
	if len(line) < 2 || line[0] != '-' || line[1] != '-' || len(r.boundaries) == 0 || len(line) > maxBoundary+10 {
		return nil
	}
	text := string(bytes.TrimRight(line, " \t\r\n"))
	for level := len(r.boundaries) - 1; level >= 0; level-- {
		switch text {
		case r.boundaries[level]:
			return &delimiter{level, false}
		case r.boundaries[level] + "--":
			return &delimiter{level, true}
		}
	}
	return nil
}

// header reads up to the blank line behind a header. Of a mail, blank lines
// before it are passed over; a part may have no header at all.
func (r *mimeReader) header(ofMail bool) (header, *delimiter) {
	fields := newHeaderFields()
	var whole []byte
	for {
		part, ended := r.line()
		if ended != nil {
			fields.line(whole)
			fields.end()
			return fields.header, ended
		}
		if len(whole)+len(part) <= maxHeader {
			whole = append(whole, part...)
		}
		if !r.atStart {
			continue
		}
		line := bytes.TrimRight(whole, "\r\n")
		if len(line) == 0 && (fields.seen > 0 || !ofMail) {
			fields.end()
			return fields.header, nil
		}
		fields.line(line)
		whole = whole[:0]
	}
}

// rest reads what is left of a part, of which it keeps so many bytes.
func (r *mimeReader) rest(most int) ([]byte, delimiter) {
	var kept []byte
	for {
		line, ended := r.line()
		if ended != nil {
			return kept, *ended
		}
		if len(kept) < most {
			kept = append(kept, line[:min(len(line), most-len(kept))]...)
		}
	}
}

// entity reads the body behind a header into c.
func (r *mimeReader) entity(h header, c *content, depth int) delimiter {
	kind, params := contentType(h.first("content-type"))
	r.parts++
	if r.parts > maxParts || depth == 0 {
		_, ended := r.rest(0)
		return ended
	}
	encoding := h.first("content-transfer-encoding")
	switch kind {
	case "message/rfc822", "message/news", "message/global":
		return r.message(encoding, c, depth)
	case "text/rfc822-headers", "message/rfc822-headers", "message/global-headers", "text/rfc822-header":
		raw, ended := r.rest(maxMachine)
		c.addInner(innerMail{header: headerOf(decodeTransfer(raw, encoding))})
		return ended
	case "message/delivery-status", "message/global-delivery-status", "message/disposition-notification",
		"message/global-disposition-notification", "message/feedback-report", "text/calendar", "application/ics":
		raw, ended := r.rest(maxMachine)
		if len(c.machines) < maxMachines {
			text := decode(decodeTransfer(raw, encoding), params["charset"], "utf-8")
			c.machines = append(c.machines, machinePart{kind, strings.ToUpper(params["method"]), text})
		}
		return ended
	}
	if strings.HasPrefix(kind, "multipart/") {
		if boundary := params["boundary"]; boundary != "" && len(boundary) <= maxBoundary {
			return r.multipart(kind, boundary, c, depth)
		}
	}
	return r.leaf(h, kind, params, c)
}

// leaf reads a part that has no parts.
func (r *mimeReader) leaf(h header, kind string, params map[string]string, c *content) delimiter {
	disposition := strings.ToLower(strings.TrimSpace(h.first("content-disposition")))
	most := 0
	plain := kind == "text/plain" || strings.HasPrefix(kind, "multipart/")
	switch {
	case strings.HasPrefix(disposition, "attachment"):
	case kind == "text/html" && c.html == "":
		most = 2 * maxHTML
	case plain && c.plain == "":
		most = maxLeaf
	}
	raw, ended := r.rest(most)
	if most == 0 {
		return ended
	}
	raw = decodeTransfer(raw, h.first("content-transfer-encoding"))
	if !plain {
		c.html = htmlText(decodeHTML(raw[:min(len(raw), maxHTML)], params["charset"], r.hint))
		return ended
	}
	text := decode(raw, params["charset"], r.hint)
	if strings.EqualFold(params["format"], "flowed") {
		text = unflow(text, strings.EqualFold(params["delsp"], "yes"))
	}
	c.plain = cleanBody(text)
	return ended
}

// multipart reads the parts of an entity. Where they are alternatives, a plain
// part is looked for behind HTML; elsewhere what comes second is something
// else, such as the footer of a list.
func (r *mimeReader) multipart(kind, boundary string, c *content, depth int) delimiter {
	level := len(r.boundaries)
	r.boundaries = append(r.boundaries, "--"+strings.TrimRight(boundary, " \t"))
	defer func() { r.boundaries = r.boundaries[:level] }()
	preamble, ended := r.rest(maxLeaf)
	if ended.level < level {
		// Its boundary never comes: it is read as it stands.
		if c.plain == "" {
			c.plain = cleanBody(decode(preamble, "", r.hint))
		}
		return ended
	}
	for ended.level == level && !ended.closing {
		r.atStart = true
		h, inHeader := r.header(false)
		if inHeader != nil {
			ended = *inHeader
			continue
		}
		// In a digest a part is a mail unless it says something else.
		if kind == "multipart/digest" && !h.has("content-type") {
			h["content-type"] = []string{"message/rfc822"}
		}
		into := c
		if kind != "multipart/alternative" && c.html != "" && c.plain == "" {
			// The text is found: what follows is looked through for other parts.
			into = &content{plain: "-"}
		}
		ended = r.entity(h, into, depth-1)
		if into != c {
			c.machines = append(c.machines, into.machines...)
			c.inner = append(c.inner, into.inner...)
		}
	}
	if ended.level == level {
		r.boundaries = r.boundaries[:level]
		r.atStart = true
		_, ended = r.rest(0)
	}
	return ended
}

// message reads a mail that is a part.
func (r *mimeReader) message(encoding string, c *content, depth int) delimiter {
	if e := strings.ToLower(strings.TrimSpace(encoding)); e == "base64" || e == "quoted-printable" {
		raw, ended := r.rest(2 * maxHTML)
		inner := newMIMEReader(bytes.NewReader(decodeTransfer(raw, e)))
		inner.parts = r.parts
		var found innerMail
		h, early := inner.header(true)
		if found.header = h; early == nil {
			inner.entity(h, &found.content, depth-1)
		}
		r.parts = inner.parts
		c.addInner(found)
		return ended
	}
	var found innerMail
	h, early := r.header(true)
	found.header = h
	if early != nil {
		c.addInner(found)
		return *early
	}
	ended := r.entity(h, &found.content, depth-1)
	c.addInner(found)
	return ended
}

func (c *content) addInner(found innerMail) {
	if len(c.inner) < maxInner && len(found.header) > 0 {
		c.inner = append(c.inner, found)
	}
}

// unflow joins the lines of format=flowed: RFC 3676. A line that ends in a space
// goes on in the next one of the same depth of quoting; "-- " does not.
func unflow(text string, deleteSpace bool) string {
	var out strings.Builder
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	open := -1
	for i, line := range lines {
		depth := len(line) - len(strings.TrimLeft(line, ">"))
		body := strings.TrimPrefix(line[depth:], " ")
		flows := strings.HasSuffix(body, " ") && body != "-- "
		switch {
		case open == depth && body != "-- ":
		default:
			if i > 0 {
				out.WriteByte('\n')
			}
			out.WriteString(strings.Repeat(">", depth))
			if depth > 0 && body != "" {
				out.WriteByte(' ')
			}
		}
		open = -1
		if flows {
			open = depth
			if deleteSpace {
				body = strings.TrimSuffix(body, " ")
			}
		}
		out.WriteString(body)
	}
	return out.String()
}
