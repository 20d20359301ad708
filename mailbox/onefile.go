package mailbox

import (
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// readFile reads a file of one mail. One that cannot be read is refused on its
// own: it may have been moved meanwhile.
func readFile(at where, options Options) (item, *Refusal) {
	f, err := openFile(at.path, 64<<10)
	if err != nil {
		return item{}, at.refuse(Unreadable, "it cannot be opened, or was moved meanwhile")
	}
	defer f.Close()
	if strings.HasSuffix(bareName(at.path), ".emlx") {
		f.skipLength()
	}
	watched := &failing{reader: f.in}
	m, err := readMailOr(watched, options.headers)
	if watched.err != nil {
		return item{}, at.refuse(Unreadable, "reading it failed part of the way")
	}
	if err != nil {
		return item{}, at.refuse(Unreadable, err.Error())
	}
	m.receivedAt(maildirTime(filepath.Base(at.path)))
	return item{mail: &m, at: at}, nil
}

// maildirTime is when a mail was put into a Maildir, by its file's name: seconds,
// a dot, and more.
func maildirTime(name string) time.Time {
	seconds, _, found := strings.Cut(name, ".")
	n, err := strconv.ParseInt(seconds, 10, 64)
	if !found || err != nil || len(seconds) < 9 || len(seconds) > 10 {
		return time.Time{}
	}
	return time.Unix(n, 0)
}

// failing keeps the error of a reader, which parsing a mail may swallow.
type failing struct {
	reader io.Reader
	err    error
}

func (f *failing) Read(p []byte) (int, error) {
	n, err := f.reader.Read(p)
	if err != nil && err != io.EOF {
		f.err = err
	}
	return n, err
}
