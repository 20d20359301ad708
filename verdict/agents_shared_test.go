package verdict_test

import (
	"encoding/csv"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/verdict"
)

var update = flag.Bool("update", false, "write the golden report anew")

// shared is real data beside the repository.
const shared = "../../shared/data"

// agentsOf reads a file of agents by name.
func agentsOf(t *testing.T, file string) []string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(shared, "agents", file))
	if os.IsNotExist(err) {
		t.Skip("skipped: no shared data")
	}
	require.NoError(t, err)
	var byName map[string][]string
	require.NoError(t, json.Unmarshal(raw, &byName))
	var agents []string
	for _, list := range byName {
		agents = append(agents, list...)
	}
	slices.Sort(agents)
	return agents
}

func opened(agent string) event.Event {
	return event.Event{Type: event.Open, Client: &event.Client{UserAgent: &agent, IP: "192.0.2.1"}}
}

func rules(t testing.TB) *verdict.Rules {
	t.Helper()
	r, err := verdict.New(verdict.Config{})
	require.NoError(t, err)
	return r
}

// TestSharedAgents holds the rules to agents that others collected, and its
// report lists each one that they get wrong.
func TestSharedAgents(t *testing.T) {
	r := rules(t)
	crawlers, browsers := agentsOf(t, "isbot_crawlers.json"), agentsOf(t, "isbot_browsers.json")
	var missed, wrong []string
	for _, agent := range crawlers {
		if r.Judge(opened(agent), verdict.Context{}).Is != event.Machine {
			missed = append(missed, agent)
		}
	}
	for _, agent := range browsers {
		if v := r.Judge(opened(agent), verdict.Context{}); v.Is == event.Machine {
			wrong = append(wrong, v.Rule+"  "+agent)
		}
	}
	var report strings.Builder
	fmt.Fprintf(&report, "crawlers: %d, called machine: %.2f %%, missed:\n", len(crawlers), 100-100*float64(len(missed))/float64(len(crawlers)))
	fmt.Fprintf(&report, "  %s\n", strings.Join(missed, "\n  "))
	fmt.Fprintf(&report, "browsers: %d, called machine: %.2f %%:\n", len(browsers), 100*float64(len(wrong))/float64(len(browsers)))
	fmt.Fprintf(&report, "  %s\n", strings.Join(wrong, "\n  "))
	golden(t, "testdata/agents.txt", report.String())
	require.LessOrEqual(t, float64(len(missed)), 0.03*float64(len(crawlers)))
	require.LessOrEqual(t, float64(len(wrong)), 0.005*float64(len(browsers)))
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got, "run with -update and read the difference")
}

// TestSharedMailProxies holds the rules to labelled agents of mail proxies,
// scanners and people. Apple's cannot be told without its list.
func TestSharedMailProxies(t *testing.T) {
	raw, err := os.Open(filepath.Join(shared, "agents", "mail_proxies_labelled.tsv"))
	if os.IsNotExist(err) {
		t.Skip("skipped: no shared data")
	}
	require.NoError(t, err)
	defer raw.Close()
	table := csv.NewReader(raw)
	table.Comma, table.LazyQuotes = '\t', true
	rows, err := table.ReadAll()
	require.NoError(t, err)
	require.Greater(t, len(rows), 10)
	r := rules(t)
	for _, row := range rows[1:] {
		agent, class, who := row[0], row[1], row[2]
		expected := map[string]string{
			"image_proxy": event.Human, "mail_client": event.Human, "human": event.Human,
			"scanner": event.Machine, "link_preview": event.Machine, "prefetch": event.Machine,
		}[class]
		require.NotEmpty(t, expected, "class %q", class)
		if class == "prefetch" && strings.HasPrefix(who, "Apple") {
			expected = event.Unknown
		}
		require.Equal(t, expected, r.Judge(opened(agent), verdict.Context{}).Is, "%s: %s", who, agent)
	}
}
