package outbound

import "net/netip"

// metadata are addresses by which a cloud tells its machines their secrets, and those
// of the link. Nobody reaches them, whatever the operator lets be reached.
var metadata = []netip.Prefix{
	netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("fe80::/10"),
	netip.MustParsePrefix("fd00:ec2::/32"),      // Amazon
	netip.MustParsePrefix("fd20:ce::254/128"),   // Google
	netip.MustParsePrefix("100.100.100.200/32"), // Alibaba
	netip.MustParsePrefix("192.0.0.192/32"),     // Oracle
	netip.MustParsePrefix("168.63.129.16/32"),   // Azure
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
	netip.MustParsePrefix("::/96"), netip.MustParsePrefix("::ffff:0:0:0/96"),
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("100::/64"), netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("3fff::/20"), netip.MustParsePrefix("5f00::/16"),
	netip.MustParsePrefix("fec0::/10"),
}

// public reports whether an address can be a public host's.
func public(at netip.Addr) bool {
	at = at.Unmap()
	return at.IsGlobalUnicast() && !at.IsPrivate() && at.Zone() == "" && !within(at, reserved) && !within(at, metadata)
}

// never reports whether an address is one that nobody reaches: metadata, also where
// an address of IPv6 carries it (RFC 6052, 6to4).
func never(at netip.Addr) bool {
	at = at.Unmap()
	if at.Zone() != "" || !at.IsValid() || within(at, metadata) {
		return true
	}
	raw := at.As16()
	switch {
	case !at.Is6():
		return false
	case within(at, carriers):
		return within(netip.AddrFrom4([4]byte(raw[12:])), metadata)
	case sixToFour.Contains(at):
		return within(netip.AddrFrom4([4]byte(raw[2:6])), metadata)
	}
	return false
}

// carriers end in an address of IPv4; sixToFour begins with one.
var (
	carriers = []netip.Prefix{
		netip.MustParsePrefix("::/96"), netip.MustParsePrefix("::ffff:0:0:0/96"),
		netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"),
	}
	sixToFour = netip.MustParsePrefix("2002::/16")
)

func within(at netip.Addr, prefixes []netip.Prefix) bool {
	for _, prefix := range prefixes {
		if prefix.Contains(at) {
			return true
		}
	}
	return false
}
