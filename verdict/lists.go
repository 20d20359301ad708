package verdict

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

//go:embed data/*.txt
var builtIn embed.FS

// Names of the lists, as files are called.
const (
	listAgents   = "agents"
	listMail     = "mail-scanners"
	listCrawlers = "crawlers"
	listPeople   = "people"
	listScanners = "scanner-networks"
	listApple    = "apple-networks"
)

// endings are the forms that a list may come in.
var endings = []string{".txt", ".csv", ".json"}

// lists are what the rules compare with.
type lists struct {
	agents          *agentLists
	scanners, apple networks
	// hasApple is false when nobody gave Apple's list.
	hasApple bool
	// digest names the contents of all lists.
	digest string
}

// loadLists reads the lists of dir, and the built-in ones that it has not.
func loadLists(dir string) (*lists, error) {
	if dir == "" {
		return builtInLists()
	}
	return readLists(dir)
}

// builtInLists are read once: nobody changes lists.
var builtInLists = sync.OnceValues(func() (*lists, error) { return readLists("") })

func readLists(dir string) (*lists, error) {
	if err := checkNames(dir); err != nil {
		return nil, err
	}
	l, sum := &lists{}, sha256.New()
	var agents []agentText
	for list, name := range [agentListCount]string{listMail, listPeople, listAgents, listCrawlers} {
		data, path, err := readList(dir, name)
		if err != nil {
			return nil, err
		}
		texts, err := parseAgents(list, data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		agents = append(agents, texts...)
		fmt.Fprintf(sum, "%s\x00%s\x00", name, data)
	}
	l.agents = newAgentLists(agents)
	for _, list := range []struct {
		name string
		into *networks
	}{{listScanners, &l.scanners}, {listApple, &l.apple}} {
		data, path, err := readList(dir, list.name)
		if errors.Is(err, fs.ErrNotExist) && list.name == listApple {
			continue
		}
		if err != nil {
			return nil, err
		}
		prefixes, err := parseNetworks(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		*list.into = newNetworks(prefixes)
		l.hasApple = l.hasApple || list.name == listApple
		fmt.Fprintf(sum, "%s\x00%s\x00", list.name, data)
	}
	l.digest = hex.EncodeToString(sum.Sum(nil)[:4])
	return l, nil
}

// readList reads a list from dir, or else the built-in one.
func readList(dir, name string) (data, path string, err error) {
	if dir != "" {
		for _, ending := range endings {
			path = filepath.Join(dir, name+ending)
			raw, err := os.ReadFile(path)
			if err == nil {
				return string(raw), path, nil
			}
			if !errors.Is(err, fs.ErrNotExist) {
				return "", path, fmt.Errorf("read a list: %w", err)
			}
		}
	}
	path = name + ".txt"
	raw, err := builtIn.ReadFile("data/" + path)
	if err != nil {
		return "", path, fmt.Errorf("read a list: %w", err)
	}
	return string(raw), "the built-in " + path, nil
}

// checkNames refuses a directory that is not there or holds what is no list, so
// that a misspelt name is not passed over.
func checkNames(dir string) error {
	if dir == "" {
		return nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("read the directory of lists: %w", err)
	}
	names := []string{listMail, listAgents, listCrawlers, listPeople, listScanners, listApple}
	for _, entry := range entries {
		ending := filepath.Ext(entry.Name())
		if !slices.Contains(endings, ending) {
			continue
		}
		if !slices.Contains(names, strings.TrimSuffix(entry.Name(), ending)) {
			return fmt.Errorf("%s: is not a list: a list is called one of %s",
				filepath.Join(dir, entry.Name()), strings.Join(names, ", "))
		}
	}
	return nil
}

// eachLine calls visit with each line that says something. An error names the
// line.
func eachLine(data string, visit func(line string) error) error {
	number := 0
	for line := range strings.Lines(data) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if err := visit(line); err != nil {
			return fmt.Errorf("line %d: %q %w", number, line, err)
		}
	}
	return nil
}
