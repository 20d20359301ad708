package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// covering says which tests of a folder run which lines of a package, its own or one
// inside it, so that a change is tried with those alone.
type covering struct {
	folder string
	tests  []coveringTest // the quickest first
}

type coveringTest struct {
	name   string
	took   time.Duration
	blocks []block
}

// block is a part of a file that a test ran, by lines and columns as cover profiles have them.
type block struct{ from, to token.Position }

func (b block) holds(at token.Position) bool {
	return at.Filename == b.from.Filename && !before(at, b.from) && before(at, b.to)
}

func before(a, b token.Position) bool {
	return a.Line < b.Line || a.Line == b.Line && a.Column < b.Column
}

// coverage runs each test of a folder by itself. A test that fails by itself is left out.
func coverage(ctx context.Context, dir, covered, folder string, limit time.Duration) (*covering, error) {
	binary := filepath.Join(dir, "covered.test")
	build := exec.CommandContext(ctx, "go", "test", "-trimpath", "-vet=off", "-c", "-cover", "-covermode=set", "-coverpkg=./"+covered, "-o", binary, "./"+folder)
	if output, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the tests of %s: %w\n%s", folder, err, output)
	}
	c := &covering{folder: folder}
	list := exec.CommandContext(ctx, binary, "-test.list", ".")
	list.Dir = folder
	names, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("list the tests of %s: %w", folder, err)
	}
	profile := filepath.Join(dir, "cover.out")
	for name := range strings.FieldsSeq(string(names)) {
		if strings.HasPrefix(name, "Benchmark") {
			continue
		}
		began := time.Now()
		one := exec.CommandContext(ctx, binary, "-test.run", "^"+name+"$", "-test.timeout", limit.String(), "-test.coverprofile", profile)
		one.Dir = folder
		if err := one.Run(); err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			fmt.Fprintf(os.Stderr, "mutate: %s of %s fails by itself: %v\n", name, folder, err)
			continue
		}
		took := time.Since(began)
		raw, err := os.ReadFile(profile)
		if err != nil {
			return nil, fmt.Errorf("read what %s covers: %w", name, err)
		}
		c.tests = append(c.tests, coveringTest{name: name, took: took, blocks: blocksOf(raw)})
	}
	slices.SortFunc(c.tests, func(a, b coveringTest) int { return int(a.took - b.took) })
	return c, nil
}

// blocksOf are those of a profile that were run: "tidings/feed/scan.go:10.2,12.3 1 1".
func blocksOf(profile []byte) []block {
	var all []block
	for lines := bufio.NewScanner(bytes.NewReader(profile)); lines.Scan(); {
		at, counts, ok := strings.Cut(lines.Text(), " ")
		if !ok || !strings.HasSuffix(counts, " 1") {
			continue
		}
		path, lines, ok := strings.Cut(at, ":")
		from, to, ok2 := strings.Cut(lines, ",")
		if ok && ok2 {
			all = append(all, block{from: position(path, from), to: position(path, to)})
		}
	}
	return all
}

func position(path, text string) token.Position {
	line, column, _ := strings.Cut(text, ".")
	at := token.Position{Filename: filepath.Base(path)}
	at.Line, _ = strconv.Atoi(line)
	at.Column, _ = strconv.Atoi(column)
	return at
}

// testsOf are the names of the tests that run what a mutant changes, the quickest first.
// The conditions of a case are in no block: of those it is who runs the function.
func (c *covering) testsOf(m mutant) []string {
	names := c.testsWith(func(b block) bool { return b.holds(m.at) })
	if len(names) == 0 {
		return c.testsWith(func(b block) bool { return b.from.Filename == m.function.Filename && b.from.Line == m.function.Line })
	}
	return names
}

func (c *covering) testsWith(runs func(block) bool) []string {
	var names []string
	for _, test := range c.tests {
		if slices.ContainsFunc(test.blocks, runs) {
			names = append(names, test.name)
		}
	}
	return names
}

// first is how many of the tests that cover a change are tried before the others, which
// take longer: most changes are noticed by them.
const first = 8

// try runs the tests that cover a change.
func (c *covering) try(ctx context.Context, dir, overlay string, names []string, changed string, limit time.Duration) (outcome, error) {
	binary := filepath.Join(dir, "changed.test")
	build := exec.CommandContext(ctx, "go", "test", "-trimpath", "-vet=off", "-c", "-ldflags=-s -w", "-o", binary, "-overlay", overlay, "./"+c.folder)
	if output, err := build.CombinedOutput(); err != nil {
		if ctx.Err() == nil && bytes.HasPrefix(output, []byte("# tidings/"+changed)) {
			return doesNotCompile, nil
		}
		return "", fmt.Errorf("build the tests of %s: %w\n%s", c.folder, err, output)
	}
	for _, some := range [][]string{names[:min(first, len(names))], names[min(first, len(names)):]} {
		if len(some) == 0 {
			continue
		}
		run := exec.CommandContext(ctx, binary, "-test.run", "^("+strings.Join(some, "|")+")$", "-test.failfast", "-test.timeout", limit.String())
		run.Args = append(run.Args, keepNothing(c.folder)...)
		run.Dir = c.folder
		err := run.Run()
		var failed *exec.ExitError
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return "", ctx.Err()
		case !errors.As(err, &failed):
			return "", fmt.Errorf("run the tests of %s: %w", c.folder, err)
		default:
			return died, nil
		}
	}
	return survived, nil
}

// keepNothing are the flags by which the tests of a folder leave the tree as it is: rapid
// would keep what a test failed by.
func keepNothing(folder string) []string {
	files, _ := filepath.Glob(filepath.Join(folder, "*_test.go"))
	for _, path := range files {
		if text, err := os.ReadFile(path); err == nil && bytes.Contains(text, []byte(`"pgregory.net/rapid"`)) {
			return []string{"-rapid.nofailfile"}
		}
	}
	return nil
}
