package feed_test

import (
	"reflect"
	"testing"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	jsonv1 "github.com/go-json-experiment/json/v1"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tidings/event"
	"tidings/feed"
)

// A field that is added to one of these is added to AppendJSON and to the items below.
func TestAppendJSONKnowsAllFields(t *testing.T) {
	for of, fields := range map[reflect.Type]int{
		reflect.TypeFor[feed.Item](): 22, reflect.TypeFor[feed.User](): 2, reflect.TypeFor[event.Person](): 3, reflect.TypeFor[feed.Recipient](): 10,
		reflect.TypeFor[feed.Rest](): 3, reflect.TypeFor[feed.Verdict](): 5, reflect.TypeFor[feed.Meeting](): 3, reflect.TypeFor[event.BounceDetail](): 2,
	} {
		require.Equal(t, fields, of.NumField(), of.Name())
	}
}

// An item's own JSON is what its tags say, field by field, with each of them there or not.
func TestAnItemIsWrittenAsItsTagsSay(t *testing.T) {
	text := rapid.OneOf(
		rapid.Just(""), rapid.String(), rapid.SampledFrom([]string{"Jo <jo@x>&", "a\"b\\c\n\t\x00\x1f\x7f", "half \xff\xfe", "\u2028é💌", "plain"}),
	)
	moment := rapid.Custom(func(t *rapid.T) *time.Time {
		if rapid.Bool().Draw(t, "none") {
			return nil
		}
		at := time.Unix(rapid.Int64Range(0, 1<<32-1).Draw(t, "at"), 0).UTC()
		return &at
	})
	person := rapid.Custom(func(t *rapid.T) event.Person {
		return event.Person{Email: text.Draw(t, "email"), Name: text.Draw(t, "name"), Written: text.Draw(t, "written")}
	})
	recipient := rapid.Custom(func(t *rapid.T) feed.Recipient {
		return feed.Recipient{
			Email: text.Draw(t, "email"), Name: text.Draw(t, "name"),
			Opened:  rapid.SampledFrom([]feed.Opening{{}, feed.Never, feed.OpenedAt(0), feed.OpenedAt(1763600000)}).Draw(t, "opened"),
			Clicked: moment.Draw(t, "clicked"), Downloaded: moment.Draw(t, "downloaded"), Replied: moment.Draw(t, "replied"),
			Bounced: moment.Draw(t, "bounced"), Delivered: moment.Draw(t, "delivered"),
			Complained: moment.Draw(t, "complained"), Unsubscribed: moment.Draw(t, "unsubscribed"),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		is := func(name string) bool { return rapid.Bool().Draw(t, name) }
		item := feed.Item{
			ID:   event.NewID(rapid.Int64Range(1, 1<<32-1).Draw(t, "second"), "w", "s", true, []byte("1")),
			Type: rapid.SampledFrom(event.Types).Draw(t, "type"), Time: time.Unix(rapid.Int64Range(0, 1<<32-1).Draw(t, "time"), 0).UTC(),
			Message: text.Draw(t, "message"), Original: text.Draw(t, "original"), Subject: text.Draw(t, "subject"),
			Candidates: rapid.SliceOfN(person, 0, 3).Draw(t, "candidates"), Recipients: rapid.SliceOfN(recipient, 0, 3).Draw(t, "recipients"),
			Kind: text.Draw(t, "kind"), Title: text.Draw(t, "title"), Link: text.Draw(t, "link"), File: text.Draw(t, "file"),
			Snippet: text.Draw(t, "snippet"), Source: text.Draw(t, "source"),
		}
		if is("user") {
			item.User = &feed.User{ID: text.Draw(t, "id"), Name: text.Draw(t, "name")}
		}
		if is("person") {
			item.Person = new(person.Draw(t, "one"))
		}
		if is("unopened") {
			item.Unopened = new(rapid.IntRange(0, 1000).Draw(t, "count"))
		}
		if is("rest") {
			item.Rest = &feed.Rest{Count: rapid.Int().Draw(t, "others"), At: text.Draw(t, "at"), Next: text.Draw(t, "next")}
		}
		if is("verdict") {
			item.Verdict = &feed.Verdict{
				Is: text.Draw(t, "is"), Rule: text.Draw(t, "rule"), By: text.Draw(t, "by"), Reason: text.Draw(t, "reason"), User: text.Draw(t, "who"),
			}
		}
		if is("meeting") {
			item.Meeting = &feed.Meeting{Title: text.Draw(t, "title"), Start: moment.Draw(t, "start"), Answer: text.Draw(t, "answer")}
		}
		if is("bounce") {
			item.Bounce = &event.BounceDetail{Kind: text.Draw(t, "kind"), Detail: text.Draw(t, "detail")}
		}
		if is("highlights") {
			spans := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) [2]int {
				return [2]int{rapid.IntRange(0, 99).Draw(t, "from"), rapid.IntRange(0, 99).Draw(t, "to")}
			}), 0, 3)
			item.Highlights = rapid.MapOfN(rapid.SampledFrom([]string{"subject", "body", "file"}), spans, 0, 3).Draw(t, "found")
		}
		want, err := jsonv2.Marshal(item, jsonv2.Deterministic(true), jsonv1.OmitEmptyWithLegacySemantics(true), jsontext.AllowInvalidUTF8(true))
		require.NoError(t, err)
		require.Equal(t, string(want), string(item.AppendJSON(nil)))
	})
}

// Each byte at each place of a text is written as by its tags.
func TestEachByteOfATextIsWrittenAsItsTagsSay(t *testing.T) {
	for size := 1; size <= 17; size++ {
		for at := range size {
			for c := range 256 {
				text := []byte("abcdefghijklmnopq")[:size]
				text[at] = byte(c)
				item := feed.Item{Subject: string(text)}
				want, err := jsonv2.Marshal(item, jsonv2.Deterministic(true), jsonv1.OmitEmptyWithLegacySemantics(true), jsontext.AllowInvalidUTF8(true))
				require.NoError(t, err)
				if string(want) != string(item.AppendJSON(nil)) {
					t.Fatalf("%q: %s", text, item.AppendJSON(nil))
				}
			}
		}
	}
}
