package elastic

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/elastic/elastic-transport-go/v8/elastictransport"
	"github.com/elastic/go-elasticsearch/v8/esapi"

	"tidings/event"
)

// Index keeps events in a cluster. It is safe for concurrent use, by any number
// of processes.
type Index struct {
	config Config
	names  names
	cluster

	mu sync.Mutex
	// prepared is set once the template of new weeks is known to be there.
	prepared bool
	// building are the weeks that this process builds anew.
	building map[event.Week]bool
	// health is what was found of the weeks last, and red says since when indices are.
	health health
	red    map[string]time.Time
	// expected names the weeks that should be there; see ExpectBy.
	expected func(ctx context.Context) ([]event.Week, error)

	// looking is held by who asks the cluster about the weeks.
	looking sync.Mutex
}

// Bounds of one call. Those of long work are in the hands of the caller.
const (
	searchTimeout = 10 * time.Second
	writeTimeout  = 30 * time.Second
	adminTimeout  = 30 * time.Second
	pingTimeout   = 5 * time.Second
	shardsTimeout = 5 * time.Second
)

// Open makes an index on a cluster, which need not be there yet.
func Open(c Config) (*Index, error) {
	if len(c.Nodes) == 0 {
		return nil, invalid("it names no node")
	}
	if c.Prefix == "" {
		c.Prefix = DefaultPrefix
	}
	if c.Shards == 0 {
		c.Shards = 1
	}
	if c.Refresh == 0 {
		c.Refresh = time.Second
	}
	x := &Index{config: c, names: names{c.Prefix}, building: make(map[event.Week]bool)}
	if c.Transport == nil {
		x.pool = http.DefaultTransport.(*http.Transport).Clone()
		x.pool.MaxIdleConnsPerHost = maxIdle
		if c.CA != nil {
			authorities := x509.NewCertPool()
			if !authorities.AppendCertsFromPEM(c.CA) {
				return nil, invalid("ca holds no certificate")
			}
			x.pool.TLSClientConfig = &tls.Config{RootCAs: authorities, MinVersion: tls.VersionTLS12}
		}
		c.Transport = x.pool
	}
	var err error
	if x.once, err = newTransport(c, false); err == nil {
		x.again, err = newTransport(c, true)
	}
	if err != nil {
		return nil, fmt.Errorf("opening the index: %w", err)
	}
	return x, nil
}

// maxIdle is how many connections to a node are kept for later.
const maxIdle = 32

func newTransport(c Config, again bool) (*elastictransport.Client, error) {
	options := []elastictransport.Option{
		elastictransport.WithURLs(c.Nodes...),
		elastictransport.WithTransport(c.Transport),
		elastictransport.WithBasicAuth(c.Username, c.Password),
	}
	if !again {
		return elastictransport.NewClient(append(options, elastictransport.WithDisableRetry())...)
	}
	return elastictransport.NewClient(append(options,
		elastictransport.WithRetryOnError(func(r *http.Request, _ error) bool { return r.Context().Err() == nil }))...)
}

// Close lets go of the connections.
func (x *Index) Close() error {
	if x.pool != nil {
		x.pool.CloseIdleConnections()
	}
	ctx := context.Background()
	return errors.Join(x.once.Close(ctx), x.again.Close(ctx))
}

// RefreshInterval is how long a written event may stay unseen by Search.
func (x *Index) RefreshInterval() time.Duration { return x.config.Refresh }

// Ping reports whether the cluster answers.
func (x *Index) Ping(ctx context.Context) error {
	return failed("reaching Elasticsearch", x.read(ctx, pingTimeout, esapi.ClusterHealthRequest{}, nil))
}

// failed says which operation an error is of.
func failed(operation string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", operation, err)
}

func errBlocked(week event.Week) error { return &event.WeekBlocked{Week: week} }
