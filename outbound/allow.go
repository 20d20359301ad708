package outbound

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Allow is what the operator lets be reached beyond public addresses on port 443.
// The zero value lets nothing more.
type Allow struct {
	names    []allowedName
	networks []allowedNetwork
}

// allowedName is a host as it is written in an address, with one port or those of
// openPorts.
type allowedName struct {
	name string
	port uint16
}

type allowedNetwork struct {
	prefix netip.Prefix
	port   uint16
}

// openPorts are those of an entry without a port.
var openPorts = []uint16{80, 443, 8443}

// ParseAllow reads entries: HOST, HOST:PORT, an address, a network such as 10.2.0.0/16,
// or a network with a port, 10.2.0.0/16:9000 or [fd00::/8]:9000. Without a port, 80, 443
// and 8443 are meant.
func ParseAllow(entries []string) (Allow, error) {
	var allow Allow
	for _, entry := range entries {
		host, port, err := splitEntry(strings.TrimSpace(entry))
		if err != nil {
			return Allow{}, fmt.Errorf("%q is not a host or a network such as hooks.corp:8443 or 10.2.0.0/16", entry)
		}
		switch at, addrErr := netip.ParseAddr(host); {
		case strings.Contains(host, "/"):
			prefix, err := netip.ParsePrefix(host)
			if err != nil {
				return Allow{}, fmt.Errorf("%q is not a network such as 10.2.0.0/16", entry)
			}
			allow.networks = append(allow.networks, allowedNetwork{unmapped(prefix), port})
		case addrErr == nil:
			at = at.Unmap()
			allow.networks = append(allow.networks, allowedNetwork{netip.PrefixFrom(at, at.BitLen()), port})
		default:
			allow.names = append(allow.names, allowedName{foldHost(host), port})
		}
	}
	return allow, nil
}

// splitEntry takes the port off, 0 where there is none.
func splitEntry(entry string) (host string, port uint16, err error) {
	host = entry
	at := strings.LastIndexByte(entry, ':')
	bracketed := strings.HasPrefix(entry, "[")
	// An address of IPv6 without brackets has colons and no port.
	if at >= 0 && (bracketed && strings.HasSuffix(entry[:at], "]") || !bracketed && strings.Count(entry, ":") == 1) {
		number, err := strconv.ParseUint(entry[at+1:], 10, 16)
		if err != nil || number == 0 {
			return "", 0, fmt.Errorf("port %q", entry[at+1:])
		}
		host, port = entry[:at], uint16(number)
	}
	if bracketed {
		inside, whole := strings.CutSuffix(host[1:], "]")
		if !whole {
			return "", 0, fmt.Errorf("host %q", host)
		}
		host = inside
	}
	if host == "" || strings.ContainsAny(host, "[]@ \t?#") || strings.Contains(host, "//") {
		return "", 0, fmt.Errorf("host %q", host)
	}
	return host, port, nil
}

// unmapped is the same network of IPv4 where it is written in IPv6.
func unmapped(prefix netip.Prefix) netip.Prefix {
	if at := prefix.Addr(); at.Is4In6() && prefix.Bits() >= 96 {
		return netip.PrefixFrom(at.Unmap(), prefix.Bits()-96).Masked()
	}
	return prefix.Masked()
}

func foldHost(host string) string { return strings.ToLower(strings.TrimSuffix(host, ".")) }

// named reports whether the operator names a host and port.
func (a Allow) named(host string, port uint16) bool {
	host = foldHost(host)
	return slices.ContainsFunc(a.names, func(n allowedName) bool { return n.name == host && fits(n.port, port) })
}

// at reports whether the operator names a network that has an address, with its port.
func (a Allow) at(address netip.AddrPort) bool {
	return slices.ContainsFunc(a.networks, func(n allowedNetwork) bool {
		return n.prefix.Contains(address.Addr().Unmap()) && fits(n.port, address.Port())
	})
}

// onPort reports whether some network is open on a port: which one an address is in is
// known only when its name was resolved.
func (a Allow) onPort(port uint16) bool {
	return slices.ContainsFunc(a.networks, func(n allowedNetwork) bool { return fits(n.port, port) })
}

func fits(allowed, port uint16) bool {
	if allowed == 0 {
		return slices.Contains(openPorts, port)
	}
	return allowed == port
}

// splitAddress is an address to dial as host and port.
func splitAddress(address string) (host string, port uint16, err error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, err
	}
	number, err := strconv.ParseUint(text, 10, 16)
	return host, uint16(number), err
}
