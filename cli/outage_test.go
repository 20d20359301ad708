package cli_test

import (
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/store/mongo/mongotest"
)

// MongoDB goes away and comes back, and then NATS. Taking events in goes on
// without MongoDB and is refused before anything is acknowledged without NATS; in
// the end everything acknowledged is there once, and every state is the model's.
// The server is raced: everything in it meets the outage at once.
func TestNothingAcknowledgedIsLostOrDoubledWhileMongoDBAndNATSAreAway(t *testing.T) {
	t.Parallel()
	state, mongodb := mongotest.Start(t).Through(t)
	queue := startNATS(t)
	data := t.TempDir()
	stores := []string{"--state", state, "--stream", queue.URL()}
	server := startRaced(t, data, "127.0.0.1:0", stores...)
	x := &topology{t: t, address: server.address, key: createKey(t, data, "w", "admin"), messages: 20, patient: true}
	book := newLedger()
	stopLoad := x.start(book)
	await := func(what string, condition func() bool) {
		t.Helper()
		require.Eventually(t, condition, time.Minute, 50*time.Millisecond, what)
	}
	await("events come in", func() bool { return book.size() > 100 })

	mongodb.Cut()
	await("it is noticed", func() bool { return !x.ready() })
	require.True(t, x.ready("?self=true"), "a load balancer must not give up on every process")
	before := book.size()
	time.Sleep(*outage) // this long it is away: nothing tells when senders have tried enough
	require.Greater(t, book.size(), before+50, "accepting goes on without MongoDB")
	mongodb.Restore()
	await("it is back", func() bool { return x.ready() })

	queue.Stop()
	await("it is noticed", func() bool { return !x.ready() })
	before = book.size()
	began := time.Now()
	status, body := x.postOne()
	require.Equal(t, http.StatusServiceUnavailable, status, body)
	require.Less(t, time.Since(began), 5*time.Second, "it is said at once")
	time.Sleep(*outage) // as above: that nothing comes can only be seen in some time
	require.Equal(t, before, book.size(), "nothing is acknowledged without NATS")
	require.NoError(t, queue.Start())
	await("it is back", func() bool { return x.ready() })

	await("events come in again", func() bool { return book.size() > before+100 })
	stopLoad()
	awaitIndexed(t, x.address)
	book.check(t, x.address, x.key)
	require.Less(t, x.metric("process_resident_memory_bytes"), 600e6)
	require.NotContains(t, server.output(), x.key)
	require.NoError(t, server.stop(), server.output())
}

func (x *topology) ready(query ...string) bool {
	response, err := http.Get("http://" + x.address + "/readyz" + strings.Join(query, ""))
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// postOne posts an event that no ledger knows and cannot read.
func (x *topology) postOne() (int, string) {
	body := strings.NewReader(`{"type":"open","time":1790000000,"message":"x","recipient":{"email":"jo@acme.example"}}`)
	post, err := http.NewRequest(http.MethodPost, "http://"+x.address+"/v1/events", body)
	require.NoError(x.t, err)
	post.Header.Set("Authorization", "Bearer "+x.key)
	post.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(post)
	require.NoError(x.t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(x.t, err)
	return response.StatusCode, string(text)
}

// metric is a figure without labels.
func (x *topology) metric(name string) float64 {
	response, err := http.Get("http://" + x.address + "/metrics")
	require.NoError(x.t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(x.t, err)
	found := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindSubmatch(text)
	require.NotNil(x.t, found, name)
	value, err := strconv.ParseFloat(string(found[1]), 64)
	require.NoError(x.t, err)
	return value
}
