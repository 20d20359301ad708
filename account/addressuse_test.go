package account

import (
	"encoding/json"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAnAddressThatMostShareIsNobodysOwn(t *testing.T) {
	office, home := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	by := func(names ...string) addressUse {
		use := addressUse{}
		for _, name := range names {
			require.True(t, use.add(name, 20_000))
			require.False(t, use.add(name, 20_000))
		}
		return use
	}
	for name, c := range map[string]struct {
		uses map[netip.Addr]addressUse
		own  bool
	}{
		"one person":            {map[netip.Addr]addressUse{office: by("a")}, true},
		"two of two":            {map[netip.Addr]addressUse{office: by("a", "b")}, true},
		"three of three":        {map[netip.Addr]addressUse{office: by("a", "b", "c")}, false},
		"three of six":          {map[netip.Addr]addressUse{office: by("a", "b", "c"), home: by("d", "e", "f")}, true},
		"all, and one at home":  {map[netip.Addr]addressUse{office: by("a", "b", "c"), home: by("a")}, false},
		"kept by an older one":  {map[netip.Addr]addressUse{office: {Days: []int64{20_000}}}, true},
		"three of five, of six": {map[netip.Addr]addressUse{office: by("a", "b", "c"), home: by("c", "d", "e")}, false},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.own, ownAddresses(c.uses)[office] != nil)
		})
	}
}

func TestUseOfAnAddressIsReadAsItWasKept(t *testing.T) {
	var use addressUse
	require.NoError(t, json.Unmarshal([]byte("[20000,20001]"), &use))
	require.True(t, use.add("a", 20_001))
	require.Equal(t, addressUse{Days: []int64{20_000, 20_001}, By: map[string]int64{"a": 20_001}}, use)
	require.True(t, use.add("b", 20_001+addressDays+1))
	require.Equal(t, addressUse{Days: []int64{20_001 + addressDays + 1}, By: map[string]int64{"b": 20_001 + addressDays + 1}}, use)
}
