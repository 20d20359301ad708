package mailbox

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
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

// directory is a tree of folders with mail: Maildir with its subfolders, MH,
// .eml and .emlx files, and mbox files. Its memory is that of the names of one
// folder at a time.
type directory struct {
	path    string
	options Options
	// folders are those with mail, sorted; at counts them, and files are the
	// names within the one that is being read.
	folders []string
	at      int
	files   []string
	next_   int
	// inner reads an mbox within the directory.
	inner   source
	records int64
	done    atomic.Int64
	total   int64
	names   hash.Hash
	strays  Ignored
}

// maxFolders bounds the folders of a directory.
const maxFolders = 100_000

// shownStrays is how many files that are no mail are named.
const shownStrays = 5

func openDirectory(path string, options Options) (*directory, error) {
	d := &directory{path: path, options: options, names: sha256.New()}
	err := filepath.WalkDir(path, func(folder string, entry os.DirEntry, err error) error {
		if err != nil {
			return notThere("list a directory of mail", err)
		}
		if !entry.IsDir() || isPartOfMaildir(path, folder) {
			return nil
		}
		if entry.Name() == "tmp" && folder != path {
			return filepath.SkipDir
		}
		if len(d.folders) == maxFolders {
			return event.Invalid("", fmt.Sprintf("%s has more than %d folders", path, maxFolders))
		}
		files, strays, err := d.list(folder)
		if err != nil {
			return err
		}
		d.strays.add(strays)
		if len(files) > 0 {
			d.folders = append(d.folders, folder)
			d.total += int64(len(files))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if d.total == 0 && !isMaildir(path) {
		return nil, event.Invalid("format", path+" is not a Maildir (it has neither cur nor new), and holds no file of mail")
	}
	slices.SortFunc(d.folders, func(a, b string) int {
		if sentA, sentB := d.holdsSent(a), d.holdsSent(b); sentA != sentB {
			return cmp.Compare(sentB, sentA)
		}
		return strings.Compare(a, b)
	})
	return d, nil
}

// holdsSent is 1 for a folder of sent mail. They come first: what answers their
// mail is known then.
func (d *directory) holdsSent(path string) int {
	if FolderOfPath(d.relative(path)) == FolderSent {
		return 1
	}
	return 0
}

func (i *Ignored) add(other Ignored) {
	i.Count += other.Count
	for _, name := range other.Names {
		if len(i.Names) < shownStrays {
			i.Names = append(i.Names, name)
		}
	}
}

func (d *directory) next() (item, error) {
	for {
		if d.inner != nil {
			found, err := d.inner.next()
			if !errors.Is(err, io.EOF) {
				return d.numbered(found, err)
			}
			if err := d.inner.Close(); err != nil {
				return item{}, err
			}
			d.inner = nil
			d.done.Add(1)
		}
		folder, name, err := d.advance()
		if err != nil {
			return item{}, err
		}
		if d.isBox(folder, name) {
			opened, err := openMBox(filepath.Join(folder, name), d.options)
			if err != nil {
				d.records++
				d.done.Add(1)
				return item{}, where{path: filepath.Join(folder, name), record: d.records}.refuse(Unreadable, "it cannot be opened")
			}
			opened.folder = FolderOfPath(d.relative(filepath.Join(folder, name)))
			d.inner = opened
			continue
		}
		d.done.Add(1)
		d.records++
		at := where{path: filepath.Join(folder, name), record: d.records}
		found, refused := readFile(at, d.options)
		if refused != nil {
			return item{}, refused
		}
		found.folder = d.folderOf(at.path)
		return found, nil
	}
}

// numbered counts a record of an mbox within the directory.
func (d *directory) numbered(found item, err error) (item, error) {
	d.records++
	return found, err
}

// isBox reports whether a file of the directory holds several mails.
func (d *directory) isBox(folder, name string) bool {
	if filepath.Dir(name) != "." {
		return false
	}
	switch filepath.Ext(bareName(name)) {
	case ".mbox", ".mbx":
		return true
	case "":
		return !isNumber(name) && beginsWithFrom(filepath.Join(folder, name))
	}
	return false
}

// advance goes to the next file.
func (d *directory) advance() (folder, name string, err error) {
	for d.next_ == len(d.files) {
		if d.at == len(d.folders) {
			return "", "", io.EOF
		}
		if d.files, _, err = d.list(d.folders[d.at]); err != nil {
			return "", "", err
		}
		d.at++
		d.next_ = 0
	}
	folder, name = d.folders[d.at-1], d.files[d.next_]
	d.next_++
	key := filepath.Join(strings.TrimPrefix(folder, d.path), keyOf(name))
	fmt.Fprintf(d.names, "%d:%s", len(key), key)
	return folder, name, nil
}

func (d *directory) position() Position {
	at := Position{Records: d.records, Files: d.done.Load(), Names: hex.EncodeToString(d.names.Sum(nil))}
	if d.inner != nil {
		inner := d.inner.position()
		at.Bytes, at.Lines = inner.Bytes, inner.Lines
	}
	return at
}

func (d *directory) resume(at Position) error {
	if at.Records < 0 || at.Files > d.total {
		return changed(d.path)
	}
	for range at.Files {
		if _, _, err := d.advance(); err != nil {
			return changed(d.path)
		}
	}
	if at.Bytes > 0 {
		folder, name, err := d.advance()
		if err != nil {
			return changed(d.path)
		}
		opened, err := openMBox(filepath.Join(folder, name), d.options)
		if err != nil {
			return changed(d.path)
		}
		opened.folder = FolderOfPath(d.relative(filepath.Join(folder, name)))
		if err := opened.resume(Position{Bytes: at.Bytes, Lines: at.Lines}); err != nil {
			return errors.Join(err, opened.Close())
		}
		d.inner = opened
	}
	if at.Names != hex.EncodeToString(d.names.Sum(nil)) {
		return changed(d.path)
	}
	d.done.Store(at.Files)
	d.records = at.Records
	return nil
}

func (d *directory) progress() Progress {
	return Progress{Done: d.done.Load(), Total: d.total, Unit: "files"}
}

func (d *directory) ignored() Ignored { return d.strays }

func (d *directory) Close() error {
	if d.inner != nil {
		return d.inner.Close()
	}
	return nil
}
