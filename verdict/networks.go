package verdict

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/netip"
	"slices"
	"strings"
)

var (
	errShort   = errors.New("is shorter than two characters, and would be found everywhere")
	errNetwork = errors.New("is neither an address nor a prefix such as 192.0.2.0/24")
)

// networks is a set of addresses, as ranges in order that do not touch.
type networks []addressRange

type addressRange struct{ first, last netip.Addr }

// has reports whether the address is in the set.
func (n networks) has(address netip.Addr) bool {
	address = address.Unmap().WithZone("")
	at, found := slices.BinarySearchFunc(n, address, func(r addressRange, a netip.Addr) int { return r.first.Compare(a) })
	if found {
		return true
	}
	return at > 0 && n[at-1].last.Compare(address) >= 0 && n[at-1].last.Is4() == address.Is4()
}

// newNetworks joins prefixes that overlap.
func newNetworks(prefixes []netip.Prefix) networks {
	ranges := make(networks, len(prefixes))
	for i, prefix := range prefixes {
		prefix = prefix.Masked()
		ranges[i] = addressRange{prefix.Addr(), lastOf(prefix)}
	}
	slices.SortFunc(ranges, func(a, b addressRange) int {
		return cmp.Or(a.first.Compare(b.first), b.last.Compare(a.last))
	})
	var joined networks
	for _, r := range ranges {
		if last := len(joined) - 1; last >= 0 && r.first.Compare(joined[last].last) <= 0 {
			continue // prefixes nest or are apart
		}
		joined = append(joined, r)
	}
	return joined
}

// lastOf is the last address of a prefix.
func lastOf(prefix netip.Prefix) netip.Addr {
	bytes := prefix.Addr().AsSlice()
	for bit := prefix.Bits(); bit < 8*len(bytes); bit++ {
		bytes[bit/8] |= 0x80 >> (bit % 8)
	}
	last, _ := netip.AddrFromSlice(bytes)
	return last
}

// parseNetworks reads prefixes or addresses one a line, of which what follows a
// comma is left out (Apple publishes its list so), or JSON with a "list" of them
// (as the MISP project publishes its lists).
func parseNetworks(data string) ([]netip.Prefix, error) {
	var prefixes []netip.Prefix
	add := func(text string) error {
		prefix, err := parseNetwork(text)
		prefixes = append(prefixes, prefix)
		return err
	}
	if strings.HasPrefix(strings.TrimSpace(data), "{") {
		var published struct{ List []string }
		if err := json.Unmarshal([]byte(data), &published); err != nil {
			return nil, err
		}
		for _, text := range published.List {
			if err := add(text); err != nil {
				return nil, err
			}
		}
		return prefixes, nil
	}
	err := eachLine(data, func(line string) error {
		text, _, _ := strings.Cut(line, ",")
		return add(strings.TrimSpace(text))
	})
	return prefixes, err
}

func parseNetwork(text string) (netip.Prefix, error) {
	if prefix, err := netip.ParsePrefix(text); err == nil {
		if prefix.Addr().Is4In6() {
			return netip.Prefix{}, errNetwork
		}
		return prefix, nil
	}
	address, err := netip.ParseAddr(text)
	if err != nil || address.Zone() != "" {
		return netip.Prefix{}, errNetwork
	}
	address = address.Unmap()
	return netip.PrefixFrom(address, address.BitLen()), nil
}
