package outbound

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"slices"
	"syscall"
	"time"
)

// Bounds of a call.
const (
	// Timeout is for all of it, from the look-up of the name to the last byte.
	Timeout = 15 * time.Second
	// MaxAnswer is how many bytes of an answer are read.
	MaxAnswer = 64 << 10
	// maxHeader is how many bytes its header may have.
	maxHeader = 64 << 10
	// maxIdle are connections that are kept for the next call, in all and to one host.
	maxIdle, maxIdleHost = 100, 4
)

// Reasons why nothing was sent.
var (
	// ErrAddress is a host, port or address that may not be reached.
	ErrAddress = errors.New("the address may not be reached")
	// ErrURL is an address that is not written as one that may be called.
	ErrURL = errors.New("the address cannot be called")
	// ErrTooLarge is what reading an answer ends with past MaxAnswer.
	ErrTooLarge = errors.New("the answer is larger than 64 KiB")
)

// Client makes calls. It may be used by any number of goroutines.
type Client struct {
	allow    Allow
	resolver *net.Resolver
	http     *http.Client
}

// New makes a Client.
func New(allow Allow) *Client {
	c := &Client{allow: allow}
	c.http = &http.Client{
		Timeout:       Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: checked{client: c, next: &http.Transport{
			DialContext: c.dialHTTP, TLSHandshakeTimeout: Timeout,
			ResponseHeaderTimeout: Timeout, MaxResponseHeaderBytes: maxHeader,
			MaxIdleConns: maxIdle, MaxIdleConnsPerHost: maxIdleHost, IdleConnTimeout: time.Minute,
			ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
			// What comes packed would be larger than what is counted.
			DisableCompression: true,
		}},
	}
	return c
}

// HTTP is the client for libraries that want one; all its bounds hold.
func (c *Client) HTTP() *http.Client { return c.http }

// Check says whether an address is one that may be called, as far as it can be told
// without looking its name up: https (http where the operator lets the host be reached),
// a host, a port that is open, no user or password.
func (c *Client) Check(address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return fmt.Errorf("%w: it is not one", ErrURL)
	}
	return c.check(u)
}

func (c *Client) check(u *url.URL) error {
	switch {
	case u.Scheme != "https" && u.Scheme != "http" || u.Opaque != "" || u.Hostname() == "":
		return fmt.Errorf("%w: it does not begin with https:// and a host", ErrURL)
	case u.User != nil:
		return fmt.Errorf("%w: it has a user or a password in it", ErrURL)
	}
	host, port, err := splitAddress(hostPort(u))
	if err != nil {
		return fmt.Errorf("%w: its port is not one", ErrURL)
	}
	named := c.allow.named(host, port)
	at, err := netip.ParseAddr(host)
	if err != nil {
		if u.Scheme == "http" && !named && !c.allow.onPort(port) {
			return fmt.Errorf("%w: it must begin with https://", ErrURL)
		}
		return c.open(host, port)
	}
	allowed := c.allow.at(netip.AddrPortFrom(at, port))
	if u.Scheme == "http" && !allowed && !named {
		return fmt.Errorf("%w: it must begin with https://", ErrURL)
	}
	return c.mayConnect(named || port == 443, netip.AddrPortFrom(at, port), named)
}

func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = "443"
		if u.Scheme == "http" {
			port = "80"
		}
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// open refuses a port before anything is looked up.
func (c *Client) open(host string, port uint16) error {
	if port == 443 || c.allow.named(host, port) || c.allow.onPort(port) {
		return nil
	}
	return fmt.Errorf("%w: port %d is not open", ErrAddress, port)
}

// mayConnect decides about an address that a name was resolved to. portOpen says that
// the port is open for public addresses, named that the operator named the host.
func (c *Client) mayConnect(portOpen bool, at netip.AddrPort, named bool) error {
	switch {
	case never(at.Addr()):
	case named || c.allow.at(at):
		return nil
	case portOpen && public(at.Addr()):
		return nil
	}
	return fmt.Errorf("%w: it is not public", ErrAddress)
}

// dialHTTP connects for the transport.
func (c *Client) dialHTTP(ctx context.Context, network, address string) (net.Conn, error) {
	return c.dial(ctx, network, address, 443)
}

// Mail connects to a mail server, on one of the ports of submission and relay.
func (c *Client) Mail(ctx context.Context, network, address string) (net.Conn, error) {
	return c.dial(ctx, network, address, 25, 465, 587, 2525)
}

func (c *Client) dial(ctx context.Context, network, address string, ports ...uint16) (net.Conn, error) {
	host, port, err := splitAddress(address)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAddress, err)
	}
	open, named := slices.Contains(ports, port), c.allow.named(host, port)
	if !open && !named && !c.allow.onPort(port) {
		return nil, fmt.Errorf("%w: port %d is not open", ErrAddress, port)
	}
	dialer := net.Dialer{
		Timeout: Timeout, Resolver: c.resolver,
		// Control is called with each address before it is connected to.
		Control: func(_, address string, _ syscall.RawConn) error {
			at, err := netip.ParseAddrPort(address)
			if err != nil {
				return fmt.Errorf("%w: it is not one", ErrAddress)
			}
			return c.mayConnect(open, at, named)
		},
	}
	return dialer.DialContext(ctx, network, address)
}

// checked refuses before anything is sent and bounds what is read.
type checked struct {
	client *Client
	next   *http.Transport
}

func (t checked) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := t.client.check(r.URL); err != nil {
		if r.Body != nil {
			_ = r.Body.Close() // as a RoundTripper must
		}
		return nil, err
	}
	response, err := t.next.RoundTrip(r)
	if err == nil {
		response.Body = &bounded{ReadCloser: response.Body, left: MaxAnswer}
	}
	return response, err
}

// CloseIdleConnections is what http.Client calls.
func (t checked) CloseIdleConnections() { t.next.CloseIdleConnections() }

// bounded ends with ErrTooLarge where a body goes on past its bound.
type bounded struct {
	io.ReadCloser
	left int
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, ErrTooLarge
	}
	if len(p) > b.left+1 {
		p = p[:b.left+1] // One more tells an end from a bound.
	}
	n, err := b.ReadCloser.Read(p)
	if b.left -= n; b.left < 0 {
		return n - 1, ErrTooLarge
	}
	return n, err
}

// Answer is what came back.
type Answer struct {
	Status int
	Header http.Header
	// Body has at most as many bytes as were asked for.
	Body []byte
	// Took is how long it took, in all.
	Took time.Duration
	// Private says that the answer is a host's that only the operator's list lets be
	// reached: what it says is nobody's business outside.
	Private bool
}

// Do sends a request and reads up to keep bytes of the answer. An answer that stops
// coming is one, with what came: its status was told before.
func (c *Client) Do(r *http.Request, keep int) (Answer, error) {
	var answer Answer
	begun := time.Now()
	r = r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) {
			at, err := netip.ParseAddrPort(info.Conn.RemoteAddr().String())
			answer.Private = err != nil || !public(at.Addr())
		},
	}))
	response, err := c.http.Do(r)
	if err != nil {
		return answer, fmt.Errorf("call: %w", withoutURL(err))
	}
	answer.Body, _ = io.ReadAll(io.LimitReader(response.Body, int64(keep)))
	answer.Status, answer.Header, answer.Took = response.StatusCode, response.Header, time.Since(begun)
	return answer, response.Body.Close()
}

// withoutURL takes the address off an error: it may hold a secret, as those of chats do.
func withoutURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}
