package elastictest

import "testing"

// NewProxy starts a proxy before the server at address, which URL gave, until the test is
// over.
func NewProxy(t testing.TB, address string) *Bulk {
	t.Helper()
	proxy, err := NewBulk(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = proxy.Close() })
	return proxy
}
