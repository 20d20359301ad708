package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// standardInput is what standard input is called where a file would be.
const standardInput = "standard input"

// spool keeps standard input in a file, for the path "-": what it is can only be told
// from its beginning, and a zip is read from its end. Other paths are themselves.
func spool(path string, in io.Reader) (spooled string, remove func(), err error) {
	if path != "-" {
		return path, func() {}, nil
	}
	if in == nil {
		return "", nil, errors.New("there is no standard input")
	}
	dir, err := os.MkdirTemp("", "tidings-import-*")
	if err != nil {
		return "", nil, fmt.Errorf("keep standard input: %w", err)
	}
	remove = func() { _ = os.RemoveAll(dir) } // It is in the directory of what is temporary.
	spooled = filepath.Join(dir, "stdin")
	file, err := os.OpenFile(spooled, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = io.Copy(file, in)
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		remove()
		return "", nil, fmt.Errorf("keep standard input: %w", err)
	}
	return spooled, remove, nil
}

// spoken is an error about a file that was spooled in the words of who asked.
func spoken(err error, spooled, path string) error {
	if spooled == path {
		return err
	}
	return errors.New(strings.ReplaceAll(err.Error(), spooled, standardInput))
}
