package mailbox

import (
	"bytes"
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
	"strconv"
	"strings"
	"sync/atomic"
	"time"

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

// isPartOfMaildir reports whether a folder is the cur, new or tmp of a Maildir,
// which is listed with it.
func isPartOfMaildir(root, folder string) bool {
	name := filepath.Base(folder)
	return folder != root && (name == "cur" || name == "new") && isMaildir(filepath.Dir(folder))
}

func isMaildir(path string) bool {
	for _, sub := range []string{"cur", "new"} {
		if info, err := os.Stat(filepath.Join(path, sub)); err == nil && info.IsDir() {
			return true
		}
	}
	return false
}

// list gives the files of mail of a folder, by their names below it, in an order
// that stays when a mail program moves one from new to cur and adds flags.
func (d *directory) list(folder string) (files []string, strays Ignored, err error) {
	name := filepath.Base(folder)
	if folder == d.path && (name == "cur" || name == "new") {
		// One half of a Maildir, given by its own name.
		files, err = namesIn(folder, "", func(string) bool { return true }, nil)
		return files, strays, err
	}
	if isMaildir(folder) {
		for _, sub := range []string{"cur", "new"} {
			if files, err = namesIn(folder, sub, isMaildirName, &strays, files...); err != nil {
				return nil, strays, err
			}
		}
	}
	files, err = namesIn(folder, "", func(name string) bool { return isMailFile(filepath.Join(folder, name)) }, &strays, files...)
	slices.SortFunc(files, func(a, b string) int { return compareNames(keyOf(a), keyOf(b)) })
	if sent := slices.IndexFunc(files, func(name string) bool { return FolderOfPath(name) == FolderSent }); sent > 0 {
		name := files[sent]
		copy(files[1:sent+1], files[:sent])
		files[0] = name
	}
	return files, strays, err
}

// compareNames orders numbers by their value, as MH counts its mails.
func compareNames(a, b string) int {
	n, err1 := strconv.Atoi(strings.TrimSuffix(a, "."))
	m, err2 := strconv.Atoi(strings.TrimSuffix(b, "."))
	if err1 == nil && err2 == nil && n != m {
		return n - m
	}
	return strings.Compare(a, b)
}

// namesIn adds the wanted names of regular files of folder/sub to found.
func namesIn(folder, sub string, wanted func(name string) bool, strays *Ignored, found ...string) ([]string, error) {
	opened, err := os.Open(filepath.Join(folder, sub))
	if errors.Is(err, os.ErrNotExist) && sub != "" {
		return found, nil
	}
	if err != nil {
		return nil, notThere("list a directory of mail", err)
	}
	defer opened.Close()
	for {
		entries, err := opened.ReadDir(1000)
		for _, entry := range entries {
			name := entry.Name()
			switch {
			case entry.IsDir() || strings.HasPrefix(name, "."):
			case entry.Type().IsRegular() && wanted(name):
				found = append(found, filepath.Join(sub, name))
			case strays != nil:
				strays.add(Ignored{1, []string{filepath.Join(filepath.Base(folder), sub, name)}})
			}
		}
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return nil, notThere("list a directory of mail", err)
		}
	}
}

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
