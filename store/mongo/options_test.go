package mongo

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTimesOfTheConnectionStringHold(t *testing.T) {
	for _, test := range []struct {
		url        string
		timeout    time.Duration
		want, find time.Duration
	}{
		{"mongodb://h/d", 0, 10 * time.Second, 5 * time.Second},
		{"mongodb://h/d?timeoutMS=60000", 0, time.Minute, 30 * time.Second},
		{"mongodb://h/d?timeoutMS=60000&serverSelectionTimeoutMS=2000", 0, time.Minute, 2 * time.Second},
		{"mongodb://h/d?timeoutMS=60000&serverSelectionTimeoutMS=60000", time.Second, time.Second, time.Second / 2},
	} {
		o := clientOptions(Config{URL: test.url, Timeout: test.timeout})
		require.NoError(t, o.Validate(), test.url)
		require.Equal(t, test.want, *o.Timeout, test.url)
		require.Equal(t, test.find, *o.ServerSelectionTimeout, test.url)
	}
	require.Nil(t, clientOptions(Config{URL: "mongodb://h/d?timeoutMS=0"}).ServerSelectionTimeout, "the driver's own")
}
