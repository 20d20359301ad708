package bench

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"tidings/bench/figures"
)

// Report writes the tables and charts of a record into documents.
type Report struct {
	// Record is the file of the figures, and Docs the directory of benchmarks.md, with the
	// charts below it.
	Record, Docs string
}

// Run writes what differs, and says what that was.
func (c *Report) Run(env Env) error {
	record, err := figures.Read(c.Record)
	if err != nil {
		return err
	}
	path := filepath.Join(c.Docs, "benchmarks.md")
	document, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	page := figures.Page{Benchmarks: Benchmarks(), Musts: Musts()}
	written, charts, err := page.Write(record, document)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	files := map[string][]byte{path: written}
	for _, benchmark := range page.Benchmarks {
		name := benchmark + ".svg"
		files[filepath.Join(c.Docs, "charts", name)] = charts[name]
	}
	for path, text := range files {
		if err := c.put(env, path, text); err != nil {
			return err
		}
	}
	return nil
}

// put writes a file where it differs; one with nothing in it is removed.
func (c *Report) put(env Env, path string, text []byte) error {
	known, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if there := err == nil; there == (text != nil) && bytes.Equal(known, text) {
		return nil
	}
	if text == nil {
		fmt.Fprintln(env.Out, path, "is removed")
		return os.Remove(path)
	}
	fmt.Fprintln(env.Out, path, "is written")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o644)
}
