package outbound

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"
)

func mustAllow(t *testing.T, entries ...string) Allow {
	t.Helper()
	allow, err := ParseAllow(entries)
	require.NoError(t, err)
	return allow
}

func get(t *testing.T, c *Client, address string) (Answer, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
	if err != nil {
		return Answer{}, err
	}
	return c.Do(r, 1<<10)
}

// serve answers on loopback, and a client that may reach it.
func serve(t *testing.T, handler http.HandlerFunc) (*Client, string) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	c := New(mustAllow(t, server.Listener.Addr().String()))
	t.Cleanup(c.HTTP().CloseIdleConnections)
	return c, server.URL
}

func TestAddressesThatAreNotPublicAreNotConnectedTo(t *testing.T) {
	c := New(Allow{})
	for _, private := range []string{
		"127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1",
		"::1", "fe80::1", "fd00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::",
		"224.0.0.1", "255.255.255.255", "198.18.0.1", "::", "::7f00:1", "::ffff:0:7f00:1", "ff02::1", "fec0::1", "100.100.100.200", "168.63.129.16",
	} {
		at := netip.AddrPortFrom(netip.MustParseAddr(private), 443)
		require.ErrorIs(t, c.mayConnect(true, at, false), ErrAddress, private)
		require.ErrorIs(t, c.Check("https://"+net.JoinHostPort(private, "443")+"/x"), ErrAddress, private)
	}
	for _, public := range []string{"52.94.5.1", "2600:1f18::1"} {
		require.NoError(t, c.mayConnect(true, netip.AddrPortFrom(netip.MustParseAddr(public), 443), false), public)
	}
	// The client itself, by a name that leads to this machine.
	_, err := get(t, c, "https://localhost/x")
	require.ErrorIs(t, err, ErrAddress)
}

func TestMetadataIsReachedByNobody(t *testing.T) {
	c := New(mustAllow(t, "169.254.0.0/16", "metadata.corp", "0.0.0.0/0", "::/0"))
	for _, at := range []string{
		"169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe", "2002:a9fe:a9fe::1",
		"::a9fe:a9fe", "fe80::1", "fd20:ce::254",
	} {
		require.ErrorIs(t, c.mayConnect(true, netip.AddrPortFrom(netip.MustParseAddr(at), 80), true), ErrAddress, at)
	}
	require.NoError(t, c.mayConnect(false, netip.MustParseAddrPort("10.2.3.4:80"), false))
}

func TestWhatMayBeCalled(t *testing.T) {
	c := New(mustAllow(t, "hooks.corp:9000", "chat.corp", "10.2.0.0/16", "10.3.0.0/16:9100", "[fd12::/16]:8443", "192.168.7.7"))
	for _, ok := range []string{
		"https://example.com", "https://example.com:443/a?b", "http://hooks.corp:9000/x", "https://HOOKS.corp.:9000/x", "https://chat.corp:8443",
		"http://chat.corp/", "https://10.2.1.1/", "http://10.2.1.1:8443/", "http://10.3.1.1:9100/", "https://[fd12::1]:8443/", "http://192.168.7.7/", "https://[::ffff:10.2.1.1]/",
	} {
		require.NoError(t, c.Check(ok), ok)
	}
	for _, bad := range []string{
		"", "example.com", "ftp://example.com/", "https:///x", "https://user@example.com/", "https://user:pass@example.com/", "https://example.com:22/",
		"https://hooks.corp:9001/", "https://10.4.1.1/", "https://10.2.1.1:9100/", "https://10.3.1.1/", "https://[fd12::1]/",
		"https://[fe80::1%25eth0]/", "javascript:alert(1)", "https://example.com:0/", "https://example.com:99999/", "https:opaque",
	} {
		require.Error(t, c.Check(bad), bad)
	}
	// Without a list, http is for nobody.
	require.ErrorIs(t, New(Allow{}).Check("http://example.com/"), ErrURL)
}

func TestWhatTheOperatorMayWrite(t *testing.T) {
	for _, bad := range []string{"", ":80", "a:b", "a:0", "10.0.0.0/99", "http://a", "a b", "u@a", "a:70000", "[::1", "10.0.0.0/8/8"} {
		_, err := ParseAllow([]string{bad})
		require.Error(t, err, bad)
	}
}

// What is written as a number but for the library's parser goes to the name server, and
// what that answers is checked.
func TestNumbersThatLookLikeNamesLeadNowhere(t *testing.T) {
	names := answering(t, func(string) string { return "127.0.0.1" })
	c := New(Allow{})
	c.resolver = names
	for _, host := range []string{"0x7f.1", "0x7f000001", "localhost.evil.example"} {
		_, err := get(t, c, "https://"+host+"/")
		require.ErrorIs(t, err, ErrAddress, host)
	}
	// These are no names of the Internet: the library does not ask for them.
	for _, host := range []string{"2130706433", "0177.0.0.1", "127.1"} {
		_, err := get(t, c, "https://"+host+"/")
		require.Error(t, err, host)
	}
}

func TestANameThatChangesItsAnswerIsCheckedEachTime(t *testing.T) {
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Connection", "close") }))
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	require.NoError(t, err)
	c := New(mustAllow(t, "127.0.0.1:"+port))
	c.resolver = answering(t, func(string) string {
		if asked.Add(1) == 1 {
			return "127.0.0.1"
		}
		return "127.0.0.2"
	})
	_, err = get(t, c, "http://changes.example:"+port+"/")
	require.NoError(t, err)
	_, err = get(t, c, "http://changes.example:"+port+"/")
	require.ErrorIs(t, err, ErrAddress)
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	c, at := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://169.254.169.254/latest/meta-data/", http.StatusFound)
	})
	answer, err := get(t, c, at)
	require.NoError(t, err)
	require.Equal(t, http.StatusFound, answer.Status)
	require.True(t, answer.Private)
}

func TestTheEnvironmentsProxyIsNotUsed(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	require.Nil(t, New(Allow{}).http.Transport.(checked).next.Proxy)
}

func TestAUserInAnAddressIsRefused(t *testing.T) {
	c, at := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("it was called") })
	_, err := get(t, c, strings.Replace(at, "://", "://user:pass@", 1))
	require.ErrorIs(t, err, ErrURL)
	require.NotContains(t, err.Error(), "pass@")
}

func TestALargeAnswerIsReadToItsBound(t *testing.T) {
	var wrote atomic.Int64
	c, at := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		chunk := make([]byte, 1<<20)
		_, _ = rand.Read(chunk)
		for range 1 << 10 {
			n, err := w.Write(chunk)
			if wrote.Add(int64(n)); err != nil {
				return
			}
		}
	})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, at, http.NoBody)
	require.NoError(t, err)
	response, err := c.HTTP().Do(r)
	require.NoError(t, err)
	body, err := io.ReadAll(response.Body)
	require.ErrorIs(t, err, ErrTooLarge)
	require.Len(t, body, MaxAnswer)
	require.NoError(t, response.Body.Close())
	require.Less(t, wrote.Load(), int64(1<<28))

	answer, err := get(t, c, at)
	require.NoError(t, err)
	require.Len(t, answer.Body, 1<<10)
}

func TestAnAnswerOfExactlyTheBoundIsWhole(t *testing.T) {
	for _, size := range []int{MaxAnswer - 1, MaxAnswer, MaxAnswer + 1} {
		body, err := io.ReadAll(&bounded{ReadCloser: io.NopCloser(strings.NewReader(strings.Repeat("x", size))), left: MaxAnswer})
		require.Len(t, body, min(size, MaxAnswer))
		require.Equal(t, size > MaxAnswer, errors.Is(err, ErrTooLarge))
	}
}

// The clock is the test's: a byte comes each second, for ever.
func TestADripEndsInTime(t *testing.T) {
	for name, begin := range map[string]string{
		"in the body": "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", "in the header": "HTTP/1.1 200 OK\r\nX-Long: ", "before it": "",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := New(mustAllow(t, "drip.example"))
				c.http.Transport.(checked).next.DialContext = func(context.Context, string, string) (net.Conn, error) {
					here, there := net.Pipe()
					go func() {
						_, _ = there.Read(make([]byte, 4<<10))
						_, err := io.WriteString(there, begin)
						for err == nil {
							time.Sleep(time.Second)
							_, err = io.WriteString(there, "x")
						}
					}()
					return here, nil
				}
				begun := time.Now()
				r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://drip.example/", http.NoBody)
				require.NoError(t, err)
				response, err := c.HTTP().Do(r)
				if err == nil {
					_, err = io.ReadAll(response.Body)
					_ = response.Body.Close()
				}
				var late net.Error
				require.ErrorAs(t, err, &late)
				require.True(t, late.Timeout())
				require.Equal(t, Timeout, time.Since(begun))
				time.Sleep(2 * time.Second) // in the test's time, for the server to see it
			})
		})
	}
}

func TestMailServersAreReachedOnTheirPorts(t *testing.T) {
	c := New(Allow{})
	for _, address := range []string{"127.0.0.1:587", "localhost:25", "169.254.169.254:25", "192.0.2.1:443"} {
		_, err := c.Mail(t.Context(), "tcp", address)
		require.ErrorIs(t, err, ErrAddress, address)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	conn, err := New(mustAllow(t, listener.Addr().String())).Mail(t.Context(), "tcp", listener.Addr().String())
	require.NoError(t, err)
	require.NoError(t, conn.Close())
}

// answering is a name server that says the same of every name of IPv4.
func answering(t *testing.T, address func(name string) string) *net.Resolver {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = server.Close() })
	go func() {
		packet := make([]byte, 1<<10)
		for {
			n, from, err := server.ReadFrom(packet)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(packet[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			q := m.Questions[0]
			m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
			if q.Type == dnsmessage.TypeA {
				m.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class},
					Body:   &dnsmessage.AResource{A: netip.MustParseAddr(address(q.Name.String())).As4()},
				}}
			}
			if raw, err := m.Pack(); err == nil {
				_, _ = server.WriteTo(raw, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", server.LocalAddr().String())
	}}
}
