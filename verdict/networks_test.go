package verdict_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tidings/event"
	"tidings/verdict"
)

type address = netip.Addr

func mustAddress(text string) netip.Addr { return netip.MustParseAddr(text) }

// TestNetworksHoldWhatTheirPrefixesHold compares with asking each prefix.
func TestNetworksHoldWhatTheirPrefixesHold(t *testing.T) {
	near := rapid.Custom(func(t *rapid.T) netip.Addr {
		if rapid.Bool().Draw(t, "four") {
			return netip.AddrFrom4([4]byte{10, 0, rapid.Byte().Draw(t, "c") % 3, rapid.Byte().Draw(t, "d")})
		}
		six := [16]byte{0x20, 1, 15: rapid.Byte().Draw(t, "last")}
		return netip.AddrFrom16(six)
	})
	rapid.Check(t, func(t *rapid.T) {
		prefixes := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) netip.Prefix {
			at := near.Draw(t, "at")
			return netip.PrefixFrom(at, at.BitLen()-rapid.IntRange(0, 12).Draw(t, "host bits"))
		}), 1, 12).Draw(t, "prefixes")
		var list strings.Builder
		for _, prefix := range prefixes {
			fmt.Fprintln(&list, prefix)
		}
		dir, err := os.MkdirTemp("", "lists")
		require.NoError(t, err)
		defer os.RemoveAll(dir)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "scanner-networks.txt"), []byte(list.String()), 0o600))
		r, err := verdict.New(verdict.Config{Lists: dir})
		require.NoError(t, err)
		for range 20 {
			asked := near.Draw(t, "asked")
			want := event.Human
			for _, prefix := range prefixes {
				if prefix.Contains(asked) {
					want = event.Machine
				}
			}
			require.Equal(t, want, r.Judge(happened(event.Click, 3600, at(asked.String(), firefox)), verdict.Context{}).Is, asked)
		}
	})
}

// TestSharedAppleNetworks reads Apple's list in the form that MISP publishes.
func TestSharedAppleNetworks(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(shared, "networks", "icloud-private-relay.json"))
	if os.IsNotExist(err) {
		t.Skip("skipped: no shared data")
	}
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "apple-networks.json"), raw, 0o600))
	r, err := verdict.New(verdict.Config{Lists: dir})
	require.NoError(t, err)
	var published struct{ List []string }
	require.NoError(t, json.Unmarshal(raw, &published))
	require.Greater(t, len(published.List), 1000)
	for _, text := range published.List {
		prefix := netip.MustParsePrefix(text)
		v := r.Judge(happened(event.Open, 3600, at(prefix.Addr().String(), "Mozilla/5.0")), verdict.Context{})
		require.Equal(t, verdict.RuleAppleProxy, v.Rule)
		require.Equal(t, event.Machine, v.Is, text)
	}
	v := r.Judge(happened(event.Open, 3600, at("192.0.2.1", "Mozilla/5.0")), verdict.Context{})
	require.Equal(t, event.Human, v.Is, "the list is there, and the address is not in it")
}
