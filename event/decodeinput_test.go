package event_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	jsonv2 "github.com/go-json-experiment/json"

	"tidings/event"
)

// plainlyRead reports whether ReadPlain took an input. What it takes the library must take,
// strictly, and read as the same.
func plainlyRead(t *testing.T, data []byte) bool {
	t.Helper()
	var got, want event.Input
	if !got.ReadPlain(data) {
		return false
	}
	if err := jsonv2.Unmarshal(data, &want, jsonv2.RejectUnknownMembers(true)); err != nil {
		t.Fatalf("%s\nwas read, and is wrong: %v", data, err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%s\ngot  %+v\nwant %+v", data, got, want)
	}
	return true
}

func TestReadPlainTakesWhatMostSendersWrite(t *testing.T) {
	for _, text := range []string{
		`{"id":"e-1","type":"send","time":"2026-11-16T09:30:00Z","message":"m-1","user":"u_ana","recipients":[{"email":"jo@acme.example","name":"Jo Reyes"},{"email":"sam@globex.example"}],"subject":"Pricing","body":"Hi Jo,\n\n\"yes\" \u00fc ü \\ \t"}`,
		`{"message":"m-1","type":"open","time":1794000000,"recipient":{"name":"Jo","email":"jo@acme.example"},"client":{"ip":"192.0.2.7","user_agent":"","automated":false,"method":"GET"},"source":"api"}`,
		" {\n \"type\" : \"click\" ,\t\"time\": \"2026-11-16T09:30:00.25+01:00\", \"message\":\"m\", \"recipients\" : [ { \"email\" : \"a@b.example\" } , {\"email\":\"c@d.example\"} ], \"link\":\"https://x.example/\" } \r\n",
		`{"type":"strange","time":-5,"message":"","kind":"k","title":"t","file":"f"}`,
	} {
		if !plainlyRead(t, []byte(text)) {
			t.Errorf("it is left to the library: %s", text)
		}
	}
}

func TestReadPlainLeavesTheRest(t *testing.T) {
	for _, text := range []string{
		``, `{}`, `null`, `[]`, `{"type":"open"`, `{"type":"open"}x`, `{"type":"open"}{}`, `{"type":"open",}`, `{"type":"open","type":"open"}`, `{"Type":"open"}`,
		`{"type":"open","strange":1}`, `{"type":null}`, `{"type":1}`, `{"time":1.5}`, `{"time":01}`, `{"time":1e3}`, `{"time":"soon"}`, `{"time":99999999999999999999}`,
		`{"recipient":{"email":"a","email":"b"}}`, `{"recipient":{"email":"a","written":"b"}}`, `{"recipients":[]}`, `{"recipients":[{"email":"a"},]}`, `{"recipients":[{"email":"a"}`,
		`{"client":{"automated":"yes"}}`, `{"client":{"headers":{}}}`, `{"meeting":{}}`, `{"body":"\ud83d\ude00"}`, "{\"body\":\"\xff\"}", "{\"body\":\"a\nb\"}", `{"type" "open"}`,
		`{"id":"a","t\u0079pe":"open","type":"open"}`,
	} {
		if plainlyRead(t, []byte(text)) {
			t.Errorf("it was read: %s", text)
		}
	}
}

func TestReadPlainReadsAsTheLibrary(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	plain := 0
	for range 3_000 {
		var in event.Input
		anything(r, reflect.ValueOf(&in).Elem())
		in.Aliases, in.Candidates, in.Meeting, in.Bounce = nil, nil, nil, nil
		if in.Client != nil {
			in.Client.Headers = nil
		}
		data, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		if plainlyRead(t, data) {
			plain++
		}
		at := r.IntN(len(data))
		plainlyRead(t, append(data[:at:at], data[at+1:]...))
		plainlyRead(t, append(append(data[:at:at], `",:{}[]\u0 1-`[r.IntN(13)]), data[at:]...))
		changed := bytes.Clone(data)
		changed[at] = `",:{}[]\u0 1-a`[r.IntN(14)]
		plainlyRead(t, changed)
		plainlyRead(t, data[:at])
	}
	if plain == 0 {
		t.Error("nothing was read")
	}
}

// TestReadPlainHoldsNothing: what is read stays when the bytes change.
func TestReadPlainHoldsNothing(t *testing.T) {
	data := []byte(`{"id":"e-1","type":"strange","time":5,"message":"m-1","recipient":{"email":"jo@acme.example"},"body":"text"}`)
	var read event.Input
	if !read.ReadPlain(data) {
		t.Fatal("it is left to the library")
	}
	for i := range data {
		data[i] = 'x'
	}
	if text := string(read.Type) + read.ID + read.Message + read.Recipient.Email + read.Body; strings.Contains(text, "x"+"x") {
		t.Error(text)
	}
}

func FuzzReadPlain(f *testing.F) {
	f.Add([]byte(`{"type":"open","time":"2026-11-16T09:30:00Z","message":"m-1","recipient":{"email":"jo@acme.example","name":"Jo"},"body":"a\n\u00fc"}`))
	f.Add([]byte(`{"type":"send","time":1794000000,"recipients":[{"email":"a@b.example"}],"client":{"ip":"","user_agent":"x","automated":true}}`))
	f.Fuzz(func(t *testing.T, data []byte) { plainlyRead(t, data) })
}
