package mailbox

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"tidings/event"
)

// directory is a Maildir, or a directory of .eml files. Its memory is constant
// but for the names of the files.
type directory struct {
	path    string
	options Options
	files   []entry
	// done is read by another goroutine, for a progress bar.
	done  atomic.Int64
	names hash.Hash
}

// entry is a file of a directory.
type entry struct {
	// key orders the files and stays the same when a mail program moves one
	// from new to cur and adds flags to its name.
	key, path string
}

func openDirectory(path string, options Options) (*directory, error) {
	d := &directory{path: path, options: options, names: sha256.New()}
	maildir := false
	for _, sub := range []string{"cur", "new"} {
		info, err := os.Stat(filepath.Join(path, sub))
		if err != nil || !info.IsDir() {
			continue
		}
		maildir = true
		if err := d.list(filepath.Join(path, sub), func(string) bool { return true }); err != nil {
			return nil, err
		}
	}
	if !maildir {
		if err := d.list(path, isEML); err != nil {
			return nil, err
		}
		if len(d.files) == 0 {
			return nil, event.Invalid("format", path+" is no Maildir (it has neither cur nor new), and holds no .eml file")
		}
	}
	slices.SortFunc(d.files, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	return d, nil
}

// isEML takes names as mail programs write them, of any case.
func isEML(name string) bool {
	return strings.HasSuffix(strings.TrimSuffix(strings.ToLower(name), ".gz"), ".eml")
}

// list adds the regular files of a folder whose names are wanted.
func (d *directory) list(folder string, wanted func(name string) bool) error {
	found, err := os.ReadDir(folder)
	if err != nil {
		return notThere("list a directory of mail", err)
	}
	for _, file := range found {
		name := file.Name()
		if !file.Type().IsRegular() || strings.HasPrefix(name, ".") || !wanted(name) {
			continue
		}
		key, _, _ := strings.Cut(name, ":2,")
		d.files = append(d.files, entry{key: key, path: filepath.Join(folder, name)})
	}
	return nil
}

func (d *directory) next() ([]event.Input, error) {
	at := d.done.Load()
	if at == int64(len(d.files)) {
		return nil, io.EOF
	}
	file := d.files[at]
	d.mark(file)
	d.done.Add(1)
	inputs, refused := readFile(file.path, d.options)
	if refused != nil {
		refused.Record = at + 1
		return nil, refused
	}
	return inputs, nil
}

// mark adds a name to the hash of what is done.
func (d *directory) mark(file entry) { fmt.Fprintf(d.names, "%d:%s", len(file.key), file.key) }

// readFile reads a file of one mail. One that cannot be read is refused on its
// own: it may have been moved meanwhile.
func readFile(path string, options Options) ([]event.Input, *Refusal) {
	unreadable := func(detail string) *Refusal {
		return &Refusal{Path: path, Code: Unreadable, Detail: detail}
	}
	f, err := openFile(path, 64<<10)
	if err != nil {
		return nil, unreadable("it cannot be opened, or was moved meanwhile")
	}
	defer f.Close()
	watched := &failing{reader: f.in}
	m, err := readMail(watched)
	if watched.err != nil {
		return nil, unreadable("reading it failed part of the way")
	}
	if err != nil {
		return nil, unreadable(err.Error())
	}
	inputs, refused := m.inputs(options)
	if refused != nil {
		refused.Path = path
	}
	return inputs, refused
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

func (d *directory) position() Position {
	return Position{Records: d.done.Load(), Names: hex.EncodeToString(d.names.Sum(nil))}
}

func (d *directory) resume(at Position) error {
	if at.Records < 0 || at.Records > int64(len(d.files)) {
		return changed(d.path)
	}
	for _, file := range d.files[:at.Records] {
		d.mark(file)
	}
	if at.Names != hex.EncodeToString(d.names.Sum(nil)) {
		return changed(d.path)
	}
	d.done.Store(at.Records)
	return nil
}

func (d *directory) progress() Progress {
	return Progress{Done: d.done.Load(), Total: int64(len(d.files)), Unit: "files"}
}

func (d *directory) Close() error { return nil }

// openSingle reads one file as a directory that holds nothing else.
func openSingle(path string, options Options) (*directory, error) {
	f, err := openFile(path, 4<<10)
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	only := entry{key: filepath.Base(path), path: path}
	return &directory{path: path, options: options, names: sha256.New(), files: []entry{only}}, nil
}
