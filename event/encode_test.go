package event_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"

	jsonv2 "github.com/go-json-experiment/json"

	"tidings/event"
)

// hardTexts are what may be hard to write and read.
var hardTexts = []string{
	"", "a", "Pricing proposal", `quo"ted\ and /`, "line\nbreak\r\tand\b\fmore\x00\x1f\x7f", "<a href=\"x?a=1&b=2\">", "é 日本語 😀",
	"\u2028 and \u2029", "broken \xff utf-8 \xed\xa0\x80", "\ufffd", `\u0041`, "open", "human", "{}", `","w":`,
}

// anything fills a value, some of it with nothing.
func anything(r *rand.Rand, v reflect.Value) {
	if r.IntN(4) == 0 {
		return
	}
	if _, is := v.Interface().(json.RawMessage); is {
		v.SetBytes([]byte(`{"a":1}`))
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		anything(r, v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Tag.Get("json") != "-" {
				anything(r, v.Field(i))
			}
		}
	case reflect.Slice:
		for range r.IntN(4) {
			v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
			anything(r, v.Index(v.Len()-1))
		}
	case reflect.Array:
		for i := range v.Len() {
			v.Index(i).SetUint(uint64(r.IntN(256)))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range r.IntN(4) {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			anything(r, key)
			anything(r, value)
			v.SetMapIndex(key, value)
		}
	case reflect.String:
		v.SetString(hardTexts[r.IntN(len(hardTexts))])
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt([]int64{1, -1, 1794000000, 1 << 62, -1 << 63}[r.IntN(5)])
	case reflect.Uint8, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(r.IntN(256)))
	default:
		panic("a kind of field that this test cannot fill: " + v.Kind().String())
	}
}

func filledEvent(r *rand.Rand) (e event.Event) {
	anything(r, reflect.ValueOf(&e).Elem())
	return e
}

// TestAppendJSONIsJSON: a field that is added to an event without being written fails here.
func TestAppendJSONIsJSON(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 5_000 {
		e := filledEvent(r)
		want, err := json.Marshal(&e)
		if err != nil {
			t.Fatal(err)
		}
		if got := e.AppendJSON(nil); !bytes.Equal(got, want) {
			t.Fatalf("got\n%s\nwant\n%s", got, want)
		}
	}
	for range 2_000 {
		var a event.Announcement
		anything(r, reflect.ValueOf(&a).Elem())
		want, err := json.Marshal(&a)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := a.AppendJSON(nil); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%v, got\n%s\nwant\n%s", err, got, want)
		}
	}
}

// sameRead holds DecodeJSON to what the library reads: the same event, or an error too.
func sameRead(t *testing.T, data []byte) {
	t.Helper()
	var got, want event.Event
	wanted := jsonv2.Unmarshal(data, &want)
	if err := got.DecodeJSON(data); (err != nil) != (wanted != nil) {
		t.Fatalf("%s\ngot %v, want %v", data, err, wanted)
	}
	if wanted == nil && !reflect.DeepEqual(got, want) {
		t.Fatalf("%s\ngot  %+v\nwant %+v", data, got, want)
	}
}

func TestDecodeJSONReadsAsTheLibrary(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 5_000 {
		e := filledEvent(r)
		data := e.AppendJSON(nil)
		sameRead(t, data)
		// One byte more, less or otherwise.
		at := r.IntN(len(data))
		sameRead(t, append(data[:at:at], data[at+1:]...))
		sameRead(t, append(append(data[:at:at], `",:{}[]\u0 1-`[r.IntN(13)]), data[at:]...))
		changed := bytes.Clone(data)
		changed[at] = `",:{}[]\u0 1-a`[r.IntN(14)]
		sameRead(t, changed)
		sameRead(t, data[:at])
	}
}

// sameAnnouncement is sameRead for an announcement.
func sameAnnouncement(t *testing.T, data []byte) {
	t.Helper()
	var got, want event.Announcement
	wanted := jsonv2.Unmarshal(data, &want)
	if err := got.DecodeJSON(data); (err != nil) != (wanted != nil) {
		t.Fatalf("%s\ngot %v, want %v", data, err, wanted)
	}
	if wanted == nil && !reflect.DeepEqual(got, want) {
		t.Fatalf("%s\ngot  %+v\nwant %+v", data, got, want)
	}
}

func TestDecodeJSONOfAnnouncementsReadsAsTheLibrary(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 3_000 {
		var a event.Announcement
		anything(r, reflect.ValueOf(&a).Elem())
		if r.IntN(2) == 0 {
			a.Note = nil
		}
		if a.State != nil && r.IntN(3) > 0 { // most states have none of these
			a.State.Parts, a.State.Senders, a.State.Pending, a.State.Clicks, a.State.Overrides = nil, nil, nil, nil, nil
		}
		data, err := a.AppendJSON(nil)
		if err != nil {
			t.Fatal(err)
		}
		sameAnnouncement(t, data)
		at := r.IntN(len(data))
		sameAnnouncement(t, append(data[:at:at], data[at+1:]...))
		sameAnnouncement(t, append(append(data[:at:at], `",:{}[]\u0 1-`[r.IntN(13)]), data[at:]...))
		changed := bytes.Clone(data)
		changed[at] = `",:{}[]\u0 1-a`[r.IntN(14)]
		sameAnnouncement(t, changed)
		sameAnnouncement(t, data[:at])
		sameAnnouncement(t, append(data[:len(data)-1:len(data)-1], `,"state":null}`...))
	}
}

// TestDecodeJSONHoldsNothing: what is read stays when the bytes change.
func TestDecodeJSONHoldsNothing(t *testing.T) {
	e := event.Event{ID: event.NewID(1794000000, "w", "s", true, []byte("k")), Workspace: "acme", Type: event.Open, Time: 1794000000, Message: "m-1", Source: "api"}
	data := e.AppendJSON(nil)
	var read event.Event
	if err := read.DecodeJSON(data); err != nil {
		t.Fatal(err)
	}
	for i := range data {
		data[i] = 'x'
	}
	if !reflect.DeepEqual(read, e) {
		t.Errorf("got %+v, want %+v", read, e)
	}
}

func FuzzDecodeJSON(f *testing.F) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 20 {
		e := filledEvent(r)
		f.Add(e.AppendJSON(nil))
	}
	f.Fuzz(sameRead)
}

// benchEvent is a usual event.
func benchEvent() event.Event {
	agent := "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
	return event.Event{
		ID: event.NewID(1794000000, "w", "s", true, []byte("k")), Workspace: "bench-001", Type: event.Click, Time: 1794000000, Message: "m-1@mail.acme.example",
		User: "u_03", Recipient: &event.Person{Email: "jo.reyes@acme.example", Name: "Jo Reyes"}, Subject: "Pricing proposal for the renewal",
		Link:   "https://links.acme.example/r/8c6d7f2e9b1a4c53?u=3&c=17&sig=" + string(bytes.Repeat([]byte("a1b2c3d4"), 40)),
		Client: &event.Client{IP: "203.0.113.7", UserAgent: &agent}, Source: "api", Verdict: event.Verdict{Is: event.Human, Rule: "none", By: "rule", Version: 4},
	}
}

func BenchmarkJSON(b *testing.B) {
	e := benchEvent()
	data := e.AppendJSON(nil)
	b.Run("append", func(b *testing.B) {
		for b.Loop() {
			data = e.AppendJSON(data[:0])
		}
	})
	b.Run("marshal", func(b *testing.B) {
		for b.Loop() {
			_, _ = json.Marshal(&e)
		}
	})
	b.Run("decode", func(b *testing.B) {
		for b.Loop() {
			var e event.Event
			if err := e.DecodeJSON(data); err != nil {
				b.Fatal(err)
			}
		}
	})
	announced, err := (&event.Announcement{Kind: event.AnnounceEvent, Workspace: e.Workspace, User: e.User, Event: &e}).AppendJSON(nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("decode announcement", func(b *testing.B) {
		for b.Loop() {
			var a event.Announcement
			if err := a.DecodeJSON(announced); err != nil {
				b.Fatal(err)
			}
		}
	})
	sent := e
	sent.Type, sent.Recipients = event.Send, []event.Person{*e.Recipient}
	state := &event.State{MessageKey: event.MessageKey{Workspace: e.Workspace, Message: e.Message}}
	state.Apply(event.ChangeOf(sent))
	withState, err := (&event.Announcement{Kind: event.AnnounceEvent, Workspace: e.Workspace, User: e.User, Event: &sent, State: state}).AppendJSON(nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("decode announcement of a send", func(b *testing.B) {
		for b.Loop() {
			var a event.Announcement
			if err := a.DecodeJSON(withState); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("unmarshal announcement", func(b *testing.B) {
		for b.Loop() {
			var a event.Announcement
			if err := jsonv2.Unmarshal(announced, &a); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("unmarshal", func(b *testing.B) {
		for b.Loop() {
			var e event.Event
			if err := jsonv2.Unmarshal(data, &e); err != nil {
				b.Fatal(err)
			}
		}
	})
}
