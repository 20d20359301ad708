package account

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"slices"
)

// Bounds of when an address is taken for one that a workspace shares.
const (
	// sharedBy is how many must use an address for it to be shared: what two have in
	// common may well be their home.
	sharedBy = 3
	// usersOfAddress bounds how many are remembered of an address.
	usersOfAddress = 1000
)

// addressUse says when sessions used a network address, and whose.
type addressUse struct {
	// Days are counted from 1970.
	Days []int64 `json:"days"`
	// By gives the last day of each user, or key of nobody.
	By map[string]int64 `json:"by"`
}

// UnmarshalJSON reads what older programs wrote too: the days alone.
func (u *addressUse) UnmarshalJSON(text []byte) error {
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("[")) {
		return json.Unmarshal(text, &u.Days)
	}
	type plain addressUse
	return json.Unmarshal(text, (*plain)(u))
}

// add notes a use, lets go of old ones, and reports whether that changed anything.
func (u *addressUse) add(who string, day int64) (changed bool) {
	if slices.Contains(u.Days, day) && (u.By[who] == day || len(u.By) >= usersOfAddress) {
		return false
	}
	old := func(of int64) bool { return of < day-addressDays }
	u.Days = slices.DeleteFunc(u.Days, old)
	if !slices.Contains(u.Days, day) {
		u.Days = append(u.Days, day)
	}
	for name, last := range u.By {
		if old(last) {
			delete(u.By, name)
		}
	}
	if u.By == nil {
		u.By = make(map[string]int64)
	}
	if len(u.By) < usersOfAddress {
		u.By[who] = day
	}
	return true
}

// ownAddresses are the days of each address that tells a workspace's people from
// others. One that most of them use does not: it is a proxy's, which recipients come
// through too.
func ownAddresses(uses map[netip.Addr]addressUse) map[netip.Addr][]int64 {
	all, own := make(map[string]bool), make(map[netip.Addr][]int64, len(uses))
	for _, use := range uses {
		for who := range use.By {
			all[who] = true
		}
	}
	for address, use := range uses {
		if len(use.By) < sharedBy || 2*len(use.By) <= len(all) {
			own[address] = use.Days
		}
	}
	return own
}
