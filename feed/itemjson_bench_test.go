package feed_test

import (
	"bytes"
	"testing"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	jsonv1 "github.com/go-json-experiment/json/v1"
	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/feed"
)

// BenchmarkItemJSON is what fifty sends of three recipients take to write.
func BenchmarkItemJSON(b *testing.B) {
	at := time.Unix(1763600000, 0).UTC()
	item := feed.Item{
		ID: event.NewID(1763600000, "w", "s", true, []byte("1")), Type: event.Send, Time: at, Message: "<CAF0123456789@mail.acme.example>",
		User: &feed.User{ID: "u_ana", Name: "Ana Reyes"}, Subject: "Your proposal for the meeting next week", Unopened: new(2), Source: "api",
		Recipients: []feed.Recipient{
			{Email: "jo@acme.example", Name: "Jo Smith", Opened: feed.OpenedAt(1763600100), Clicked: &at, Delivered: &at},
			{Email: "cy@acme.example", Opened: feed.Never, Delivered: &at},
			{Email: "bea@acme.example", Opened: feed.Never},
		},
	}
	b.Run("by tags", func(b *testing.B) {
		var out bytes.Buffer
		for b.Loop() {
			out.Reset()
			for range 50 {
				require.NoError(b, jsonv2.MarshalWrite(&out, &item, jsonv2.Deterministic(true), jsonv1.OmitEmptyWithLegacySemantics(true)))
			}
		}
	})
	b.Run("by itself", func(b *testing.B) {
		var out []byte
		for b.Loop() {
			out = out[:0]
			for range 50 {
				out = item.AppendJSON(out)
			}
		}
	})
}
