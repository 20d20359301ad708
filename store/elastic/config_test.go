package elastic

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

func TestParseURL(t *testing.T) {
	ca := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(ca, []byte("a certificate"), 0o600))
	for _, test := range []struct {
		text  string
		nodes []string
		want  Config
	}{
		{"elasticsearch://es.example", []string{"http://es.example:9200"}, Config{}},
		{"http://es.example:80/", []string{"http://es.example:80"}, Config{}},
		{"elasticsearchs://es.example", []string{"https://es.example:9200"}, Config{}},
		{"elasticsearch://[::1]:9201", []string{"http://[::1]:9201"}, Config{}},
		{
			"https://ana:p%40ss:w%2Frd@a.example",
			[]string{"https://a.example:9200"},
			Config{Username: "ana", Password: "p@ss:w/rd"},
		},
		{
			"elasticsearch://u:p@a.example,b.example:9201/acme?shards=3&refresh=5s&ca=" + ca,
			[]string{"http://a.example:9200", "http://b.example:9201"},
			Config{Username: "u", Password: "p", Prefix: "acme", Shards: 3, Refresh: 5 * time.Second, CA: []byte("a certificate")},
		},
	} {
		t.Run(test.text, func(t *testing.T) {
			c, err := ParseURL(test.text)
			require.NoError(t, err)
			var nodes []string
			for _, node := range c.Nodes {
				nodes = append(nodes, node.String())
			}
			require.Equal(t, test.nodes, nodes)
			c.Nodes = nil
			require.Equal(t, test.want, c)
		})
	}
}

func TestParseURLRefusesWithoutTellingThePassword(t *testing.T) {
	for name, text := range map[string]string{
		"no scheme":         "secret",
		"another scheme":    "mongodb://u:secret@es.example",
		"no host":           "elasticsearch://u:secret@",
		"no user":           "elasticsearch://:secret@es.example",
		"an at in secret":   "elasticsearch://u:secret%zz@es.example",
		"a port":            "elasticsearch://u:secret@es.example:port",
		"an empty host":     "elasticsearch://u:secret@a.example,,b.example",
		"a prefix":          "elasticsearch://u:secret@es.example/Acme",
		"a parameter":       "elasticsearch://u:secret@es.example?colour=red",
		"no shards":         "elasticsearch://u:secret@es.example?shards=0",
		"a short refresh":   "elasticsearch://u:secret@es.example?refresh=1ms",
		"no authority":      "elasticsearch://u:secret@es.example?ca=/nowhere/ca.pem",
		"broken parameters": "elasticsearch://u:secret@es.example?%zz",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseURL(text)
			require.ErrorIs(t, err, event.ErrInvalid)
			require.NotContains(t, err.Error(), "secret")
		})
	}
}
