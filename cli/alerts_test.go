package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// promtool is Prometheus's own reader of rules; .ci/prepare takes it from Debian.
func promtool(t *testing.T, args ...string) {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil {
		path = filepath.Join("..", "bin", "prometheus", "usr", "bin", "promtool")
		if _, err := os.Stat(path); err != nil {
			t.Skip("skipped: no promtool")
		}
	}
	output, err := exec.Command(path, args...).CombinedOutput()
	require.NoError(t, err, "%s", output)
}

func TestPrometheusReadsTheRulesAndTheConfiguration(t *testing.T) {
	rules, err := filepath.Glob("../deploy/prometheus/rules/*.yml")
	require.NoError(t, err)
	promtool(t, append([]string{"check", "rules", "--lint-fatal"}, rules...)...)
	promtool(t, "check", "config", "--syntax-only", "../deploy/prometheus/prometheus.yml")
}

// The cases are written down beside the rules.
func TestAlertsGoOffWhenTheyShould(t *testing.T) {
	t.Parallel()
	cases, err := filepath.Glob("../deploy/prometheus/tests/*.yml")
	require.NoError(t, err)
	require.NotEmpty(t, cases)
	promtool(t, append([]string{"test", "rules"}, cases...)...)
}

// A dashboard's questions are rules for once, since that is what promtool reads.
func TestPrometheusUnderstandsTheDashboards(t *testing.T) {
	type recorded struct {
		Record string `yaml:"record"`
		Expr   string `yaml:"expr"`
	}
	var all []recorded
	for _, expr := range dashboardQuestions(t) {
		all = append(all, recorded{"asked", expr})
	}
	file, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "dashboards", "rules": all}}})
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "dashboards.yml")
	require.NoError(t, os.WriteFile(path, file, 0o600))
	promtool(t, "check", "rules", path)
}
