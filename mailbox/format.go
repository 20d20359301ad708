package mailbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"tidings/event"
)

// Format is how a file or directory holds its mail.
type Format string

// The formats that are read.
const (
	MBox      Format = "mbox"
	Maildir   Format = "maildir"
	EML       Format = "eml"
	NDJSON    Format = "ndjson"
	JSONLMail Format = "jsonl-mail"
	Zip       Format = "zip"
)

// Formats lists every format.
var Formats = []Format{MBox, Maildir, EML, NDJSON, JSONLMail, Zip}

// ParseFormat reads the name of a format. The error is an event.ErrInvalid.
func ParseFormat(text string) (Format, error) {
	names := make([]string, len(Formats))
	for i, format := range Formats {
		if string(format) == text {
			return format, nil
		}
		names[i] = string(format)
	}
	return "", event.Invalid("format", fmt.Sprintf("%q is not one of %s", text, strings.Join(names, ", ")))
}

// sniffed is how much of a file Detect looks at.
const sniffed = 64 << 10

// Detect tells the format of a path by its first bytes, or by its name where
// they say nothing. The error is an event.ErrInvalid when neither does.
func Detect(path string) (Format, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", notThere("detect the format", err)
	}
	if info.IsDir() {
		return Maildir, nil
	}
	f, err := openFile(path, sniffed)
	if err != nil {
		return "", err
	}
	defer f.Close()
	head, err := f.in.Peek(sniffed)
	if isOutlook(path, head) {
		return "", event.Invalid("format", filepath.Base(path)+" is in a format of Outlook's own: let Thunderbird fetch the account, and import its folder")
	}
	if bytes.HasPrefix(head, zipMagic) {
		return Zip, nil
	}
	if strings.HasSuffix(bareName(path), ".emlx") {
		return EML, nil
	}
	if err != nil && !errors.Is(err, io.EOF) && len(head) == 0 {
		return "", fmt.Errorf("detect the format of %s: %w", path, err)
	}
	if format, ok := formatOfBytes(head); ok {
		return format, nil
	}
	if format, ok := formatOfName(path); ok {
		return format, nil
	}
	return "", event.Invalid("format", filepath.Base(path)+" looks like no format of mail or events; name one")
}

// isOutlook reports whether a file is what Outlook exports: personal folders (MS-PST), a
// message in a compound file (MS-OXMSG), or the archive of Outlook for Mac.
func isOutlook(path string, head []byte) bool {
	return bytes.HasPrefix(head, []byte("!BDN")) || bytes.HasPrefix(head, []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")) ||
		strings.EqualFold(filepath.Ext(path), ".olm")
}

func formatOfBytes(head []byte) (Format, bool) {
	head = bytes.TrimPrefix(head, byteOrderMark)
	head = bytes.TrimLeft(head, " \t\r\n")
	switch {
	case len(head) == 0:
		return "", false
	case isFrom(head):
		return MBox, true
	case head[0] == '{':
		return formatOfObject(head), true
	}
	h := headerOf(head)
	if h.get("from")+h.get("date")+h.get("subject")+h.get("message-id") != "" {
		return EML, true
	}
	return "", false
}

// formatOfObject reads the keys of the first object: an event has a type, a
// mail a sender. It does with what there is of an object that was cut.
func formatOfObject(head []byte) Format {
	decoder := json.NewDecoder(bytes.NewReader(head))
	if _, err := decoder.Token(); err != nil {
		return NDJSON
	}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return NDJSON
		}
		switch key {
		case "type", "message", "recipient", "recipients", "time":
			return NDJSON
		case "from", "date", "to", "message_id", "in_reply_to":
			return JSONLMail
		}
		var skipped json.RawMessage
		if err := decoder.Decode(&skipped); err != nil {
			return NDJSON
		}
	}
	return NDJSON
}

func formatOfName(path string) (Format, bool) {
	switch filepath.Ext(bareName(filepath.Base(path))) {
	case ".mbox", ".mbx":
		return MBox, true
	case ".eml", ".emlx":
		return EML, true
	case ".zip":
		return Zip, true
	case ".ndjson":
		return NDJSON, true
	case ".jsonl":
		return JSONLMail, true
	}
	return "", false
}

// notThere keeps the operating system's error and says what kind it is.
func notThere(operation string, err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s: %w: %w", operation, event.ErrNotFound, err)
	}
	return fmt.Errorf("%s: %w", operation, err)
}
