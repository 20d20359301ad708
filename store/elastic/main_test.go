package elastic_test

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"testing"

	"go.uber.org/goleak"

	"tidings/store/elastic/elastictest"
)

// server is the Elasticsearch of all tests of this package.
var server elastictest.Server

func TestMain(m *testing.M) { goleak.VerifyTestMain(withServer{m}) }

// withServer stops the server after the tests.
type withServer struct{ *testing.M }

func (m withServer) Run() int {
	// Each case costs refreshes; -rapid.checks asks for more.
	if err := flag.Set("rapid.checks", "15"); err != nil {
		panic(err)
	}
	code := m.M.Run()
	// A server that all packages share goes on.
	http.DefaultClient.CloseIdleConnections()
	if err := server.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, "stopping Elasticsearch:", err)
		return 1
	}
	return code
}
