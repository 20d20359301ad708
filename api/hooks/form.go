package hooks

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json"

	"golang.org/x/text/encoding/htmlindex"

	"tidings/event"
	"tidings/mailbox"
)

// Bounds of a form.
const (
	maxFields = 1000
	maxField  = 2 << 20
	// maxKept bounds all fields of a form together.
	maxKept = 8 << 20
)

// form holds the fields of a form, files left out. Of a name given several
// times all values count, in their order.
type form map[string][]string

func (f form) get(name string) string {
	if values := f[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

func isForm(mediaType string) bool {
	return mediaType == "multipart/form-data" || mediaType == "application/x-www-form-urlencoded"
}

// readForm reads both kinds of forms.
func readForm(r *Request) (form, error) {
	if r.mediaType() == "application/x-www-form-urlencoded" {
		values, err := url.ParseQuery(string(r.Body))
		if err != nil {
			return nil, event.Invalid("body", "is no form")
		}
		return form(values), nil
	}
	_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || params["boundary"] == "" {
		return nil, event.Invalid("header.Content-Type", "names no boundary")
	}
	fields := make(form)
	kept := 0
	for parts := multipart.NewReader(bytes.NewReader(r.Body), params["boundary"]); ; {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return fields, nil
		}
		if err != nil {
			return nil, event.Invalid("body", "is no form with the boundary that it names")
		}
		name := part.FormName()
		if name == "" || part.FileName() != "" || hasFileName(part) {
			continue
		}
		value, err := io.ReadAll(io.LimitReader(part, maxField+1))
		kept += len(name) + len(value)
		if err != nil || len(value) > maxField || kept > maxKept || len(fields) == maxFields {
			return nil, event.Invalid("body", "is no form that can be taken: it is cut off, or has too much text")
		}
		fields[name] = append(fields[name], string(value))
	}
}

// hasFileName reports whether a part is a file whose name is empty.
func hasFileName(part *multipart.Part) bool {
	return strings.Contains(strings.ToLower(part.Header.Get("Content-Disposition")), "filename=")
}

// recode turns the fields that a form names the charset of into UTF-8.
func (f form) recode(charsets string) {
	var names map[string]string
	if json.Unmarshal([]byte(charsets), &names, lenient()) != nil {
		return
	}
	for field, name := range names {
		coding, err := htmlindex.Get(name)
		if err != nil {
			continue
		}
		for i, value := range f[field] {
			if decoded, err := coding.NewDecoder().String(value); err == nil {
				f[field][i] = decoded
			}
		}
	}
}

// mail is the mail of an inbound form: its fields where it was taken apart, the
// raw mail where it was not.
func parsedMail(raw, header, text, html string) (mailbox.Mail, error) {
	if strings.TrimSpace(raw) != "" {
		return mailbox.ParseMail([]byte(raw))
	}
	if strings.TrimSpace(header) == "" {
		return mailbox.Mail{}, event.Invalid("headers", "is missing: nothing says when the mail was written")
	}
	m, err := mailbox.ParseMail([]byte(strings.TrimSpace(header) + "\r\n\r\n"))
	m.Body = firstOf(text, mailbox.PlainText(html))
	return m, err
}

// payload is the form as a JSON object, for whoever looks something up in it.
func (f form) payload() []byte {
	first := make(map[string]string, len(f))
	for name := range f {
		first[name] = f.get(name)
	}
	raw, err := json.Marshal(first, json.Deterministic(true), lenient())
	if err != nil {
		return nil // cannot be: texts alone
	}
	return raw
}
