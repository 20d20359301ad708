package secret

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// keyLength is that of AES-256.
const keyLength = 32

// maxMasters is how many keys a file may hold: the newest, and those of rotations that
// were not finished.
const maxMasters = 16

// master is a file of master keys, one a line in base64, the one in use first.
type master struct {
	path    string
	mayMake bool

	mu   sync.Mutex
	keys [][]byte
}

// ready reads the file, once; where there is none it is made if it may be.
func (m *master) ready() error {
	m.mu.Lock()
	known := m.keys != nil
	m.mu.Unlock()
	if known {
		return nil
	}
	err := m.read()
	if errors.Is(err, os.ErrNotExist) && m.mayMake {
		return m.replace([][]byte{freshKey()})
	}
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("there is no file %s with the key of secrets; make one with: head -c 32 /dev/urandom | base64 > FILE", m.path)
	}
	if err != nil {
		return fmt.Errorf("open the key of secrets: %w", err)
	}
	return nil
}

func freshKey() []byte {
	key := make([]byte, keyLength)
	_, _ = rand.Read(key) // It never fails.
	return key
}

func (m *master) read() error {
	// A pipe would wait for who writes to it.
	if info, err := os.Stat(m.path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a file", m.path)
	}
	raw, err := os.ReadFile(m.path)
	if err != nil {
		return err
	}
	var keys [][]byte
	for line := range bytes.FieldsSeq(raw) {
		key, err := base64.StdEncoding.DecodeString(string(line))
		if err != nil || len(key) != keyLength || len(keys) == maxMasters {
			return fmt.Errorf("%s does not hold keys of 32 bytes in base64, one a line", m.path)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return fmt.Errorf("%s is empty", m.path)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.keys = keys
	return nil
}

// write replaces the file; what was there stays until the new one is on disk.
func (m *master) write(keys [][]byte) error {
	var text strings.Builder
	for _, key := range keys {
		text.WriteString(base64.StdEncoding.EncodeToString(key) + "\n")
	}
	next := m.path + ".new"
	file, err := os.OpenFile(next, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = file.WriteString(text.String())
	if err := errors.Join(err, file.Chmod(0o600), file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Rename(next, m.path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(m.path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// all are the keys that may open, the one that seals first.
func (m *master) all() ([][]byte, error) {
	if err := m.ready(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.keys, nil
}

// find is a key by its name. Another process may have changed the file meanwhile.
func (m *master) find(name string) ([]byte, error) {
	for range 2 {
		keys, err := m.all()
		if err != nil {
			return nil, err
		}
		for _, key := range keys {
			if nameOf(key) == name {
				return key, nil
			}
		}
		if m.read() != nil {
			break
		}
	}
	return nil, ErrLocked
}

// replace writes keys and uses them from then on.
func (m *master) replace(keys [][]byte) error {
	if err := m.write(keys); err != nil {
		return fmt.Errorf("write the key of secrets: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.keys = keys
	return nil
}

// nameOf says which key it is and nothing of it.
func nameOf(key []byte) string {
	sum := sha256.Sum256(append([]byte("tidings master key|"), key...))
	return hex.EncodeToString(sum[:8])
}
