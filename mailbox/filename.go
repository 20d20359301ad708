package mailbox

import (
	"bytes"
	"path/filepath"
	"strings"
)

// notMail are files that mail programs keep beside mail, by their beginnings and
// by their ends.
var (
	strayBegins = []string{"dovecot", "courierimap", "maildirsize", "maildirfolder", "subscriptions", "uidlist", "thumbs.db", "desktop.ini"}
	strayEnds   = []string{
		".msf", ".index", ".log", ".cache", ".lock", ".db", ".sqlite", ".dat", ".json", ".plist", ".html", ".txt", ".pdf", ".xml",
		".csv", ".tmp", ".bak", ".ini", ".sh", ".zip", ".tar",
	}
)

// isMaildirName takes what Maildir calls a mail: anything but what programs keep
// beside it.
func isMaildirName(name string) bool {
	lower := strings.ToLower(name)
	for _, begin := range strayBegins {
		if strings.HasPrefix(lower, begin) {
			return false
		}
	}
	for _, end := range strayEnds {
		if strings.HasSuffix(lower, end) {
			return false
		}
	}
	return true
}

// isMailFile tells a file of mail by its name: .eml and .emlx, the numbers of
// MH, and .mbox; and by its first bytes where a name has no extension, as
// Thunderbird's have none.
func isMailFile(path string) bool {
	name := bareName(filepath.Base(path))
	switch filepath.Ext(name) {
	case ".eml", ".emlx", ".mbox", ".mbx":
		return true
	}
	if isNumber(strings.TrimSuffix(name, ".")) {
		return true
	}
	return !strings.Contains(name, ".") && isMaildirName(name) && beginsWithFrom(path)
}

// bareName is a name in lower case without the extension of a compression.
func bareName(name string) string {
	name = strings.ToLower(name)
	for _, extension := range []string{".gz", ".zst", ".bz2"} {
		name = strings.TrimSuffix(name, extension)
	}
	return name
}

func isNumber(name string) bool { return name != "" && strings.Trim(name, "0123456789") == "" }

func beginsWithFrom(path string) bool {
	f, err := openFile(path, 4<<10)
	if err != nil {
		return false
	}
	defer f.Close()
	head, _ := f.in.Peek(64)
	return bytes.HasPrefix(bytes.TrimPrefix(head, byteOrderMark), []byte("From "))
}

// keyOf is a name without the half of the Maildir that it is in, and without its
// flags, which Windows separates by another character.
func keyOf(name string) string {
	name = filepath.Base(name)
	for _, mark := range []string{":2,", "!2,", ";2,", "\uf0222,"} {
		if key, _, found := strings.Cut(name, mark); found {
			return key
		}
	}
	return name
}

// flagsOf are the flags of a Maildir file.
func flagsOf(name string) string {
	return strings.TrimLeft(strings.TrimPrefix(filepath.Base(name), keyOf(name)), ":!;2,\uf022")
}

// relative is a path as the folders that were given have it.
func (d *directory) relative(path string) string {
	inside, err := filepath.Rel(d.path, path)
	if err != nil {
		return path
	}
	return filepath.Join(givenName(d.path), inside)
}

// givenName is the part of a given path that says what folder it is: its last
// name, or its last two where that says nothing.
func givenName(path string) string {
	if absolute, err := filepath.Abs(path); err == nil {
		path = absolute
	}
	name := filepath.Base(path)
	switch strings.ToLower(name) {
	case "cur", "new", "mbox", "messages":
		return filepath.Join(filepath.Base(filepath.Dir(path)), name)
	}
	return name
}

// folderOf is what the path of a file and its flags say: D is a draft, T is
// trash.
func (d *directory) folderOf(path string) Folder {
	switch flags := flagsOf(path); {
	case strings.Contains(flags, "D"):
		return FolderDrafts
	case strings.Contains(flags, "T"):
		return FolderTrash
	}
	return FolderOfPath(filepath.Dir(d.relative(path)))
}
