package mailbox

import (
	"archive/zip"
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"sync/atomic"

	"tidings/event"
)

// maxMembers bounds the members of a zip whose names are held.
const maxMembers = 1_000_000

// archive is a zip of mail, such as Google Takeout makes: mbox and .eml files.
// Each member is read as the file that it is.
type archive struct {
	path    string
	options Options
	raw     *os.File
	members []*zip.File
	at      int
	inner   source
	open    io.Closer
	records int64
	done    atomic.Int64
	total   int64
	strays  Ignored
}

func openZip(name string, options Options) (*archive, error) {
	raw, err := os.Open(name)
	if err != nil {
		return nil, notThere("open a zip", err)
	}
	a := &archive{path: name, options: options, raw: raw}
	if err := a.list(); err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	return a, nil
}

// list finds the members that are mail.
func (a *archive) list() error {
	info, err := a.raw.Stat()
	if err != nil {
		return fmt.Errorf("open %s: %w", a.path, err)
	}
	opened, err := zip.NewReader(a.raw, info.Size())
	if err != nil {
		return fmt.Errorf("read %s: %w: the zip is cut short or damaged: %w", a.path, event.ErrInvalid, err)
	}
	if len(opened.File) > maxMembers {
		return event.Invalid("", fmt.Sprintf("%s has more than %d members", a.path, maxMembers))
	}
	for _, member := range opened.File {
		if member.FileInfo().IsDir() || strings.HasPrefix(path.Base(member.Name), ".") || strings.HasPrefix(member.Name, "__MACOSX/") {
			continue
		}
		if memberFormat(member.Name) == "" {
			a.strays.add(Ignored{1, []string{member.Name}})
			continue
		}
		a.members = append(a.members, member)
		a.total += int64(member.CompressedSize64)
	}
	if len(a.members) == 0 {
		return event.Invalid("format", a.path+" holds no file of mail: no .mbox, .eml or .emlx, and no Maildir")
	}
	slices.SortStableFunc(a.members, func(x, y *zip.File) int { return strings.Compare(x.Name, y.Name) })
	return nil
}

// memberFormat tells what a member is by its name.
func memberFormat(name string) Format {
	switch path.Ext(bareName(path.Base(name))) {
	case ".mbox", ".mbx":
		return MBox
	case ".eml", ".emlx":
		return EML
	}
	if parent := path.Base(path.Dir(name)); (parent == "cur" || parent == "new") && isMaildirName(path.Base(name)) {
		return EML
	}
	return ""
}

func (a *archive) next() (item, error) {
	for {
		if a.inner == nil {
			if a.at == len(a.members) {
				return item{}, io.EOF
			}
			if err := a.openMember(a.members[a.at]); err != nil {
				return item{}, err
			}
		}
		found, err := a.inner.next()
		if !errors.Is(err, io.EOF) {
			a.records++
			return found, err
		}
		a.done.Add(int64(a.members[a.at].CompressedSize64))
		a.at++
		a.inner = nil
		if err := a.open.Close(); err != nil {
			return item{}, fmt.Errorf("read %s: %w: %w", a.path, event.ErrInvalid, err)
		}
	}
}

// openMember begins to read a member.
func (a *archive) openMember(member *zip.File) error {
	opened, err := member.Open()
	if err != nil {
		return fmt.Errorf("read %s: %w: %w", a.path, event.ErrInvalid, err)
	}
	f := &file{path: a.path + ":" + member.Name, zipped: true, in: bufio.NewReaderSize(opened, peeked)}
	if err := f.unpack(peeked); err != nil {
		return errors.Join(f.failed(err), opened.Close())
	}
	f.straighten(peeked)
	a.open = opened
	folder := FolderOfPath(member.Name)
	if memberFormat(member.Name) == MBox {
		box := newMBox(f, a.options)
		box.folder = folder
		a.inner = box
		return nil
	}
	switch flags := flagsOf(member.Name); {
	case strings.Contains(flags, "D"):
		folder = FolderDrafts
	case strings.Contains(flags, "T"):
		folder = FolderTrash
	}
	if strings.HasSuffix(bareName(member.Name), ".emlx") {
		f.skipLength()
	}
	a.inner = &memberMail{file: f, options: a.options, folder: folder, record: a.records + 1}
	return nil
}

// position counts records alone: a zip is read again up to there.
func (a *archive) position() Position { return Position{Records: a.records} }

func (a *archive) resume(at Position) error {
	for a.records < at.Records {
		_, err := a.next()
		var refused *Refusal
		if errors.Is(err, io.EOF) {
			return changed(a.path)
		}
		if err != nil && !errors.As(err, &refused) {
			return err
		}
	}
	return nil
}

func (a *archive) progress() Progress {
	return Progress{Done: a.done.Load(), Total: a.total, Unit: "bytes"}
}

func (a *archive) ignored() Ignored { return a.strays }

func (a *archive) Close() error {
	if a.inner != nil {
		_ = a.open.Close() // It was read; its own error says nothing more.
	}
	if err := a.raw.Close(); err != nil {
		return fmt.Errorf("close %s: %w", a.path, err)
	}
	return nil
}

// memberMail is a member with one mail.
type memberMail struct {
	file    *file
	options Options
	folder  Folder
	record  int64
	read    bool
}

func (m *memberMail) next() (item, error) {
	if m.read {
		return item{}, io.EOF
	}
	m.read = true
	at := where{path: m.file.path, record: m.record}
	watched := &failing{reader: m.file.in}
	found, err := readMailOr(watched, m.options.headers)
	if watched.err != nil {
		return item{}, m.file.failed(watched.err)
	}
	if err != nil {
		return item{}, at.refuse(Unreadable, err.Error())
	}
	found.receivedAt(maildirTime(path.Base(m.file.path)))
	return item{mail: &found, folder: m.folder, at: at}, nil
}

func (m *memberMail) position() Position    { return Position{} }
func (m *memberMail) resume(Position) error { return nil }
func (m *memberMail) progress() Progress    { return Progress{} }
func (m *memberMail) ignored() Ignored      { return Ignored{} }
func (m *memberMail) Close() error          { return nil }
