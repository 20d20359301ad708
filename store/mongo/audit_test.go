package mongo_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/audit"
	"tidings/store/mongo"
	"tidings/store/storetest"
)

func TestAudit(t *testing.T) {
	urls := urlOf(t)
	storetest.RunAudit(t, func(t testing.TB) audit.Store {
		state, err := mongo.Open(context.Background(), mongo.Config{URL: urls(t, "audit")})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, state.Close()) })
		return state.Audit()
	})
}
