package elastictest

import (
	"testing"

	"tidings/faulty"
)

// NewProxy starts a proxy before the server at address, which URL gave, until the test is
// over.
func NewProxy(t testing.TB, address string) *faulty.Bulk {
	t.Helper()
	proxy, err := faulty.NewBulk(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = proxy.Close() })
	return proxy
}
