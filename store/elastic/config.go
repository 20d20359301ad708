package elastic

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"tidings/event"
)

// Config says where the cluster is and how its indices are laid out. It holds a
// password, so it is not to be printed.
type Config struct {
	// Nodes are the addresses of one or more nodes, without credentials.
	Nodes              []*url.URL
	Username, Password string
	// CA is the PEM of the authority that signed the nodes' certificates, nil
	// for the system's.
	CA []byte
	// Prefix begins the name of every index, "" for DefaultPrefix.
	Prefix string
	// Shards is how many shards a new week has, 0 for one. A workspace is
	// always in one of them.
	Shards int
	// Refresh is how long a written event may stay unseen, 0 for a second.
	// It is a setting of new weeks.
	Refresh time.Duration
	// Transport carries the requests, nil for a pool of this index's own.
	Transport http.RoundTripper
}

// DefaultPrefix begins the names of indices where nothing else is asked for.
const DefaultPrefix = "tidings"

// defaultPort is Elasticsearch's.
const defaultPort = "9200"

var validPrefix = regexp.MustCompile(`^[a-z][a-z0-9-]{0,63}$`)

// ParseURL reads elasticsearch://[USER:PASSWORD@]HOST[:PORT][,HOST…][/PREFIX].
// The scheme is elasticsearch or http for plain connections, and
// elasticsearchs or https for TLS. As parameters it takes ca (the path of a PEM
// file), shards and refresh (such as 5s). Errors never repeat the credentials.
func ParseURL(text string) (Config, error) {
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		return Config{}, invalid("it is written like elasticsearch://127.0.0.1:9200")
	}
	switch scheme {
	case "elasticsearch", "http":
		scheme = "http"
	case "elasticsearchs", "https":
		scheme = "https"
	default:
		return Config{}, invalid("its scheme is elasticsearch, elasticsearchs, http or https")
	}
	var c Config
	rest, parameters, _ := strings.Cut(rest, "?")
	hosts, prefix, _ := strings.Cut(rest, "/")
	if at := strings.LastIndexByte(hosts, '@'); at >= 0 {
		if err := c.credentials(hosts[:at]); err != nil {
			return Config{}, err
		}
		hosts = hosts[at+1:]
	}
	for host := range strings.SplitSeq(hosts, ",") {
		node, err := url.Parse(scheme + "://" + host)
		if err != nil || node.Hostname() == "" || node.User != nil {
			return Config{}, invalid("it names a host such as 127.0.0.1:9200, or several with commas between")
		}
		if node.Port() == "" {
			node.Host += ":" + defaultPort
		}
		c.Nodes = append(c.Nodes, node)
	}
	if c.Prefix = strings.TrimSuffix(prefix, "/"); c.Prefix != "" && !validPrefix.MatchString(c.Prefix) {
		return Config{}, invalid("its path is the prefix of index names: small letters, digits and hyphens")
	}
	return c, c.parameters(parameters)
}

func (c *Config) credentials(text string) error {
	user, password, _ := strings.Cut(text, ":")
	var err error
	if c.Username, err = url.PathUnescape(user); err == nil {
		c.Password, err = url.PathUnescape(password)
	}
	if err != nil || c.Username == "" {
		return invalid("credentials stand before the host as USER:PASSWORD@, with %40 for @")
	}
	return nil
}

func (c *Config) parameters(text string) error {
	values, err := url.ParseQuery(text)
	if err != nil {
		return invalid("its parameters cannot be read")
	}
	for name := range values {
		value := values.Get(name)
		switch name {
		case "ca":
			if c.CA, err = os.ReadFile(value); err != nil {
				return fmt.Errorf("%w: reading ca: %w", event.ErrInvalid, err)
			}
		case "shards":
			if c.Shards, err = strconv.Atoi(value); err != nil || c.Shards < 1 {
				return invalid("shards is a whole number from 1")
			}
		case "refresh":
			if c.Refresh, err = time.ParseDuration(value); err != nil || c.Refresh < minRefresh {
				return invalid("refresh is a duration of at least " + minRefresh.String())
			}
		default:
			return invalid("its parameters are ca, shards and refresh")
		}
	}
	return nil
}

// minRefresh bounds how often segments are written for the sake of being seen.
const minRefresh = 100 * time.Millisecond

func invalid(problem string) error { return event.Invalid("address of Elasticsearch", problem) }
