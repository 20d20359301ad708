package hooks

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"strings"
	"unicode/utf8"

	jsonv2 "github.com/go-json-experiment/json"

	"golang.org/x/text/encoding/charmap"
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
		if bytes.Count(r.Body, []byte("&")) >= maxFields {
			return nil, event.Invalid("body", "is a form of more than 1,000 fields")
		}
		values, err := url.ParseQuery(string(r.Body))
		if err != nil {
			return nil, event.Invalid("body", "is not a form")
		}
		return form(values), nil
	}
	_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || params["boundary"] == "" {
		return nil, event.Invalid("header.Content-Type", "names no boundary")
	}
	fields := make(form)
	kept, count := 0, 0
	for parts := multipart.NewReader(bytes.NewReader(r.Body), params["boundary"]); ; {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return fields, nil
		}
		if err != nil {
			return nil, event.Invalid("body", "is not a form with the boundary that it names")
		}
		if count++; count > maxFields {
			return nil, event.Invalid("body", "is a form of more than 1,000 fields")
		}
		name := part.FormName()
		if name == "" || part.FileName() != "" || hasFileName(part) {
			continue
		}
		value, err := io.ReadAll(io.LimitReader(part, maxField+1))
		kept += len(name) + len(value)
		if err != nil || len(value) > maxField || kept > maxKept {
			return nil, event.Invalid("body", "is not a form that can be taken: it is cut off, or has too much text")
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
	names := map[string]string{}
	if jsonv2.Unmarshal([]byte(charsets), &names, tolerant()) != nil {
		names = nil
	}
	for field, values := range f {
		coding, err := htmlindex.Get(names[field])
		for i, value := range values {
			if err == nil {
				if decoded, failed := coding.NewDecoder().String(value); failed == nil {
					values[i] = decoded
				}
			}
			// As mail without a charset is read: what is no UTF-8 is Western.
			if !utf8.ValidString(values[i]) {
				values[i] = latin(values[i])
			}
		}
	}
}

// latin reads windows-1252, in which every byte is a character.
func latin(text string) string {
	decoded, err := charmap.Windows1252.NewDecoder().String(text)
	if err != nil {
		return strings.ToValidUTF8(text, "\uFFFD")
	}
	return decoded
}

// maxFile bounds a part of a mail that is for programs, such as a delivery report.
const maxFile = 1 << 20

// formFiles are the files of a form that are for programs: what says that a mail
// came back, was read, or answers an invitation.
func formFiles(r *Request) []mailbox.Attachment {
	_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || params["boundary"] == "" {
		return nil
	}
	var files []mailbox.Attachment
	for parts := multipart.NewReader(bytes.NewReader(r.Body), params["boundary"]); len(files) < 20; {
		part, err := parts.NextRawPart()
		if err != nil {
			return files
		}
		kind := part.Header.Get("Content-Type")
		if part.FileName() == "" && !hasFileName(part) || !forPrograms(kind) {
			continue
		}
		if data, err := io.ReadAll(io.LimitReader(part, maxFile)); err == nil {
			files = append(files, mailbox.Attachment{Type: kind, Data: data})
		}
	}
	return files
}

// forPrograms reports whether package mailbox reads such an attachment.
func forPrograms(kind string) bool {
	kind = strings.ToLower(kind)
	return strings.HasPrefix(kind, "message/") || strings.HasPrefix(kind, "text/rfc822-headers") ||
		strings.HasPrefix(kind, "text/calendar") || strings.HasPrefix(kind, "application/ics")
}

// parsedMail is the mail of an inbound form: its fields where it was taken apart,
// the raw mail where it was not.
func parsedMail(raw, header, text, html string, files []mailbox.Attachment) (mailbox.Mail, error) {
	if strings.TrimSpace(raw) != "" {
		return mailbox.ParseMail([]byte(raw))
	}
	if strings.TrimSpace(header) == "" {
		return mailbox.Mail{}, event.Invalid("headers", "is missing: nothing says when the mail was written")
	}
	return mailbox.ParseParts(mailbox.Parts{Header: mailbox.ParseHeader(header), Text: text, HTML: html, Attachments: files}), nil
}

// payload is the form as a JSON object, for whoever looks something up in it.
func (f form) payload() []byte {
	first := make(map[string]string, len(f))
	for name := range f {
		first[name] = f.get(name)
	}
	raw, err := jsonv2.Marshal(first, jsonv2.Deterministic(true), lenient())
	if err != nil {
		return nil // cannot be: texts alone
	}
	return raw
}
