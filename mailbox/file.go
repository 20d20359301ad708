package mailbox

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync/atomic"

	"github.com/klauspost/compress/zstd"

	"tidings/event"
)

// byteOrderMark begins what some editors save.
var byteOrderMark = []byte("\xef\xbb\xbf")

// file is an open file with the compression taken off. It counts what was
// taken from it in uncompressed bytes, and what it took from the disk.
type file struct {
	path string
	size int64
	// consumed is read by another goroutine, for a progress bar.
	consumed atomic.Int64
	raw      *os.File
	zipped   bool
	// returns says that the lines end in CR alone.
	returns bool
	// closing ends what takes the compression off.
	closing func()
	in      *bufio.Reader
	offset  int64
	lines   int64
	line    []byte
}

// openFile opens a regular file and buffers it: in may be asked to peek at as
// many bytes as buffered.
func openFile(path string, buffered int) (*file, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, notThere("open a mailbox", err)
	}
	// A pipe or a device would wait for ever, and cannot be resumed.
	if !info.Mode().IsRegular() {
		return nil, event.Invalid("", path+" is not a regular file")
	}
	raw, err := os.Open(path)
	if err != nil {
		return nil, notThere("open a mailbox", err)
	}
	f := &file{path: path, size: info.Size(), raw: raw}
	f.in = bufio.NewReaderSize(onDisk{f}, buffered)
	if err := f.unpack(buffered); err != nil {
		return nil, errors.Join(f.failed(err), raw.Close())
	}
	f.straighten(buffered)
	return f, nil
}

// Magic numbers of compressed files.
var (
	gzipMagic  = []byte{0x1f, 0x8b}
	zstdMagic  = []byte{0x28, 0xb5, 0x2f, 0xfd}
	bzip2Magic = []byte("BZh")
	zipMagic   = []byte("PK\x03\x04")
)

// maxWindow bounds the memory that a zstd file may ask for: four times what its
// command line takes without being told.
const maxWindow = 32 << 20

// unpack takes the compression off, which the first bytes tell.
func (f *file) unpack(buffered int) error {
	magic, _ := f.in.Peek(10)
	var unpacked io.Reader
	switch {
	case bytes.HasPrefix(magic, gzipMagic):
		opened, err := gzip.NewReader(f.in)
		if err != nil {
			return err
		}
		unpacked = opened
	case bytes.HasPrefix(magic, zstdMagic):
		opened, err := zstd.NewReader(f.in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return err
		}
		f.closing = opened.Close
		unpacked = opened
	case bytes.HasPrefix(magic, bzip2Magic) && len(magic) == 10 && string(magic[4:10]) == "1AY&SY":
		unpacked = bzip2.NewReader(f.in)
	default:
		return nil
	}
	f.zipped = true
	f.in = bufio.NewReaderSize(unpacked, buffered)
	return nil
}

// straighten makes line feeds of the CRs of a file that has nothing else.
func (f *file) straighten(buffered int) {
	head, _ := f.in.Peek(min(buffered, sniffed))
	if onlyCarriageReturns(head) {
		f.returns = true
		f.in = bufio.NewReaderSize(carriageReturns{f.in}, buffered)
	}
}

// skipMark passes over a byte order mark at the beginning.
func (f *file) skipMark() {
	if head, _ := f.in.Peek(len(byteOrderMark)); bytes.Equal(head, byteOrderMark) {
		n, _ := f.in.Discard(len(byteOrderMark))
		f.offset += int64(n)
	}
}

// skipLength passes over the first line of an .emlx: how long the mail is.
func (f *file) skipLength() {
	head, _ := f.in.Peek(32)
	line, _, found := bytes.Cut(head, []byte("\n"))
	length, err := strconv.ParseInt(string(bytes.TrimSpace(line)), 10, 64)
	if !found || err != nil {
		return
	}
	_, _ = f.in.Discard(len(line) + 1)
	f.in = bufio.NewReader(io.LimitReader(f.in, length))
}

// onDisk reads the file as it is and counts what was read.
type onDisk struct{ *file }

func (d onDisk) Read(p []byte) (int, error) {
	n, err := d.raw.Read(p)
	d.consumed.Add(int64(n))
	return n, err
}

// failed names the file in an error of reading it.
func (f *file) failed(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, gzip.ErrChecksum) || errors.Is(err, gzip.ErrHeader) ||
		errors.As(err, new(bzip2.StructuralError)) || errors.Is(err, zstd.ErrMagicMismatch) || errors.Is(err, zstd.ErrCRCMismatch) ||
		errors.Is(err, zstd.ErrWindowSizeExceeded) || errors.Is(err, zip.ErrFormat) || errors.Is(err, zip.ErrChecksum) {
		return fmt.Errorf("read %s: %w: the compressed file is cut short or damaged: %w", f.path, event.ErrInvalid, err)
	}
	return fmt.Errorf("read %s: %w", f.path, err)
}

// slice takes what is left of the current line, or as much as is buffered. The
// bytes are valid until the next call. The error is io.EOF, with nothing, at
// the end of the file.
func (f *file) slice() ([]byte, error) {
	part, err := f.in.ReadSlice('\n')
	f.offset += int64(len(part))
	if len(part) > 0 && part[len(part)-1] == '\n' {
		f.lines++
	}
	if errors.Is(err, bufio.ErrBufferFull) || (errors.Is(err, io.EOF) && len(part) > 0) {
		err = nil
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, f.failed(err)
	}
	return part, err
}

// wholeLine takes a line without its end; tooLong when it had more than most
// bytes, which are passed over. The bytes are valid until the next call.
func (f *file) wholeLine(most int) (line []byte, tooLong bool, err error) {
	f.line = f.line[:0]
	for {
		part, err := f.slice()
		if errors.Is(err, io.EOF) && (len(f.line) > 0 || tooLong) {
			break
		}
		if err != nil {
			return nil, false, err
		}
		if len(f.line)+len(part) > most {
			tooLong = true
			f.line = f.line[:0]
		}
		if !tooLong {
			f.line = append(f.line, part...)
		}
		if part[len(part)-1] == '\n' {
			break
		}
	}
	return bytes.TrimRight(f.line, "\r\n"), tooLong, nil
}

// seek goes to an uncompressed offset of a file from which nothing was taken.
func (f *file) seek(offset int64) error {
	if f.zipped {
		n, err := io.CopyN(io.Discard, f.in, offset)
		f.offset = n
		if errors.Is(err, io.EOF) {
			return changed(f.path)
		}
		if err != nil {
			return f.failed(err)
		}
		return nil
	}
	if offset > f.size {
		return changed(f.path)
	}
	if _, err := f.raw.Seek(offset, io.SeekStart); err != nil {
		return f.failed(err)
	}
	if f.returns {
		f.in.Reset(carriageReturns{onDisk{f}})
	} else {
		f.in.Reset(onDisk{f})
	}
	f.consumed.Store(offset)
	f.offset = offset
	return nil
}

func (f *file) Close() error {
	if f.closing != nil {
		f.closing()
	}
	if err := f.raw.Close(); err != nil {
		return fmt.Errorf("close %s: %w", f.path, err)
	}
	return nil
}

// changed is a position that is not there any more.
func changed(path string) error {
	return fmt.Errorf("resume %s: %w: it is not what it was; start from its beginning, repeats are harmless", path, event.ErrConflict)
}
