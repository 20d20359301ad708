package hooks

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// fetchTime bounds a request to Amazon, and maxFetch what is read of it.
const (
	fetchTime = 10 * time.Second
	maxFetch  = 64 << 10
)

// errPrivate is an address that is no public host's.
var errPrivate = errors.New("the host has an address that is not public")

// AmazonClient reaches public addresses alone: what a name resolves to is
// checked at the moment it is connected to, so that no answer of a name server
// leads into the network of this machine. It follows no redirects and uses no
// proxy.
func AmazonClient() *http.Client {
	dialer := &net.Dialer{Timeout: fetchTime, Control: refusePrivate}
	return &http.Client{
		Timeout:       fetchTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: fetchTime,
			ResponseHeaderTimeout: fetchTime, MaxIdleConns: 2, IdleConnTimeout: time.Minute,
			ForceAttemptHTTP2: true,
		},
	}
}

// refusePrivate is called with each address before it is connected to.
func refusePrivate(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !public(at.Addr()) {
		return errPrivate
	}
	return nil
}

// reserved are ranges that no public host has, beyond those that package netip
// knows: RFC 6890 and its successors.
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("192.88.99.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("240.0.0.0/4"),
	// Those of IPv6 that carry an address of IPv4 within, and those for papers.
	netip.MustParsePrefix("::/96"), netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("100::/64"), netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("3fff::/20"), netip.MustParsePrefix("5f00::/16"),
	netip.MustParsePrefix("fec0::/10"),
}

// public reports whether an address can be a public host's.
func public(at netip.Addr) bool {
	at = at.Unmap()
	if !at.IsGlobalUnicast() || at.IsPrivate() || at.Zone() != "" {
		return false
	}
	for _, prefix := range reserved {
		if prefix.Contains(at) {
			return false
		}
	}
	return true
}
