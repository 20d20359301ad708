package app

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAddressesMayBeSeveral(t *testing.T) {
	for address, ok := range map[string]bool{
		"nats://a:4222":                true,
		"nats://a:4222,b:4222":         true,
		"nats://a:4222, nats://b:4222": true,
		"tls://a:4222,tls://b:4222":    true,
		"a:4222":                       false,
		"http://a:4222":                false,
		"nats://a:4222,http://b:1":     false,
		"nats://a:4222,":               false,
		"":                             false,
	} {
		err := checkAddress("--stream", address, "nats", "tls")
		require.Equal(t, ok, err == nil, address)
	}
}
