// Package mongotest gives tests a MongoDB: the one that TIDINGS_TEST_MONGO
// names, or else SecantusDB, which speaks MongoDB's protocol over WiredTiger, as
// a process of the test's own. make prepare installs it. A test is skipped where
// there is neither.
package mongotest

import (
	"context"
	"crypto/rand"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"tidings/faulty"
)

// environment names a MongoDB to test on.
const environment = "TIDINGS_TEST_MONGO"

// patience is how long dropping a database may take.
const patience = 60 * time.Second

// Server is a MongoDB to test on.
type Server struct {
	address string // host and port
	base    string // the connection string without database
	options string
}

// Start gives a server to a test and those inside it.
func Start(t testing.TB) *Server {
	t.Helper()
	if given := os.Getenv(environment); given != "" {
		parsed, err := url.Parse(given)
		require.NoError(t, err, environment)
		return &Server{
			address: parsed.Host, base: parsed.Scheme + "://" + strings.TrimSuffix(parsed.User.String()+"@"+parsed.Host, "@"),
			options: parsed.RawQuery,
		}
	}
	program := faulty.FindSecantus()
	if program == "" {
		t.Skip("skipped: no MongoDB: set " + environment + ", or run make prepare for SecantusDB")
	}
	running, err := faulty.StartSecantus(t.Context(), program, t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, running.Stop()) })
	return &Server{address: running.Address, base: "mongodb://" + running.Address, options: "directConnection=true"}
}

// URL is the connection string of a database of the test's own, which goes with
// it. A machine that is busy with other tests may leave the server alone for seconds.
func (s *Server) URL(t testing.TB) string {
	t.Helper()
	return s.impatient(t) + "&timeoutMS=60000&serverSelectionTimeoutMS=60000"
}

// impatient is URL with the time to answer that a server has by default.
func (s *Server) impatient(t testing.TB) string {
	t.Helper()
	name := "tidings-" + strings.ToLower(rand.Text()[:12])
	full := s.base + "/" + name + "?" + s.options
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		client, err := mongo.Connect(options.Client().ApplyURI(full))
		if err == nil {
			_ = client.Database(name).Drop(ctx)
			_ = client.Disconnect(ctx)
		}
	})
	return full
}

// Through is a connection string of a test's own that leads through a proxy.
func (s *Server) Through(t testing.TB) (string, *faulty.Line) {
	t.Helper()
	if _, port, err := net.SplitHostPort(s.address); err != nil || port == strconv.Itoa(0) {
		t.Skip("skipped: " + environment + " names no single server with its port, which a proxy needs")
	}
	proxy, err := faulty.NewLine(s.address)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, proxy.Close()) })
	direct := strings.Replace(s.impatient(t), s.address, proxy.Address(), 1)
	if !strings.Contains(s.options, "directConnection") {
		direct += "&directConnection=true"
	}
	return direct, proxy
}
