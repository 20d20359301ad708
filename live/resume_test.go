package live

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tidings/event"
	"tidings/query"
)

// client is what a browser keeps: what it was sent, and its last position.
type client struct {
	reader *Reader
	begun  uint64 // sequence behind which everything must come
	got    []uint64
	at     string
}

// TestResumingMissesAndRepeatsNothing drives random orders of announcing,
// reading a little, disconnecting, restarting the hub and resuming, and compares
// what each client has with what the stream holds for its query.
func TestResumingMissesAndRepeatsNothing(t *testing.T) {
	queries := []query.Query{everything, ofType(event.Open), {Where: query.Words{Terms: []string{query.Analyse("price")[0].Stem}}}}
	rapid.Check(t, func(t *rapid.T) {
		var stream []Entry
		var hub *Hub
		clients := make([]*client, 6)
		start := func() {
			hub = NewHub(testConfig(nil))
			hub.adopt(Bounds{"one", 1, uint64(len(stream))})
			for _, e := range stream {
				hub.add(e, nil)
			}
			for _, c := range clients {
				if c != nil {
					c.reader = nil
				}
			}
		}
		workspaceOf := func(i int) string { return fmt.Sprint("w", i%2) }
		connect := func(i int) *client {
			c := clients[i]
			if c == nil {
				position := hub.PositionBefore(0)
				p, err := ParsePosition(position)
				require.NoError(t, err)
				c = &client{begun: p.Sequence, at: position}
				clients[i] = c
			}
			if c.reader == nil {
				var err error
				c.reader, err = hub.Open(t.Context(), workspaceOf(i), nil)
				require.NoError(t, err)
				_, err = c.reader.Subscribe("s", queries[i%len(queries)], c.at)
				require.NoError(t, err)
			}
			return c
		}
		// read takes up to most batches, of the last only a part.
		read := func(c *client, most int) {
			for range most {
				deliveries, err := c.reader.Next(t.Context())
				require.NoError(t, err)
				if len(deliveries) == 0 {
					return
				}
				for _, d := range deliveries {
					if d.Subscription == "s" {
						c.got = append(c.got, d.At.Sequence)
					}
					c.at = d.At.String()
				}
			}
		}
		start()
		which := rapid.IntRange(0, len(clients)-1)
		t.Repeat(map[string]func(*rapid.T){
			"announce": func(t *rapid.T) {
				for range rapid.IntRange(1, 100).Draw(t, "how many") {
					a := announcedText(
						fmt.Sprint("w", rapid.IntRange(0, 1).Draw(t, "workspace")), "ana",
						rapid.SampledFrom([]event.Type{event.Send, event.Open, event.Reply}).Draw(t, "type"),
						fmt.Sprint(len(stream)),
						rapid.SampledFrom([]string{"Prices", "Hello"}).Draw(t, "subject"))
					if rapid.IntRange(0, 9).Draw(t, "state") == 0 {
						a = announcedState(a.Workspace, "ana", "m", 1)
					}
					stream = append(stream, entryOf(uint64(len(stream)+1), time.Now(), a))
					hub.add(stream[len(stream)-1], nil)
				}
			},
			"read": func(t *rapid.T) {
				read(connect(which.Draw(t, "client")), rapid.IntRange(0, 3).Draw(t, "batches"))
			},
			"disconnect": func(t *rapid.T) {
				if c := clients[which.Draw(t, "client")]; c != nil && c.reader != nil {
					c.reader.Close()
					c.reader = nil
				}
			},
			"restart": func(*rapid.T) { start() },
		})
		for i := range clients {
			c := connect(i)
			read(c, len(stream))
			var want []uint64
			for _, e := range stream {
				announcement, err := e.Read()
				require.NoError(t, err)
				if e.Sequence > c.begun && e.Workspace == workspaceOf(i) && announcement.Event != nil &&
					queries[i%len(queries)].Match(query.NewDocument(*announcement.Event), nil) {
					want = append(want, e.Sequence)
				}
			}
			require.True(t, slices.Equal(want, c.got), "client %d: want %v, got %v", i, want, c.got)
		}
	})
}
