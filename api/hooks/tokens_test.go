//go:build !race

package hooks_test

import (
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/api/hooks"
)

// Empty values take many times their bytes when they are read: a body of them is refused
// before that, whoever sends it.
func TestABodyOfEmptyValuesIsRefusedUnread(t *testing.T) {
	many := strings.Repeat("{},", 700<<10)
	for name, body := range map[string]string{
		"an array":           "[" + many + "{}]",
		"within an event":    `{"event":"x","RecordType":"Open","data":[` + many + `{}]}`,
		"within one of many": `[{"event":"x","data":[` + many + `{}]}]`,
		"lists":              "[" + strings.Repeat("[],", 700<<10) + "[]]",
		"members":            `[{"a":{` + strings.Repeat(`"a":0,"b":0,`, 300<<10) + `"b":0}}]`,
	} {
		providers := hooks.New(nil, nil)
		for _, provider := range []string{"sendgrid", "postmark", "hubspot", "brevo"} { // one of each way to read a body
			p, known := providers.Provider(provider)
			require.True(t, known)
			request := &hooks.Request{Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body)}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			decoded, err := p.Decode(request)
			runtime.ReadMemStats(&after)
			require.True(t, err != nil || len(decoded.Events) == 0, "%s: %s", provider, name)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(4*len(body)), "%s: %s", provider, name)
		}
	}
}
