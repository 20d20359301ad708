package cli_test

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// readYAML reads a file of the repository.
func readYAML(t *testing.T, path string, out any) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", path))
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(raw, out), path)
}

// composeFile is the part of docker-compose.yml that the tests look at.
type composeFile struct {
	Services map[string]struct {
		Image       string
		Command     []string
		Environment map[string]string
		User        string
		ReadOnly    bool `yaml:"read_only"`
		Ports       []string
		Volumes     []string
		Healthcheck map[string]any
		Deploy      struct {
			Resources struct{ Limits map[string]string }
		}
	}
	Volumes map[string]any
}

// The schema is that of the Compose Specification, of compose-go (Apache-2.0).
func TestTheComposeFileIsOne(t *testing.T) {
	var parsed any
	readYAML(t, "docker-compose.yml", &parsed)
	// As JSON has it: the validator knows no YAML types.
	raw, err := json.Marshal(parsed)
	require.NoError(t, err)
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(raw)))
	require.NoError(t, err)
	schema, err := jsonschema.NewCompiler().Compile("testdata/compose/compose-spec.json")
	require.NoError(t, err)
	require.NoError(t, schema.Validate(value))

	services := value.(map[string]any)["services"].(map[string]any)
	services["api-1"].(map[string]any)["healthchek"] = map[string]any{}
	require.Error(t, schema.Validate(value), "a key that is misspelt is none")
}

// What the file says of Tidings is what the binary takes.
func TestTheComposeFileRunsTheTopology(t *testing.T) {
	var file composeFile
	readYAML(t, "docker-compose.yml", &file)
	roles := make(map[string]int)
	for name, service := range file.Services {
		require.NotEmpty(t, service.Deploy.Resources.Limits["memory"], "%s has no limit of memory", name)
		for _, port := range service.Ports {
			require.True(t, strings.HasPrefix(port, "127.0.0.1:"), "%s is open to the world", name)
		}
		for _, volume := range service.Volumes {
			from, _, _ := strings.Cut(volume, ":")
			if strings.HasPrefix(from, "./") {
				require.FileExists(t, existing(filepath.Join("..", from)), name)
			} else {
				require.Contains(t, file.Volumes, from, name)
			}
		}
		if service.Image != "tidings:local" {
			continue
		}
		roles[service.Command[0]]++
		require.True(t, service.ReadOnly, name)
		require.Equal(t, "65532:65532", service.User, name)
		require.Equal(t, []any{"CMD", "/tidings", "doctor", "--server", "http://127.0.0.1:8080"}, service.Healthcheck["test"], name)
		taken := help(t, service.Command[0])
		for variable := range service.Environment {
			require.Contains(t, taken, "$"+variable, "%s takes no such variable", service.Command[0])
		}
	}
	require.Equal(t, map[string]int{"api": 2, "indexer": 2}, roles)
}

// existing is the path itself, or of a directory some file in it.
func existing(path string) string {
	entries, err := os.ReadDir(path)
	if err != nil || len(entries) == 0 {
		return path
	}
	return existing(filepath.Join(path, entries[0].Name()))
}

// help is what a command says of itself, on one line.
func help(t *testing.T, command string) string {
	t.Helper()
	out, err := exec.Command(program(), command, "--help").Output()
	require.NoError(t, err)
	return strings.Join(strings.Fields(string(out)), " ")
}

func TestTheNATSConfigurationIsDurable(t *testing.T) {
	t.Setenv("NATS_NAME", "nats-1")
	options, err := server.ProcessConfigFile("../deploy/nats/nats.conf")
	require.NoError(t, err)
	require.True(t, options.SyncAlways, "what was acknowledged survives a power cut")
	require.True(t, options.JetStream)
	require.Equal(t, "nats-1", options.ServerName)
	require.Len(t, options.Routes, 3)
	const eventsDeadAndLive = 8<<30 + 1<<30 + 64<<20
	require.Greater(t, options.JetStreamMaxStore, int64(eventsDeadAndLive), "the streams have room")
}

// rule is one of Prometheus, recording or alerting.
type rule struct {
	Record, Alert, Expr, For string
	Labels, Annotations      map[string]string
}

func readRules(t *testing.T) (rules []rule) {
	paths, err := filepath.Glob("../deploy/prometheus/rules/*.yml")
	require.NoError(t, err)
	for _, path := range paths {
		var file struct {
			Groups []struct {
				Name  string
				Rules []rule
			}
		}
		readYAML(t, strings.TrimPrefix(path, "../"), &file)
		for _, group := range file.Groups {
			require.NotEmpty(t, group.Name, path)
			rules = append(rules, group.Rules...)
		}
	}
	require.NotEmpty(t, rules)
	return rules
}

// Each alert has a section that says what to do, and each section an alert.
func TestEveryAlertIsInTheGuide(t *testing.T) {
	guide, err := os.ReadFile("../docs/running.md")
	require.NoError(t, err)
	var sections, alerts []string
	for _, found := range regexp.MustCompile(`(?m)^### (Tidings\w+)$`).FindAllStringSubmatch(string(guide), -1) {
		sections = append(sections, found[1])
	}
	for _, r := range readRules(t) {
		if r.Alert == "" {
			continue
		}
		alerts = append(alerts, r.Alert)
		require.Equal(t, "docs/running.md#"+strings.ToLower(r.Alert), r.Annotations["runbook"])
		require.NotEmpty(t, r.Annotations["summary"], r.Alert)
		require.Contains(t, []string{"page", "ticket"}, r.Labels["severity"], r.Alert)
		if r.For != "" {
			_, err := time.ParseDuration(r.For)
			require.NoError(t, err, r.Alert)
		}
	}
	slices.Sort(sections)
	slices.Sort(alerts)
	require.Equal(t, sections, alerts)
}

var (
	quoted     = regexp.MustCompile(`"[^"]*"`)
	metricName = regexp.MustCompile(`\b(?:tidings[_:][a-z0-9_:]+|process_[a-z_]+|go_[a-z_]+)\b`)
	summary    = regexp.MustCompile(`_(bucket|sum|count)$`)
)

// What rules and dashboards ask for is what processes show, or what a rule records.
func TestDashboardsAndRulesAskForMetricsThatAreThere(t *testing.T) {
	data := t.TempDir()
	key := createKey(t, data, "w", "admin")
	p := startServer(t, data, "127.0.0.1:0")
	event := `{"type":"send","time":1790000000,"message":"m","user":"u","recipients":[{"email":"jo@acme.example"}]}`
	var receipt, page any
	require.NoError(t, request(http.MethodPost, "http://"+p.address+"/v1/events", key, "application/json", []byte(event), &receipt))
	require.Error(t, request(http.MethodPost, "http://"+p.address+"/v1/events", key, "application/json", []byte(`{"type":"x"}`), &receipt))
	var source struct{ Path string }
	require.NoError(t, request(http.MethodPut, "http://"+p.address+"/v1/sources/mail", key, "application/json",
		[]byte(`{"provider":"postmark","addresses":["127.0.0.1"]}`), &source))
	hooked, err := http.Post("http://"+p.address+source.Path, "application/json", strings.NewReader(`{"RecordType":"Something"}`))
	require.NoError(t, err)
	require.NoError(t, hooked.Body.Close())
	require.Equal(t, http.StatusNoContent, hooked.StatusCode)
	awaitIndexed(t, p.address)
	require.NoError(t, request(http.MethodGet, "http://"+p.address+"/v1/feed", key, "", nil, &page))
	response, err := http.Get("http://" + p.address + "/metrics")
	require.NoError(t, err)
	defer response.Body.Close()
	shown, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	known := make(map[string]bool)
	for _, found := range regexp.MustCompile(`(?m)^# TYPE (\S+)`).FindAllStringSubmatch(string(shown), -1) {
		known[found[1]] = true
	}

	questions := make(map[string]string)
	for _, r := range readRules(t) {
		known[r.Record] = true
		questions[r.Record+r.Alert] = r.Expr
	}
	for name, expr := range dashboardQuestions(t) {
		questions[name] = expr
	}
	for name, expr := range questions {
		bare := quoted.ReplaceAllString(expr, `""`)
		for _, pair := range []string{"()", "{}", "[]"} {
			require.Equal(t, strings.Count(bare, pair[:1]), strings.Count(bare, pair[1:]), "%s: %s", name, expr)
		}
		for _, metric := range metricName.FindAllString(bare, -1) {
			require.True(t, known[metric] || known[summary.ReplaceAllString(metric, "")], "%s asks for %s", name, metric)
		}
	}
}

// dashboardQuestions are the queries of all panels.
func dashboardQuestions(t *testing.T) map[string]string {
	paths, err := filepath.Glob("../deploy/grafana/dashboards/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	questions := make(map[string]string)
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		require.NoError(t, err)
		var dashboard struct {
			Panels []struct {
				Title      string
				Datasource struct{ UID string }
				Targets    []struct{ Expr string }
			}
		}
		require.NoError(t, json.Unmarshal(raw, &dashboard), path)
		for _, panel := range dashboard.Panels {
			require.Equal(t, "prometheus", panel.Datasource.UID, panel.Title)
			require.NotEmpty(t, panel.Targets, panel.Title)
			for i, target := range panel.Targets {
				require.NotEmpty(t, target.Expr, panel.Title)
				questions[panel.Title+string(rune('A'+i))] = target.Expr
			}
		}
	}
	return questions
}
