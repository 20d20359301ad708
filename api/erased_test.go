package api_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/api"
)

func TestRefusingErasedPeopleCountsAtOnceWhileTheSettingIsRead(t *testing.T) {
	records := &slow{workspace: "acme", kind: "setting"}
	s := newSite(t, func(c *api.Config) {
		records.Records, c.Erasures = c.Records, c.Records.(api.Erasures)
		c.Records = records
	})
	admin := s.key("acme", account.RoleAdmin, "")
	records.meanwhile = func() {
		s.do(call{method: "PUT", path: "/v1/settings", body: `{"erased":"refuse"}`, key: admin}).is(200)
	}
	_, err := s.server.RefusesErased(t.Context(), "acme")
	require.NoError(t, err)
	require.Nil(t, records.meanwhile)
	refuses, err := s.server.RefusesErased(t.Context(), "acme")
	require.NoError(t, err)
	require.True(t, refuses)
}
