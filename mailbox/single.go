package mailbox

import (
	"io"
	"sync/atomic"
)

// single is one file with one mail.
type single struct {
	path    string
	options Options
	folder  Folder
	done    atomic.Int64
}

func openSingle(path string, options Options) (*single, error) {
	f, err := openFile(path, 4<<10)
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	return &single{path: path, options: options, folder: FolderOfPath(givenName(path))}, nil
}

func (s *single) next() (item, error) {
	if s.done.Load() > 0 {
		return item{}, io.EOF
	}
	s.done.Store(1)
	found, refused := readFile(where{path: s.path, record: 1}, s.options)
	if refused != nil {
		return item{}, refused
	}
	found.folder = s.folder
	return found, nil
}

func (s *single) position() Position { return Position{Records: s.done.Load(), Files: s.done.Load()} }

func (s *single) resume(at Position) error {
	if at.Records != 0 && at.Records != 1 {
		return changed(s.path)
	}
	s.done.Store(at.Records)
	return nil
}

func (s *single) progress() Progress { return Progress{Done: s.done.Load(), Total: 1, Unit: "files"} }
func (s *single) ignored() Ignored   { return Ignored{} }
func (s *single) Close() error       { return nil }
