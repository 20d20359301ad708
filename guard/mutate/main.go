// Mutate changes one thing at a time in the Go code of a package, runs the tests of that
// package, and lists the changes that no test noticed. Which things are changed follows
// from a seed; the tree itself is left as it is.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// core are the packages in which a fault costs data or tells what is not so.
var core = []string{
	"query", "query/times", "feed", "indexer", "rollover", "live", "verdict",
	"store/sqlite", "store/sqlite/columns",
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	seed := flag.Uint64("seed", 1, "what the choice follows from")
	count := flag.Int("n", 200, "how many changes to try")
	limit := flag.Duration("limit", 3*time.Minute, "how long the tests of one change may take: no answer is noticed, too")
	total := flag.Duration("time", time.Hour, "begin no change after this long")
	flag.Parse()
	folders := flag.Args()
	if len(folders) == 0 {
		folders = core
	}
	if err := run(ctx, *seed, *count, *limit, *total, folders); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, seed uint64, count int, limit, total time.Duration, folders []string) error {
	var all []mutant
	for _, folder := range folders {
		found, err := mutants(folder)
		if err != nil {
			return err
		}
		all = append(all, found...)
	}
	random := rand.New(rand.NewPCG(seed, seed))
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	possible := len(all)
	dir, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	defer os.RemoveAll(dir)

	began, tried, noticed := time.Now(), 0, 0
	covered := map[string][]*covering{}
	// What does not compile is replaced by what was chosen next.
	for tried < count && len(all) > 0 {
		chosen := all[:min(count-tried, len(all))]
		all = all[len(chosen):]
		slices.SortStableFunc(chosen, func(a, b mutant) int {
			return slices.Index(folders, a.folder) - slices.Index(folders, b.folder)
		})
		for _, m := range chosen {
			if time.Since(began) > total || ctx.Err() != nil {
				all = nil
				break
			}
			if covered[m.folder] == nil {
				for _, folder := range tested(m.folder) {
					c, err := coverage(ctx, dir, m.folder, folder, limit)
					if err != nil {
						return err
					}
					covered[m.folder] = append(covered[m.folder], c)
				}
			}
			outcome, err := m.try(ctx, dir, covered[m.folder], limit)
			if err != nil {
				return err
			}
			if outcome == doesNotCompile {
				continue
			}
			tried++
			if outcome == died {
				noticed++
			}
			fmt.Printf("%-8s %s\n", outcome, m)
		}
	}
	fmt.Printf("%d of %d changes noticed (of %d possible, seed %d, %s)\n", noticed, tried, possible, seed,
		time.Since(began).Round(time.Second))
	return ctx.Err()
}

// outcome is what became of a change.
type outcome string

const (
	died           outcome = "died"
	survived       outcome = "SURVIVED"
	doesNotCompile outcome = "-"
)

// try runs the tests that cover a change. Where they do not notice it, all of the package
// have their turn, since some run it in another process, and then those of the package
// around it, which knows those inside it best: query for query/times.
func (m mutant) try(ctx context.Context, dir string, covered []*covering, limit time.Duration) (outcome, error) {
	changed, overlay := filepath.Join(dir, "changed.go"), filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(changed, m.apply(), 0o600); err != nil {
		return "", fmt.Errorf("write the change: %w", err)
	}
	original, err := filepath.Abs(m.path)
	if err != nil {
		return "", fmt.Errorf("find %s: %w", m.path, err)
	}
	text, err := json.Marshal(map[string]map[string]string{"Replace": {original: changed}})
	if err != nil {
		return "", fmt.Errorf("write the overlay: %w", err)
	}
	if err := os.WriteFile(overlay, text, 0o600); err != nil {
		return "", fmt.Errorf("write the overlay: %w", err)
	}
	for _, c := range covered {
		names := c.testsOf(m)
		if len(names) == 0 {
			continue
		}
		if became, err := c.try(ctx, dir, overlay, names, m.folder, limit); became != survived || err != nil {
			return became, err
		}
	}
	for _, folder := range tested(m.folder) {
		if became, err := runTests(ctx, folder, overlay, limit); became != survived || err != nil {
			return became, err
		}
	}
	return survived, nil
}

// tested are a folder and the one around it, where that has tests too.
func tested(folder string) []string {
	around := filepath.Dir(folder)
	if tests, err := filepath.Glob(filepath.Join(around, "*_test.go")); around == "." || err != nil || len(tests) == 0 {
		return []string{folder}
	}
	return []string{folder, around}
}

func runTests(ctx context.Context, folder, overlay string, limit time.Duration) (outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, limit+time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, "go", "test", "-trimpath", "-vet=off", "-count=1", "-failfast",
		"-timeout", limit.String(), "-overlay", overlay, "./"+folder)
	command.Args = append(command.Args, keepNothing(folder)...)
	output, err := command.CombinedOutput()
	var failed *exec.ExitError
	switch {
	case err == nil:
		return survived, nil
	case !errors.As(err, &failed):
		return "", fmt.Errorf("run the tests of %s: %w", folder, err)
	case strings.Contains(string(output), "[build failed]"):
		return doesNotCompile, nil
	}
	return died, nil
}
