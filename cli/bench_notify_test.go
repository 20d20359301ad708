package cli_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// The short form, whose times say nothing: each event is decided about and each bell rings.
func TestBenchNotifyTellsOfAll(t *testing.T) {
	t.Parallel()
	out := run(t, "bench", "notify", "--data", filepath.Join(t.TempDir(), "d"), "--users", "2", "--rules", "2", "--events", "20",
		"--rate", "10", "--for", "1s", "--week", "600", "--questions", "3", "--ingested", "200", "--asked", "2", "--workspaces", "2", "--rounds", "1",
		"--kept", "100", "--waiting", "200", "--deliveries", "200")
	require.Regexp(t, `\| posted, indexed, decided and told \| 20 in `, out)
	require.Regexp(t, `\| from an event to a bell \| 10: p50 `, out)
	require.Regexp(t, `\| why \| 3: p50 `, out)
	require.Regexp(t, `\| processor time at ingest, as designed: 4 people of 2 workspaces with 2 rules each, \d+ % of the events told of, and nobody told \| \d+ and \d+ µs an event, `, out)
	require.Regexp(t, `\| processor time at ingest, hardest: 2 people of 1 workspaces with 3 rules each, [1-9]\d* % of the events told of, and nobody told \| \d+ and \d+ µs an event, `, out)
	require.Regexp(t, `\| a page of the log of 120 decisions \| 3: p50 `, out)
	require.Regexp(t, `\| from an event to a webhook, 200 a second to 100 endpoints, 10 of them dead \| 180: p50 `, out)
	require.Regexp(t, `\| 200 events at once, posted, indexed and delivered \| \d+ deliveries a second \|`, out)
	require.Regexp(t, `\| nobody opened: 4200 due in a minute, of 4400 that wait, `, out)
	require.Regexp(t, `\| a week of 600 events, simulated \| p50 `, out)
}
