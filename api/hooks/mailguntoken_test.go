package hooks

import (
	"bytes"
	"context"
	"testing"

	"tidings/event"

	"github.com/stretchr/testify/require"
)

func TestMailgunsTokensAreForOneBody(t *testing.T) {
	s := signers(t)["mailgun"]
	good := s.sign(t, s.provider.Sample().Body, today)
	require.NoError(t, s.provider.Verify(t.Context(), good, s.secrets, today))
	forged := changed(good, bytes.Replace(good.Body, []byte("jo@example.com"), []byte("ana@example.com"), 1))
	require.NoError(t, s.provider.Verify(t.Context(), forged, s.secrets, today), "of the first nothing was durable")
	require.NoError(t, Acknowledge(t.Context(), s.provider, good))
	require.ErrorIs(t, s.provider.Verify(t.Context(), forged, s.secrets, today), Replayed)
	require.ErrorIs(t, Acknowledge(t.Context(), s.provider, forged), Replayed)
	reencoded := changed(good, bytes.Replace(good.Body, []byte(`":`), []byte(`": `), 1))
	require.ErrorIs(t, s.provider.Verify(t.Context(), reencoded, s.secrets, today), Replayed)
	require.NoError(t, s.provider.Verify(t.Context(), good, s.secrets, today), "a retry")
	twice := changed(good, []byte(`{"signature":{},`+string(good.Body[1:])))
	require.ErrorIs(t, s.provider.Verify(t.Context(), twice, s.secrets, today), event.ErrForbidden, "a signature given twice")
}

func TestTokensAreForgottenInTheirOrder(t *testing.T) {
	tokens := newTokens(2, nil)
	use := func(token, body string) error { return tokens.use(t.Context(), token, []byte(body)) }
	require.NoError(t, use("a", "1"))
	require.NoError(t, use("b", "1"))
	require.ErrorIs(t, use("a", "2"), Replayed)
	require.NoError(t, use("c", "1"))
	require.NoError(t, use("b", "2"), "the bound is reached")
	require.ErrorIs(t, use("c", "2"), Replayed)
}

// claims are shared by the processes of a test, which may lose sight of them.
type claims struct {
	first map[string]string
	away  bool
	asked int
}

func (c *claims) Claim(_ context.Context, name, value string) (string, error) {
	c.asked++
	if c.away {
		return "", event.ErrUnavailable
	}
	if _, ok := c.first[name]; !ok {
		c.first[name] = value
	}
	return c.first[name], nil
}

func (c *claims) Claimed(_ context.Context, name string) (string, error) {
	if c.away {
		return "", event.ErrUnavailable
	}
	return c.first[name], nil
}

func TestATokenIsForOneBodyInAllProcesses(t *testing.T) {
	shared := &claims{first: make(map[string]string)}
	one, two := newTokens(2, shared), newTokens(2, shared)
	require.NoError(t, one.use(t.Context(), "a", []byte("1")))
	require.ErrorIs(t, two.use(t.Context(), "a", []byte("2")), Replayed)
	require.ErrorIs(t, two.use(t.Context(), "a", []byte("2")), Replayed, "and again, by what is remembered here")
	require.NoError(t, two.use(t.Context(), "a", []byte("1")), "a retry at another process")
	require.Equal(t, 2, shared.asked)

	shared.away = true
	require.ErrorIs(t, one.use(t.Context(), "b", []byte("1")), event.ErrUnavailable, "the provider tries again")
	require.NoError(t, one.use(t.Context(), "a", []byte("1")), "what is known needs nobody")
	shared.away = false
	require.NoError(t, one.use(t.Context(), "b", []byte("2")), "nothing was taken")
}
