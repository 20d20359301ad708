package app

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/audit"
	"tidings/deliver"
	"tidings/event"
	"tidings/notify"
)

var update = flag.Bool("update", false, "write the table of docs/running.md anew")

// queued is how many events wait in the queue of the directory that is damaged.
const queued = 3

// The weeks of fullDirectory.
const sealedWeek, openWeek = event.Week(2940), event.Week(2941)

// fullDirectory is madeDirectory with something in every part: n events that wait in the
// queue and as many in a week, a row of the audit log, and a secret.
func fullDirectory(t *testing.T, n int) string {
	t.Helper()
	data := madeDirectory(t)
	a := mustOpen(t, data)
	var events []event.Event
	for i := range n {
		at := openWeek.Start() + 100 + int64(i)
		events = append(events, event.Event{
			ID: event.NewID(at, "w", "api", true, fmt.Append(nil, "more", n, i)), Workspace: "w", Type: event.Open, Time: at,
			Message: "m", Source: "api", Recipient: &event.Person{Email: "jo@acme.example"}, Subject: fmt.Sprint(i, " of ", n), Body: strings.Repeat("a few words ", 200),
		})
	}
	require.NoError(t, a.Stream.Publish(t.Context(), event.LaneLive, events))
	_, err := a.Index.Create(t.Context(), events)
	require.NoError(t, err)
	_, err = a.Audit.Must(t.Context(), audit.Row{Workspace: "w", Kind: audit.KindSignIn, Actor: "user:u_jo"})
	require.NoError(t, err)
	for i := range 50 { // so that what is cut or flipped in their files is something
		at := openWeek.Start() + int64(i)
		id := event.NewID(at, "w", "api", true, fmt.Append(nil, "told", i))
		require.NoError(t, a.outbox.Add(t.Context(), []deliver.Delivery{{
			ID: fmt.Sprint("d", i), Workspace: "w", Endpoint: "crm", State: deliver.Waiting, Event: id, At: at * 1000, Due: at * 1000, Reason: strings.Repeat("why ", 100),
		}}))
		require.NoError(t, a.decisions.Add(t.Context(), []notify.Decision{{
			ID: fmt.Sprint("n", i), Workspace: "w", User: "ana", At: at * 1000, Event: id, Kind: "reply", Outcome: notify.Notified, Found: strings.Repeat("why ", 100),
		}}))
	}
	sealed, err := a.secrets.Seal(t.Context(), "w", "source", "sg", []byte("a secret"))
	require.NoError(t, err)
	raw, err := json.Marshal(sealed)
	require.NoError(t, err)
	require.NoError(t, a.State.Put(t.Context(), "w", "sealed", "sg", raw))
	require.NoError(t, a.Close())
	return data
}

// drainQueue acknowledges what waits: nothing indexes in these tests.
func drainQueue(t *testing.T, a *App) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.indexer.Run(ctx) }()
	require.NoError(t, a.awaitIndexed(t.Context()))
	cancel()
	<-ended
}

// oneFile is the only file that a pattern names below a directory.
func oneFile(t *testing.T, data, pattern string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(data, pattern))
	require.NoError(t, err)
	require.Len(t, files, 1, pattern)
	return files[0]
}

// damages are what may become of a file or a folder. other is its like in another
// directory; a folder cannot be cut and has no bytes to flip.
var damages = []struct {
	name   string
	files  bool
	damage func(t *testing.T, path, other string)
}{
	{"missing", false, func(t *testing.T, path, _ string) { require.NoError(t, os.RemoveAll(path)) }},
	{"cut in half", true, func(t *testing.T, path, _ string) {
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.NoError(t, os.Truncate(path, info.Size()/2))
	}},
	{"bytes flipped", true, func(t *testing.T, path, _ string) {
		raw, err := os.ReadFile(path)
		require.NoError(t, err)
		for i := len(raw) / 4; i < len(raw)*3/4; i++ {
			raw[i] ^= 0xff
		}
		require.NoError(t, os.WriteFile(path, raw, 0o600))
	}},
	{"empty", false, func(t *testing.T, path, _ string) {
		info, err := os.Stat(path)
		require.NoError(t, err)
		if !info.IsDir() {
			require.NoError(t, os.Truncate(path, 0))
			return
		}
		require.NoError(t, os.RemoveAll(path))
		require.NoError(t, os.Mkdir(path, 0o700))
	}},
	{"of another directory", false, func(t *testing.T, path, other string) {
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.NoError(t, os.RemoveAll(path))
		if info.IsDir() {
			require.NoError(t, os.CopyFS(path, os.DirFS(other)))
			return
		}
		raw, err := os.ReadFile(other)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, raw, 0o600))
	}},
	{"read-only", false, func(t *testing.T, path, _ string) {
		require.True(t, lock(t, path))
	}},
}

// lock makes a file, or all in a folder, read-only for everybody, root as well. It
// reports whether the system can.
func lock(t *testing.T, path string) bool {
	t.Helper()
	if exec.CommandContext(t.Context(), "chattr", "-R", "+i", path).Run() != nil {
		return false
	}
	t.Cleanup(func() {
		require.NoError(t, exec.CommandContext(context.WithoutCancel(t.Context()), "chattr", "-R", "-i", path).Run())
	})
	return true
}

// parts of a data directory, by a pattern that names one.
var directoryParts = []struct{ name, pattern string }{
	{"`identity`", "identity"},
	{"`state.db`", "state.db"},
	{"`weeks/`", "weeks"},
	{"a sealed week's file", "weeks/*.sealed.db"},
	{"an open week's file", "weeks/" + openWeek.String() + ".db"},
	{"`stream/`", "stream"},
	{"a block of the queue", "stream/jetstream/*/streams/EVENTS/msgs/1.blk"},
	{"`audit/`", "audit"},
	{"a day of the audit log", "audit/*.db"},
	{"`secrets.key`", "secrets.key"},
	{"`deliveries.db`", outboxName},
	{"`notify.db`", decisionsName},
}

// TestDamageIsNamed tries what may become of each part of a data directory, and holds
// docs/running.md to it. Nothing may begin anew without a word.
func TestDamageIsNamed(t *testing.T) {
	whole, other := fullDirectory(t, queued), fullDirectory(t, queued+2)
	cells := make([][]string, len(directoryParts))
	probe := filepath.Join(t.TempDir(), "probe")
	require.NoError(t, os.WriteFile(probe, nil, 0o600))
	canLock := lock(t, probe)
	t.Run("each", func(t *testing.T) {
		for i, part := range directoryParts {
			cells[i] = make([]string, len(damages))
			for j, each := range damages {
				t.Run(part.name+" "+each.name, func(t *testing.T) {
					t.Parallel()
					if cells[i][j] = "–"; each.name == "read-only" && !canLock {
						cells[i][j] = written(t, part.name)
						t.Skip("skipped: chattr +i is refused here, and root may write what is read-only otherwise")
					}
					data := filepath.Join(t.TempDir(), "data")
					require.NoError(t, os.CopyFS(data, os.DirFS(whole)))
					path := oneFile(t, data, part.pattern)
					if info, err := os.Stat(path); err == nil && (!each.files || !info.IsDir()) {
						each.damage(t, path, oneFile(t, other, part.pattern))
						cells[i][j] = inWords(found(t, data))
					}
				})
			}
		}
	})
	table := "| what |"
	for _, each := range damages {
		table += " " + each.name + " |"
	}
	table += "\n|" + strings.Repeat(" --- |", 1+len(damages)) + "\n"
	for i, part := range directoryParts {
		table += "| " + part.name + " | " + strings.Join(cells[i], " | ") + " |\n"
	}
	require.NotContains(t, table, "nothing was said")
	inDocument(t, "../docs/running.md", "damage", table)
}

// written is the last column of a part's row as the document has it.
func written(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile("../docs/running.md")
	require.NoError(t, err)
	for _, row := range cellsOf(string(raw)) {
		if row[0] == name {
			return row[len(row)-1]
		}
	}
	t.Fatalf("docs/running.md has no row of %s", name)
	return ""
}

// found is everything that is said of a directory: why it does not start, what
// readiness, doctor --deep and audit verify name, and what of it is gone.
func found(t *testing.T, data string) []string {
	t.Helper()
	a, err := openOn(data)
	if err != nil {
		return []string{"stops: " + strings.ReplaceAll(err.Error(), data, "DIR")}
	}
	defer func() { require.NoError(t, a.Close()) }()
	var said []string
	if err := a.sealSecrets(t.Context()); err != nil {
		said = append(said, "stops: "+err.Error())
	}
	ready := func(when string) {
		for name, err := range a.Readiness(t.Context()) {
			if err != nil && name != "live" {
				said = append(said, when+": "+err.Error())
			}
		}
	}
	if ready("ready"); len(said) > 0 {
		return said
	}
	_, err = a.WeekHealth(t.Context(), WeekHealthRequest{Deep: true})
	require.NoError(t, err)
	if ready("deep"); len(said) > 0 {
		return said
	}
	verified, err := a.CheckAudit(t.Context(), AuditCheck{})
	if err != nil || len(verified.Faults) > 0 {
		return []string{fmt.Sprint("audit: ", err, verified.Faults)}
	}
	pulled := 0
	for pulled < queued {
		deliveries, err := a.Stream.Pull(t.Context(), event.LaneLive, queued, 5*time.Second)
		require.NoError(t, err)
		for _, delivery := range deliveries {
			if e, err := delivery.Event(); err != nil || !strings.HasSuffix(e.Subject, fmt.Sprint(" of ", queued)) {
				return []string{"others' events in the queue"}
			}
		}
		if pulled += len(deliveries); len(deliveries) == 0 {
			break
		}
	}
	return []string{fmt.Sprint(pulled, " in the queue, ", held(t, a), " elsewhere")}
}

// held counts what of fullDirectory is there beside the queue: events, deliveries,
// decisions and secrets.
func held(t *testing.T, a *App) string {
	t.Helper()
	infos, err := a.Index.WeekInfos(t.Context())
	require.NoError(t, err)
	events := int64(0)
	for _, info := range infos {
		events += info.Events
	}
	deliveries, _, err := a.outbox.List(t.Context(), "w", deliver.Filter{}, "", 100)
	require.NoError(t, err)
	decisions, _, err := a.decisions.Page(t.Context(), "w", notify.Filter{}, "", 100)
	require.NoError(t, err)
	secrets, err := a.State.List(t.Context(), "w", "sealed")
	require.NoError(t, err)
	return fmt.Sprint(events, len(deliveries), len(decisions), len(secrets))
}

// phrases are how the table says what a message says.
var phrases = []struct {
	message *regexp.Regexp
	words   string
}{
	{regexp.MustCompile(`^stops: .*a block of the queue`), "the start stops; put it back, or move `stream/` away and `--begin-anew=stream`"},
	{regexp.MustCompile(`^stops: .*--begin-anew=(\S+?)[:,]`), "the start stops; put it back, restore a backup, or `--begin-anew=$1`"},
	{regexp.MustCompile(`^stops: .*delete that file`), "the start stops; delete it, and it is made again"},
	{regexp.MustCompile(`^stops: .*restore a backup into a new directory`), "the start stops; restore a backup"},
	{regexp.MustCompile(`^stops: open the key of secrets`), "the start stops; put it back, or delete it and enter the secrets again"},
	{regexp.MustCompile(`^stops: .*cannot be written .*let the user`), "the start stops, says what to do"},
	{regexp.MustCompile(`^ready: weeks/.* cannot be written`), "degraded, names the week and says what to do"},
	{regexp.MustCompile(`^ready: notify\.db`), "degraded; set aside, and who was told of what is begun anew"},
	{regexp.MustCompile(`^deep: (\w+\.db) .*--begin-anew=`), "found by night and by `doctor --deep`; then degraded, restore a backup, or `--begin-anew=$1`"},
	{regexp.MustCompile(`^ready: secrets\.key is not the file`), "degraded, names what must be entered again"},
	{regexp.MustCompile(`^ready: week .*restore --data`), "degraded, names the week; `restore --week`"},
	{regexp.MustCompile(`^ready: a block of the queue`), "degraded, says how many events are lost"},
	{regexp.MustCompile(`^deep: week .*restore --data`), "found by night and by `doctor --deep`; then degraded, `restore --week`"},
	{regexp.MustCompile(`^deep: state\.db`), "found by night and by `doctor --deep`; then degraded, restore a backup"},
	{regexp.MustCompile(`^audit: `), "`audit verify` names it"},
	{regexp.MustCompile(`^3 in the queue, 5 50 50 1 elsewhere`), "nothing is lost"},
}

func inWords(said []string) string {
	for _, phrase := range phrases {
		if at := phrase.message.FindStringSubmatchIndex(said[0]); at != nil {
			return string(phrase.message.ExpandString(nil, phrase.words, said[0], at))
		}
	}
	return "nothing was said: " + said[0]
}

// inDocument holds what stands between two marks of a document to a text.
func inDocument(t *testing.T, path, mark, text string) {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	begin, end := "<!-- "+mark+": written by a test -->\n", "<!-- end of "+mark+" -->\n"
	before, rest, found := strings.Cut(string(raw), begin)
	require.True(t, found, "%s has no %q", path, begin)
	_, after, found := strings.Cut(rest, end)
	require.True(t, found, "%s has no %q", path, end)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(before+begin+text+end+after), 0o644))
		return
	}
	require.Equal(t, cellsOf(text), cellsOf(strings.TrimSuffix(rest, end+after)), "go test ./app -run TestDamageIsNamed -update writes it")
}

// cellsOf is a table without what a formatter adds to it: padding, longer rules and
// empty lines.
func cellsOf(table string) [][]string {
	var rows [][]string
	for line := range strings.Lines(table) {
		if line = strings.Trim(line, "| \n"); line == "" {
			continue
		}
		cells := strings.Split(line, "|")
		for i, cell := range cells {
			if cells[i] = strings.TrimSpace(cell); strings.Trim(cells[i], "-") == "" {
				cells[i] = "---"
			}
		}
		rows = append(rows, cells)
	}
	return rows
}

// What was sealed by a key that is gone is missed until it was entered again.
func TestSecretsAreMissedUntilTheyAreEnteredAgain(t *testing.T) {
	data := fullDirectory(t, 1)
	require.NoError(t, os.Remove(filepath.Join(data, secretsKeyName)))
	a := mustOpen(t, data)
	defer func() { require.NoError(t, a.Close()) }()
	require.NoError(t, a.sealSecrets(t.Context()))
	require.ErrorContains(t, a.Readiness(t.Context())["secrets"], "source sg of workspace w")
	_, err := a.secrets.Seal(t.Context(), "w", "source", "sg", []byte("again"))
	require.NoError(t, err)
	require.NotContains(t, a.Readiness(t.Context()), "secrets")
}
