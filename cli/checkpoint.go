package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"tidings/mailbox"
)

// checkpoint notes how far the import of one file into one workspace has come. It
// is forgotten when the file is done.
type checkpoint struct{ path string }

// openCheckpoint keeps the note in the data directory, or for a server in the
// user's cache. Without either nothing is noted: importing again from the
// beginning changes nothing, it only takes longer.
func openCheckpoint(t target, workspace, file string) *checkpoint {
	if file == "-" {
		return &checkpoint{} // Standard input does not come again.
	}
	dir := filepath.Join(t.Data, "imports")
	if t.Data == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return &checkpoint{}
		}
		dir = filepath.Join(cache, "tidings", "imports")
	}
	sum := sha256.Sum256([]byte(t.Server + "\x00" + workspace + "\x00" + file))
	return &checkpoint{filepath.Join(dir, hex.EncodeToString(sum[:12])+".json")}
}

// load returns the position where an earlier import stopped.
func (c *checkpoint) load() (mailbox.Position, bool) {
	var at mailbox.Position
	raw, err := os.ReadFile(c.path)
	if c.path == "" || err != nil || json.Unmarshal(raw, &at) != nil {
		return mailbox.Position{}, false
	}
	return at, true
}

// save notes a position. The old note or the new one is there after a crash.
func (c *checkpoint) save(at mailbox.Position) error {
	if c.path == "" {
		return nil
	}
	raw, err := json.Marshal(at)
	if err != nil {
		return fmt.Errorf("note the position: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(c.path), 0o700); err != nil {
		return fmt.Errorf("note the position: %w", err)
	}
	temporary := c.path + ".new"
	if err := os.WriteFile(temporary, raw, 0o600); err != nil {
		return fmt.Errorf("note the position: %w", err)
	}
	if err := os.Rename(temporary, c.path); err != nil {
		return fmt.Errorf("note the position: %w", err)
	}
	return nil
}

// finish forgets the position.
func (c *checkpoint) finish() error {
	if c.path == "" {
		return nil
	}
	if err := os.Remove(c.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget the position: %w", err)
	}
	return nil
}
