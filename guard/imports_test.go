package guard_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// rule is what the packages of a folder may import besides the standard
// library. Tests may import what they like.
type rule struct {
	// ours are folders, everything below them included.
	internal []string
	// outside are modules, or the beginnings of their paths.
	outside []string
}

// everything is for what puts the parts together, and for the commands.
var everything = []string{"*"}

// plain are libraries that stand beside the standard one: they reach no server
// and hold no data of ours. Each is used by one of the folders that may.
var plain = []string{
	"golang.org/x/net/", "golang.org/x/sync", "golang.org/x/text", "golang.org/x/time",
	"github.com/hashicorp/golang-lru/v2", "github.com/klauspost/compress", "github.com/go-json-experiment/json",
}

// rules are by folder; the longest that fits counts. Those that say what the
// product does know no vendor: no database, no queue, no web framework. What a
// row allows, some file of the folder uses, plain libraries aside.
var rules = map[string]rule{
	".":   {internal: []string{"cli"}},
	"app": {internal: everything, outside: everything},
	"cli": {internal: everything, outside: everything},

	// Moments between two writes, for tests.
	"crash": {},
	// Servers that go away, for tests and measurements.
	"faulty":  {outside: []string{"github.com/nats-io/nats-server/v2"}},
	"quotes":  {},
	"backoff": {},
	"panics":  {outside: []string{"golang.org/x/sync"}},
	// What an address is, is one decision for everybody (ADR 0015).
	"address": {outside: []string{"golang.org/x/net/idna", "golang.org/x/text/unicode/norm"}},
	"event":   {internal: []string{"address", "quotes"}, outside: []string{"golang.org/x/text/unicode/norm", "github.com/go-json-experiment/json"}},
	"limit":   {outside: plain},
	"deliver": {internal: []string{"deliver/crm", "deliver/webpush", "event", "outbound", "panics", "secret"}, outside: append([]string{"github.com/wneessen/go-mail"}, plain...)},
	// Writes what push services take (ADR 0056).
	"deliver/webpush": {},
	// Makes sure of something in a CRM; what it is, deliver says.
	"deliver/crm":     {internal: []string{"address", "outbound"}},
	"deliver/forward": {internal: []string{"deliver", "event", "feed", "live", "notify", "panics", "query"}},
	// The one way out to addresses that others name.
	"outbound": {},
	// Seals what may not lie in the clear; records are all that it keeps.
	"secret":  {internal: []string{"event"}},
	"tracing": {outside: []string{"go.opentelemetry.io/otel"}},
	// Query analyses text: folding and stemming.
	"query":       {internal: []string{"address", "event"}, outside: []string{"golang.org/x/text"}},
	"query/times": {},
	"verdict":     {internal: []string{"event"}},
	"tracking":    {internal: []string{"event"}},
	"indexer":     {internal: []string{"address", "backoff", "event", "verdict", "tracing"}, outside: append([]string{"go.opentelemetry.io/otel"}, plain...)},
	"feed":        {internal: []string{"event", "panics", "query"}, outside: plain},
	"live":        {internal: []string{"backoff", "event", "query"}, outside: plain},
	"notify":      {internal: []string{"address", "event", "query"}, outside: plain},
	"rollover":    {internal: []string{"event"}, outside: plain},
	"migrations":  {internal: []string{"event"}, outside: plain},
	"mailbox":     {internal: []string{"address", "event"}, outside: plain},

	"audit":   {internal: []string{"address", "event"}},
	"account": {internal: []string{"address", "event", "feed", "verdict"}, outside: plain},
	// Asks identity providers who somebody is (ADR 0032).
	"signin": {internal: []string{"account", "address", "event", "secret"}, outside: append([]string{"github.com/coreos/go-oidc/v3", "golang.org/x/oauth2"}, plain...)},
	"api": {
		internal: []string{"account", "address", "audit", "event", "query", "verdict", "tracking", "feed", "live", "limit", "notify", "api/hooks", "deliver", "outbound", "panics", "secret", "signin", "tracing"},
		outside: append([]string{
			"github.com/danielgtaylor/huma/v2", "github.com/gin-gonic/gin", "github.com/gorilla/websocket",
			"github.com/prometheus/client_golang", "go.opentelemetry.io/otel",
		}, plain...),
	},
	"api/hooks": {internal: []string{"address", "event", "mailbox"}, outside: append([]string{"github.com/expr-lang/expr", "go.yaml.in/yaml/v3"}, plain...)},

	// Adapters know the vendor they are named after and the packages whose ports
	// they serve.
	"store/sqlite": {
		internal: []string{"audit", "crash", "deliver", "event", "query", "feed", "indexer", "notify", "rollover", "migrations", "store/sqlite/columns", "store/sqlite/frames", "store/sqlite/rowids", "store/sqlite/segments", "store/erasures"},
		outside:  append([]string{"modernc.org/sqlite"}, plain...),
	},
	"store/sqlite/columns": {internal: []string{"event", "query", "feed", "store/sqlite/rowids"}},
	"store/sqlite/rowids":  {internal: []string{"event", "feed"}},
	// Formats of others, which know nothing of ours.
	"store/sqlite/frames":   {outside: []string{"github.com/klauspost/compress/huff0"}},
	"store/sqlite/segments": {},
	"store/erasures":        {internal: []string{"event"}},
	"store/elastic":         {internal: []string{"backoff", "event", "query", "feed", "migrations"}, outside: append([]string{"github.com/elastic/"}, plain...)},
	// What tests start a server with. It is imported by tests alone.
	"store/elastic/elastictest":     {outside: []string{"github.com/gofrs/flock"}},
	"store/elastic/elastictest/run": {internal: []string{"store/elastic/elastictest"}},
	"store/mongo": {
		internal: []string{"audit", "deliver", "event", "indexer", "notify", "rollover", "migrations", "store/erasures"},
		outside:  append([]string{"go.mongodb.org/mongo-driver/v2"}, plain...),
	},
	"store/mongo/mongotest": {internal: []string{"faulty"}, outside: []string{"go.mongodb.org/mongo-driver/v2", "github.com/stretchr/testify"}},
	"store/storetest":       {internal: []string{"audit", "deliver", "event", "query", "feed", "indexer", "notify", "rollover"}, outside: []string{"github.com/stretchr/testify", "pgregory.net/rapid"}},
	"stream": {
		internal: []string{"backoff", "crash", "event", "indexer", "limit", "live", "panics", "tracing"},
		outside:  append([]string{"github.com/nats-io/", "github.com/synadia-io/orbit.go/", "github.com/minio/highwayhash", "go.opentelemetry.io/otel"}, plain...),
	},

	"web":           {},
	"demo":          {internal: []string{"event"}, outside: []string{"golang.org/x/text"}},
	"bench":         {internal: everything, outside: everything},
	"bench/figures": {},
	// Only the measurements can import what is below bench/internal.
	"bench/internal/bulk":     {internal: []string{"event"}},
	"bench/internal/mutable":  {internal: []string{"bench/internal/bulk", "event", "indexer"}},
	"bench/internal/postgres": {},
	"apiclient":               {internal: []string{"event"}},
	// Builds a release with the go command.
	"deploy/release": {},
	"guard":          {},
	"guard/lint":     {outside: []string{"github.com/kkHAIKE/contextcheck", "github.com/polyfloyd/go-errorlint", "github.com/timakin/bodyclose", "golang.org/x/tools/go/analysis"}},
}

// choosers alone decide which adapter is used, and the command that starts a server
// for them is of that adapter.
var choosers = []string{"app", "bench", "cli", "store/elastic/elastictest/run"}

func TestPackagesImportWhatTheyMay(t *testing.T) {
	for _, file := range goFiles(t) {
		if file.test {
			continue
		}
		folder, ok := ruleFor(file.folder)
		if !ok {
			t.Errorf("%s: folder %q has no rule; give it one here and in ARCHITECTURE.md", file.path, file.folder)
			continue
		}
		for _, spec := range file.ast.Imports {
			path := strings.Trim(spec.Path.Value, `"`)
			if problem := forbidden(rules[folder], path); problem != "" && !within(path, module+"/"+file.folder) {
				t.Errorf("%s: imports %s: %s", file.path, path, problem)
			}
		}
	}
}

// A table that allows what nobody does says less every month.
func TestTheTableAllowsNothingThatIsNotUsed(t *testing.T) {
	files := goFiles(t)
	for _, problem := range unused(rules, files) {
		t.Error(problem)
	}
	t.Run("and can fail", func(t *testing.T) {
		table := map[string]rule{
			"event":    {internal: []string{"query"}, outside: []string{"github.com/google/uuid"}},
			"nowhere":  {},
			"tracking": {internal: []string{"event"}},
		}
		require.Len(t, unused(table, files), 3)
	})
}

// unused says what a table allows that no file does that is not a test.
func unused(table map[string]rule, files []goFile) (problems []string) {
	imports := make(map[string][]string)
	exists := make(map[string]bool)
	for _, file := range files {
		exists[file.folder] = true
		if folder, ok := ruleFor(file.folder); ok && !file.test {
			for _, spec := range file.ast.Imports {
				imports[folder] = append(imports[folder], strings.Trim(spec.Path.Value, `"`))
			}
		}
	}
	// Plain libraries are for several folders: one of them is enough.
	used := func(folder, allowed string) bool {
		for by, paths := range imports {
			if by != folder && !slices.Contains(plain, allowed) {
				continue
			}
			if slices.ContainsFunc(paths, func(path string) bool { return strings.HasPrefix(path, allowed) }) {
				return true
			}
		}
		return false
	}
	for folder, r := range table {
		if !exists[folder] {
			problems = append(problems, fmt.Sprintf("the rule of %q is for a folder without Go files", folder))
		}
		if !slices.Equal(r.internal, everything) {
			for _, internal := range r.internal {
				if !used(folder, module+"/"+internal) {
					problems = append(problems, fmt.Sprintf("%s may import %s and does not", folder, internal))
				}
			}
		}
		if !slices.Equal(r.outside, everything) {
			for _, outside := range r.outside {
				if !used(folder, outside) {
					problems = append(problems, fmt.Sprintf("%s may import %s and does not", folder, outside))
				}
			}
		}
	}
	slices.Sort(problems)
	return problems
}

func TestOnlyTheCommandsChooseAdapters(t *testing.T) {
	adapters := []string{"store/", "stream"}
	for _, file := range goFiles(t) {
		if file.test || slices.ContainsFunc(choosers, func(c string) bool { return within(file.folder, c) }) {
			continue
		}
		for _, spec := range file.ast.Imports {
			path, internal := strings.CutPrefix(strings.Trim(spec.Path.Value, `"`), module+"/")
			for _, adapter := range adapters {
				if internal && strings.HasPrefix(path, adapter) && !sameAdapter(file.folder, path) {
					t.Errorf("%s: imports the adapter %s; take a port and let app choose", file.path, path)
				}
			}
		}
	}
}

// sameAdapter reports whether two packages are parts of one adapter. What the state
// stores share belongs to each.
func sameAdapter(folder, path string) bool {
	adapter := func(folder string) string {
		parts := strings.SplitN(folder, "/", 3)
		return strings.Join(parts[:min(2, len(parts))], "/")
	}
	return adapter(folder) == adapter(path) || within(folder, "store") && path == "store/erasures"
}

// The guard itself must be able to fail.
func TestForbiddenNamesTheProblem(t *testing.T) {
	for _, c := range []struct{ name, folder, path, problem string }{
		{"the standard library", "event", "crypto/sha256", ""},
		{"a vendor in the vocabulary", "event", "github.com/google/uuid", "from outside"},
		{"a neighbour in the vocabulary", "event", "tidings/query", "of ours"},
		{"what a row names", "query", "tidings/event", ""},
		{"what is below what a row names", "api", "tidings/feed/deep", ""},
		{"what merely begins like it", "query", "tidings/events", "of ours"},
		{"a listed library", "query", "golang.org/x/text/unicode/norm", ""},
		{"a library that is not listed", "query", "golang.org/x/net/html", "from outside"},
		{"a queue in the feed", "feed", "github.com/nats-io/nats.go", "from outside"},
		{"a store in the indexer", "indexer", "tidings/store/sqlite", "of ours"},
		{"anything in the commands", "cli", "tidings/store/sqlite", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := forbidden(rules[c.folder], c.path)
			if c.problem == "" {
				require.Empty(t, got)
			} else {
				require.Contains(t, got, c.problem)
			}
		})
	}
}

// ruleFor is the longest folder with a rule that holds a folder.
func ruleFor(folder string) (string, bool) {
	for at := folder; ; {
		if _, ok := rules[at]; ok {
			return at, true
		}
		cut := strings.LastIndexByte(at, '/')
		if cut < 0 {
			return "", false
		}
		at = at[:cut]
	}
}

// forbidden says what is wrong with an import, or nothing.
func forbidden(r rule, path string) string {
	if folder, internal := strings.CutPrefix(path, module+"/"); internal {
		if slices.Equal(r.internal, everything) || slices.ContainsFunc(r.internal, func(f string) bool { return within(folder, f) }) {
			return ""
		}
		return "it may import of ours: " + list(r.internal)
	}
	first, _, _ := strings.Cut(path, "/")
	if !strings.Contains(first, ".") || slices.Equal(r.outside, everything) {
		return "" // the standard library, or a folder that may import anything
	}
	if slices.ContainsFunc(r.outside, func(m string) bool { return strings.HasPrefix(path, m) }) {
		return ""
	}
	return "it may import from outside: " + list(r.outside)
}

// within reports whether path is folder or below it.
func within(path, folder string) bool {
	return path == folder || strings.HasPrefix(path, folder+"/")
}

func list(items []string) string {
	if len(items) == 0 {
		return "nothing"
	}
	return strings.Join(items, ", ")
}
