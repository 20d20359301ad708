package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"tidings/account"

	"github.com/stretchr/testify/require"
)

// malformed is a request that must be refused, and how.
type malformed struct {
	name   string
	call   call
	status int
	// field is the location of the first error.
	field string
}

const anEvent = `{"id":"e","type":"open","time":"2026-11-16T09:30:00Z","message":"m","recipient":{"email":"jo@acme.example"}%s}`

// with is an event with more members.
func with(members string) string { return fmt.Sprintf(anEvent, members) }

// timed is an event at a time.
func timed(at string) string {
	return `{"type":"open","time":` + at + `,"message":"m","recipient":{"email":"jo@acme.example"}}`
}

func post(body any) call { return call{method: "POST", path: "/v1/events", body: body} }

func posted(body any, header ...string) call {
	c := post(body)
	c.header = map[string]string{header[0]: header[1]}
	return c
}

func eventsOfOneField() []malformed {
	one := func(name, body, field string) malformed { return malformed{name, post(body), 400, field} }
	long := strings.Repeat("x", 3000)
	return []malformed{
		one("unknown field", with(`,"colour":"red"`), "events[0].colour"),
		one("unknown nested field", with(`,"client":{"ip":"192.0.2.1","browser":"x"}`), "events[0].client.browser"),
		one("name in another case", strings.Replace(with(""), `"type"`, `"Type"`, 1), "events[0].Type"),
		one("name twice", with(`,"id":"f"`), "events[0].id"),
		one("nested name twice", with(`,"client":{"ip":"192.0.2.1","ip":"192.0.2.2"}`), "events[0].client.ip"),
		one("number for text", strings.Replace(with(""), `"m"`, `17`, 1), "events[0].message"),
		one("list for text", with(`,"subject":["a"]`), "events[0].subject"),
		one("text for object", with(`,"client":"Mozilla"`), "events[0].client"),
		one("text for truth", with(`,"client":{"automated":"yes"}`), "events[0].client.automated"),
		one("object for list", with(`,"recipients":{}`), "events[0].recipients"),
		one("text in list of people", with(`,"recipients":["jo@acme.example"]`), "events[0].recipients[0]"),
		one("deep nesting", with(`,"subject":`+strings.Repeat("[", 5000)+strings.Repeat("]", 5000)), "events[0].subject"),
		one("deep unknown", with(`,"x":`+strings.Repeat(`{"a":`, 5000)+"1"+strings.Repeat("}", 5000)), "events[0].x"),
		one("invalid UTF-8", with(`,"subject":"`+"\xff"+`"`), "events[0].subject"),
		one("half a surrogate", with(`,"subject":"\ud800"`), "events[0].subject"),
		one("no type", strings.Replace(with(""), `"type":"open",`, "", 1), "events[0].type"),
		one("no such type", strings.Replace(with(""), `"open"`, `"opened"`, 1), "events[0].type"),
		one("type in another case", strings.Replace(with(""), `"open"`, `"Open"`, 1), "events[0].type"),
		one("no message", strings.Replace(with(""), `"message":"m",`, "", 1), "events[0].message"),
		one("no time", strings.Replace(with(""), `"time":"2026-11-16T09:30:00Z",`, "", 1), "events[0].time"),
		one("null time", timed("null"), "events[0].time"),
		one("negative time", timed("-1"), "events[0].time"),
		one("time before 1970", timed(`"1969-12-31T23:59:59Z"`), "events[0].time"),
		one("far time", timed(`"2106-02-07T06:28:16Z"`), "events[0].time"),
		one("far seconds", timed("9223372036854775807"), "events[0].time"),
		one("seconds beyond 64 bits", timed("9223372036854775808"), "events[0].time"),
		one("two hours ahead", timed(`"2026-11-16T14:00:00Z"`), "events[0].time"),
		one("fraction of seconds", timed("1.5"), "events[0].time"),
		one("seconds with exponent", timed("1e9"), "events[0].time"),
		one("time without zone", timed(`"2026-11-16T09:30:00"`), "events[0].time"),
		one("time as words", timed(`"yesterday"`), "events[0].time"),
		one("no recipient", strings.Replace(with(""), `,"recipient":{"email":"jo@acme.example"}`, "", 1), "events[0].recipient"),
		one("recipient without address", strings.Replace(with(""), `"email":"jo@acme.example"`, "", 1), "events[0].recipient.email"),
		one("no address", strings.Replace(with(""), "jo@acme.example", "jo", 1), "events[0].recipient.email"),
		one("control character", strings.Replace(with(""), `"m"`, `"m\u0000"`, 1), "events[0].message"),
		one("long id", strings.Replace(with(""), `"id":"e"`, `"id":"`+long+`"`, 1), "events[0].id"),
		one("long subject", with(`,"subject":"`+long+`"`), "events[0].subject"),
		one("no address of a client", with(`,"client":{"ip":"300.1.1.1"}`), "events[0].client.ip"),
		one("bounce of an open", with(`,"bounce":{"kind":"hard"}`), "events[0].bounce"),
		one("meeting with no such start", `{"type":"meeting","time":1,"message":"m","recipient":{"email":"a@b.c"},"meeting":{"start":"soon"}}`, "events[0].meeting.start"),
		one("the second recipient", `{"type":"send","time":1,"message":"m","recipients":[{"email":"a@b.c"},{"email":""}]}`, "events[0].recipients[1].email"),
		one("a long unknown name", with(`,"`+long+`":1`), "events[0]."+long[:100]+"…"),
		{"too many recipients", post(`{"type":"send","time":1,"message":"m","recipients":[` +
			strings.TrimSuffix(strings.Repeat(`{"email":"a@b.c"},`, 1001), ",") + "]}"), 400, "events[0].recipients"},
	}
}

func bodiesAsAWhole(t *testing.T) []malformed {
	packed := gzipped(t, []byte(with("")))
	frame := zstandard(t, []byte(with("")))
	gzipIs := []string{"Content-Encoding", "gzip"}
	zstdIs := []string{"Content-Encoding", "zstd"}
	lines := []string{"Content-Type", "application/x-ndjson"}
	return []malformed{
		{"no body", post(""), 400, "body"},
		{"white space", post(" \r\n\t "), 400, "body"},
		{"no lines", posted("\n\n", lines...), 400, "body"},
		{"an empty array", post("[]"), 400, "body"},
		{"null", post("null"), 400, "events[0]"},
		{"a text", post(`"open"`), 400, "events[0]"},
		{"a number", post("17"), 400, "events[0]"},
		{"NaN", post(timed("NaN")), 400, "events[0]"},
		{"array of numbers", post("[1,2]"), 400, "events[0]"},
		{"array of arrays", post("[[" + with("") + "]]"), 400, "events[0]"},
		{"array of nulls", post("[null]"), 400, "events[0]"},
		{"array without end", post("[" + with("")), 400, "body"},
		{"array with a comma too many", post("[" + with("") + ",]"), 400, "body"},
		{"array with a comma too few", post("[" + with("") + with("") + "]"), 400, "body"},
		{"array and more", post("[" + with("") + "] []"), 400, "body"},
		{"two events in a row", post(with("") + with("")), 400, "body"},
		{"object without end", post(with("")[:40]), 400, "events[0]"},
		{"broken in the second", post("[" + with("") + `,{"type":open}]`), 400, "events[1]"},
		{"a comma too many", post(with(",")), 400, "events[0]"},
		{"single quotes", post(strings.ReplaceAll(with(""), `"`, `'`)), 400, "events[0]"},
		{"a comment", post("// hello\n" + with("")), 400, "events[0]"},
		{"a byte order mark", post("\ufeff" + with("")), 400, "events[0]"},
		{"UTF-16", post([]byte("{\x00}\x00")), 400, "events[0]"},
		{"nesting without end", post("[" + strings.Repeat("[", 1<<20)), 400, "events[0]"},
		{"one bad line", posted("what", lines...), 400, "events[0]"},
		{"lines of an array", posted("["+with("")+"]", lines...), 400, "events[0]"},
		{"no type", posted(with(""), "Content-Type", ""), 415, "header.Content-Type"},
		{"text", posted(with(""), "Content-Type", "text/plain"), 415, "header.Content-Type"},
		{"form", posted("a=b", "Content-Type", "application/x-www-form-urlencoded"), 415, "header.Content-Type"},
		{"a type that cannot be read", posted(with(""), "Content-Type", "application/json; charset"), 415, "header.Content-Type"},
		{"Latin 1", posted(with(""), "Content-Type", "application/json; charset=iso-8859-1"), 415, "header.Content-Type"},
		{"brotli", posted(with(""), "Content-Encoding", "br"), 415, "header.Content-Encoding"},
		{"twice packed", posted(gzipped(t, packed), "Content-Encoding", "gzip, gzip"), 415, "header.Content-Encoding"},
		{"no gzip", posted(with(""), gzipIs...), 400, "body"},
		{"empty gzip", posted("", gzipIs...), 400, "body"},
		{"truncated gzip", posted(packed[:len(packed)-12], gzipIs...), 400, "body"},
		{"gzip with a wrong sum", posted(append(bytes.Clone(packed[:len(packed)-8]), 0, 0, 0, 0, 0, 0, 0, 0), gzipIs...), 400, "body"},
		{"gzip and more", posted(append(bytes.Clone(packed), "more"...), gzipIs...), 400, "body"},
		{"no zstd", posted(with(""), zstdIs...), 400, "body"},
		{"truncated zstd", posted(frame[:len(frame)-6], zstdIs...), 400, "body"},
		{"gzip said to be zstd", posted(packed, zstdIs...), 400, "body"},
		{"too large", post(make([]byte, 10<<20+1)), 413, "body"},
		{"too large unpacked", posted(gzipped(t, make([]byte, 10<<20+1)), gzipIs...), 413, "body"},
		{"a gzip bomb", posted(gzipped(t, make([]byte, 64<<20)), gzipIs...), 413, "body"},
		{"a zstd bomb", posted(zstandard(t, make([]byte, 64<<20)), zstdIs...), 413, "body"},
		{"a zstd window of a gigabyte", posted([]byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa0, 1, 0, 0}, zstdIs...), 413, "body"},
	}
}

func questions() []malformed {
	ask := func(name, path, field string) malformed {
		return malformed{name, call{method: "GET", path: path}, 422, field}
	}
	doc := func(name, method, path, body, field string) malformed {
		return malformed{name, call{method: method, path: path, body: body}, 400, field}
	}
	return []malformed{
		ask("unknown parameter", "/v1/feed?colour=red", "query.colour"),
		ask("parameter in another case", "/v1/feed?Limit=1", "query.Limit"),
		ask("parameter twice", "/v1/feed?limit=1&limit=2", "query.limit"),
		ask("bad encoding of the query", "/v1/feed?q=%zz", "query"),
		ask("semicolon", "/v1/feed?q=a;limit=2", "query"),
		ask("limit 0", "/v1/feed?limit=0", "query.limit"),
		ask("limit 201", "/v1/feed?limit=201", "query.limit"),
		ask("negative limit", "/v1/feed?limit=-1", "query.limit"),
		ask("limit as a word", "/v1/feed?limit=ten", "query.limit"),
		ask("limit beyond 64 bits", "/v1/feed?limit=99999999999999999999", "query.limit"),
		ask("bad cursor", "/v1/feed?cursor=abc", "query.cursor"),
		ask("long cursor", "/v1/feed?cursor="+strings.Repeat("a", 201), "query.cursor"),
		ask("long text", "/v1/feed?q="+strings.Repeat("a", 2001), "query.q"),
		ask("text that is no UTF-8", "/v1/feed?q=%ff", "query.q"),
		ask("user that is no UTF-8", "/v1/feed?user=%ff", "query.user"),
		ask("since as a word", "/v1/feed?since=yesterday", "query.since"),
		ask("since before 1970", "/v1/feed?since=-5", "query.since"),
		ask("until beyond 2106", "/v1/feed?until=4294967296", "query.until"),
		ask("until before since", "/v1/feed?since=2000&until=1000", "query.until"),
		ask("no such type", "/v1/feed?type=open&type=opened", "query.type[1]"),
		ask("automated", "/v1/feed?automated=maybe", "query.automated"),
		ask("no such zone", "/v1/feed?tz=Mars/Olympus", "query.tz"),
		ask("zone out of the file system", "/v1/feed?tz=../../etc/passwd", "query.tz"),
		ask("the machine's zone", "/v1/feed?tz=Local", "query.tz"),
		ask("limit of statistics", "/v1/stats?limit=10", "query.limit"),
		ask("since of statistics", "/v1/stats?since=yesterday", "query.since"),
		ask("zone of statistics", "/v1/stats?tz=Mars/Olympus", "query.tz"),
		ask("no such interval", "/v1/stats?interval=month", "query.interval"),
		ask("interval twice", "/v1/stats?interval=day&interval=week", "query.interval"),
		ask("no such field", "/v1/stats?fields=totals&fields=rate", "query.fields[1]"),
		ask("fields as one", "/v1/stats?fields=totals,rates", "query.fields[0]"),
		ask("text of statistics that is no UTF-8", "/v1/stats?q=%ff", "query.q"),
		ask("no such format", "/v1/export?format=xlsx", "query.format"),
		ask("cursor of an export", "/v1/export?cursor=abc", "query.cursor"),
		ask("until of an export before since", "/v1/export?since=2000&until=1000", "query.until"),
		ask("no such type in an export", "/v1/export?type=opened", "query.type[0]"),
		ask("parameter of searches", "/v1/searches?q=a", "query.q"),
		{"name of a search with a control character", call{method: "PUT", path: "/v1/searches/a%0Ab", body: `{"q":"a"}`}, 422, "path.name"},
		{"name of a search that is too long", call{method: "DELETE", path: "/v1/searches/" + strings.Repeat("a", 201)}, 422, "path.name"},
		doc("search without a text", "PUT", "/v1/searches/a", `{}`, "body.q"),
		doc("search of spaces", "PUT", "/v1/searches/a", `{"q":"  "}`, "body.q"),
		doc("search that is too long", "PUT", "/v1/searches/a", `{"q":"`+strings.Repeat("a", 2001)+`"}`, "body.q"),
		doc("search with an owner", "PUT", "/v1/searches/a", `{"q":"a","owner":"u_bo"}`, "body.owner"),
		doc("search shared with a word", "PUT", "/v1/searches/a", `{"q":"a","shared":"yes"}`, "body.shared"),
		ask("short event id", "/v1/events/abc", "path.id"),
		ask("event id with a slash", "/v1/events/abcdefghijklmnopqrstuvab%2F", "path.id"),
		ask("event id in capitals", "/v1/events/ABCDEFGHIJKLMNOPQRSTUVABCD", "path.id"),
		ask("dead letter id", "/v1/dead-letters/17", "path.id"),
		ask("dead letter cursor", "/v1/dead-letters?cursor=17", "query.cursor"),
		ask("parameter where none is", "/v1/weeks?limit=1", "query.limit"),
		ask("parameter of health", "/healthz?verbose=1", "query.verbose"),
		{"no address to erase", call{method: "DELETE", path: "/v1/people/nobody"}, 422, "path.email"},
		{"control character in an id", call{method: "PUT", path: "/v1/users/a%0Ab", body: `{"name":"A"}`}, 422, "path.id"},
		{"boolean", call{method: "POST", path: "/v1/events?ids=maybe", body: with("")}, 422, "query.ids"},
		{"lane", call{method: "POST", path: "/v1/events?lane=slow", body: with("")}, 422, "query.lane"},
		doc("key with unknown field", "POST", "/v1/keys", `{"role":"read","admin":true}`, "body.admin"),
		doc("key with no such role", "POST", "/v1/keys", `{"role":"root"}`, "body.role"),
		doc("key without role", "POST", "/v1/keys", `{}`, "body.role"),
		doc("key as a list", "POST", "/v1/keys", `[]`, "body"),
		doc("key twice", "POST", "/v1/keys", `{"role":"read","role":"admin"}`, "body.role"),
		doc("user without name", "PUT", "/v1/users/u_ana", `{}`, "body.name"),
		doc("user with a bad address", "PUT", "/v1/users/u_ana", `{"name":"Ana","emails":["ana@acme.example","ana"]}`, "body.emails[1]"),
		doc("team with a number for a member", "PUT", "/v1/teams/t", `{"name":"T","members":["u_ana",3]}`, "body.members[1]"),
		doc("team without members", "PUT", "/v1/teams/t", `{"name":"T"}`, "body.members"),
		doc("settings of nothing", "PUT", "/v1/settings", `{}`, "body"),
		doc("zone of a workspace", "PUT", "/v1/settings", `{"workspace":{"time_zone":"Mars/Olympus"}}`, "body.workspace.time_zone"),
		doc("first day of a week", "PUT", "/v1/settings", `{"workspace":{"week_start":"friday"}}`, "body.workspace.week_start"),
		doc("reader of a key of nobody", "PUT", "/v1/settings", `{"reader":{}}`, "body.reader"),
		doc("sign in with both", "POST", "/v1/session", `{"key":"a","token":"b"}`, "body"),
		doc("sign in with neither", "POST", "/v1/session", `{}`, "body"),
		{"a large document", call{method: "PUT", path: "/v1/users/u", body: strings.Repeat(" ", 64<<10+1)}, 413, "body"},
		{"a packed document", call{method: "PUT", path: "/v1/users/u", body: "{}", header: map[string]string{"Content-Encoding": "gzip"}}, 415, "header.Content-Encoding"},
		{"a document as text", call{method: "PUT", path: "/v1/users/u", body: "{}", header: map[string]string{"Content-Type": "text/plain"}}, 415, "header.Content-Type"},
	}
}

func TestUnknownRoutesAndMethodsAreProblems(t *testing.T) {
	s := newSite(t)
	key := s.key("acme", account.RoleAdmin, "")
	for _, c := range []struct {
		method, path string
		status       int
		allow        []string
	}{
		{"GET", "/v1/nothing", 404, nil},
		{"GET", "/v1", 404, nil},
		{"GET", "/v1/feed/", 404, nil},
		{"GET", "/v1//feed", 404, nil},
		{"POST", "/", 404, nil},
		{"POST", "/v1/feed", 405, []string{"GET"}},
		{"PATCH", "/v1/events", 405, []string{"POST"}},
		{"HEAD", "/v1/events", 405, nil},
		{"DELETE", "/v1/session/", 404, nil},
		{"PUT", "/v1/session", 405, []string{"DELETE", "GET", "POST"}},
		{"BREW", "/v1/feed", 405, []string{"GET"}},
	} {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			s.in(t)
			a := s.do(call{method: c.method, path: c.path, key: key})
			if c.method != http.MethodHead { // which has no body
				a.problem(c.status)
			}
			a.is(c.status)
			allowed := strings.Split(a.header.Get("Allow"), ", ")
			for _, method := range c.allow {
				require.Contains(t, allowed, method)
			}
		})
	}
}

func TestProblemsNeverHoldNullLists(t *testing.T) {
	s := newSite(t)
	var raw map[string]any
	require.NoError(t, json.Unmarshal(s.get("", "/v1/feed").is(401).body, &raw))
	require.NotContains(t, raw, "errors")
}
