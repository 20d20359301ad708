package verdict

import (
	"net/netip"
	"slices"

	"tidings/event"
)

// Day is the length of a day, in seconds.
const Day = 24 * 60 * 60

// Internal is what a workspace knows for itself: its own people, and the scanners of
// its recipients.
type Internal struct {
	// Emails gives the user by their own mail address, in lower case.
	Emails map[string]string
	// Addresses gives the days, counted from 1970, on which a session of
	// anybody's used a network address.
	Addresses map[netip.Addr][]int64
	// Scanners gives the networks that scan the mails of a recipient's domain,
	// as somebody has adopted them.
	Scanners map[string][]netip.Prefix
}

// Scanner reports whether an event came from a scanner of its recipient's domain.
func (o Internal) Scanner(e event.Event) bool {
	if e.Client == nil || e.Client.IP == "" || len(o.Scanners) == 0 {
		return false
	}
	networks := o.Scanners[domainOf(e.RecipientEmail())]
	address, err := netip.ParseAddr(e.Client.IP)
	if err != nil {
		return false
	}
	address = address.Unmap().WithZone("")
	return slices.ContainsFunc(networks, func(n netip.Prefix) bool { return n.Contains(address) })
}

// Includes reports whether one of them made the event: the sender in their own
// mailbox, or somebody at an address that a session used on that day or the day
// before or after.
func (o Internal) Includes(e event.Event) bool {
	if user, known := o.Emails[e.RecipientEmail()]; known && user == e.User {
		return true
	}
	if e.Client == nil || e.Client.IP == "" || len(o.Addresses) == 0 {
		return false
	}
	address, err := netip.ParseAddr(e.Client.IP)
	if err != nil {
		return false
	}
	day := e.Time / Day
	return slices.ContainsFunc(o.Addresses[address.Unmap()], func(used int64) bool { return -1 <= day-used && day-used <= 1 })
}
