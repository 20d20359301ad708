package cli_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"tidings/cli"
	"tidings/store/elastic/elastictest"
)

// TestMain lets tests run the binary: tidings is this test binary by another
// name.
func TestMain(m *testing.M) {
	testscript.Main(withElastic{m}, map[string]func(){
		"tidings": func() {
			os.Exit(cli.Main(os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
		},
	})
}

// elasticServer is the Elasticsearch of the tests that ask for it.
var elasticServer elastictest.Server

// withElastic stops it after the tests.
type withElastic struct{ *testing.M }

func (m withElastic) Run() int {
	code := m.M.Run()
	if err := elasticServer.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, "stopping Elasticsearch:", err)
		return 1
	}
	return code
}
