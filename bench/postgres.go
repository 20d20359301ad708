package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tidings/apiclient"
	"tidings/app"
	"tidings/bench/figures"
	"tidings/bench/internal/postgres"
)

// Postgres measures the same events and pages on a PostgreSQL and on Tidings, in turns.
type Postgres struct {
	// Data is an empty directory on the disk to be measured, emptied at the end.
	Data    string
	Seed    uint64
	Weeks   int
	Events  int
	Senders int
	// Rounds is how many rounds there are, of Queries pages of each kind, and First the
	// number of the first, since it is filled first every other time.
	Rounds, Queries, First int
	// Mails is a directory of mails that are sent and answered; "" for texts that are
	// made up.
	Mails string
}

// comparedKinds are the kinds of pages that both are asked for.
var comparedKinds = []string{"workspace", "user", "type", "one word", "one rare word", "two words"}

// Rows of the table beside those of pages.
const (
	comparedIngest = "events searchable"
	comparedBytes  = "bytes on the disk"
)

func comparedPage(kind string, percentile float64) string {
	return fmt.Sprintf("page, %s, p%.0f", kind, percentile)
}

// turn is how many questions one is asked before it is the other's turn.
const turn = 25

// versus is a row of the table: what each round found of both.
type versus struct {
	name, unit        string
	postgres, tidings []float64
	// more says that more is better.
	more bool
}

// ratio is how many times better Tidings is in the medians: 1 is as good.
func (c versus) ratio() float64 {
	p, t := median(c.postgres), median(c.tidings)
	if c.more {
		return t / p
	}
	return p / t
}

func (c versus) String() string {
	of := func(rounds []float64) string {
		return fmt.Sprintf("%.4g (%.4g to %.4g)", median(rounds), slices.Min(rounds), slices.Max(rounds))
	}
	return fmt.Sprintf("| %s, %s | %s | %s | %.2f | 1 |\n", c.name, c.unit, of(c.postgres), of(c.tidings), c.ratio())
}

// better is the name of the figure that a bound is of.
func better(name string) string { return name + ": Tidings is better by" }

func (c versus) figures(found *figures.Found) {
	found.Add(c.name+": PostgreSQL", c.unit, median(c.postgres))
	found.Add(c.name+": Tidings", c.unit, median(c.tidings))
	found.Add(better(c.name), "times", c.ratio())
}

// Run measures the rounds and prints a table.
func (c *Postgres) Run(ctx context.Context, env Env) (err error) {
	if entries, err := os.ReadDir(c.Data); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s is not empty: remove it, or choose another --data", c.Data)
	}
	// Another user's PostgreSQL must get through it.
	if err := errors.Join(os.MkdirAll(c.Data, 0o700), os.Chmod(c.Data, 0o711)); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(c.Data)) }()
	machine, err := Describe(ctx, c.Data)
	if err != nil {
		return err
	}
	b := &postgresBench{Postgres: c, Env: env}
	if b.load, err = loadOf(c.Seed, c.Weeks, c.Mails); err != nil {
		return err
	}
	b.ingest = Ingest{Data: c.Data, Seed: c.Seed, Weeks: c.Weeks, Events: c.Events, Senders: c.Senders, Mails: c.Mails, Batch: 500, Every: 20_000}
	if b.posts, err = b.ingest.keepPosts(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.posts.Close()) }()
	if b.copies, err = keepCopies(ctx, c.Data, b.posts); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.copies.Close()) }()
	for round := range c.Rounds {
		fmt.Fprintf(env.Err, "round %d of %d …\n", round+1, c.Rounds)
		if err := b.round(ctx, c.First+round); err != nil {
			return err
		}
	}
	env.Found.Version("PostgreSQL", b.version)
	fmt.Fprintf(env.Out, "%s| PostgreSQL | %s |\n", machine.Markdown(), b.version)
	fmt.Fprintf(env.Out, "\n| P8, %d events, %d rounds: median (least to most) | PostgreSQL | Tidings | Tidings is better by | must be |\n| --- | --- | --- | --- | --- |\n", c.Events, c.Rounds)
	for _, row := range b.rows {
		row.figures(env.Found)
		fmt.Fprint(env.Out, row)
	}
	return nil
}

// postgresBench is one run.
type postgresBench struct {
	*Postgres
	Env
	load          Load
	ingest        Ingest
	posts, copies *keptPosts
	version       string
	rows          []*versus
	// ignored are the words that PostgreSQL's analysis of English leaves out: it finds
	// nothing for them, at no cost, so that they are not asked for.
	ignored map[string]bool
}

// ask draws a question that both look something up for.
func (b *postgresBench) ask(kind pageKind, random *rand.Rand, events Load) url.Values {
	for {
		values := kind.ask(random, events)
		if !slices.ContainsFunc(strings.Fields(values.Get("q")), func(word string) bool { return b.ignored[word] }) {
			return values
		}
	}
}

// readIgnored asks which of the frequent words are ignored.
func (b *postgresBench) readIgnored(conn *postgres.Conn) error {
	b.ignored = make(map[string]bool)
	words := make([]string, mostFrequent)
	for rank := range words {
		words[rank] = b.load.Word(rank)
	}
	return conn.Query("SELECT word FROM unnest("+postgres.Literal(postgres.Array(words))+"::text[]) word WHERE numnode(plainto_tsquery('english', word)) = 0",
		func(columns [][]byte) error {
			b.ignored[string(columns[0])] = true
			return nil
		})
}

// found adds what a round found to its row.
func (b *postgresBench) found(name, unit string, more bool, ofPostgres, ofTidings float64) {
	at := slices.IndexFunc(b.rows, func(row *versus) bool { return row.name == name })
	if at < 0 {
		at = len(b.rows)
		b.rows = append(b.rows, &versus{name: name, unit: unit, more: more})
	}
	row := b.rows[at]
	row.postgres, row.tidings = append(row.postgres, ofPostgres), append(row.tidings, ofTidings)
}

// round fills both, every other time the one first and then the other, and asks both.
func (b *postgresBench) round(ctx context.Context, number int) (err error) {
	data := filepath.Join(b.Data, fmt.Sprintf("tidings-%d", number))
	server, err := postgres.Start(ctx, filepath.Join(b.Data, fmt.Sprintf("postgres-%d", number)))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop(ctx), os.RemoveAll(data)) }()
	b.version = server.Version
	var ofPostgres tableReport
	var ofTidings ingestReport
	fills := []func() error{
		func() (err error) { ofPostgres, err = b.fillTable(ctx, server); return err },
		func() (err error) {
			ingest := b.ingest
			ingest.Data = data
			ofTidings, err = ingest.fill(ctx, b.Env, b.posts)
			return err
		},
	}
	if number%2 == 1 {
		slices.Reverse(fills)
	}
	for _, fill := range fills {
		if err := fill(); err != nil {
			return err
		}
	}
	b.found(comparedIngest, "a second", true, float64(b.Events)/ofPostgres.took.Seconds(), float64(b.Events)/ofTidings.indexed.Seconds())
	size := float64(b.posts.size)
	b.found(comparedBytes, "of their JSON", false, float64(ofPostgres.disk)/size, float64(ofTidings.disk)/size)
	return b.askBoth(ctx, server, data)
}

// askBoth times the pages of both.
func (b *postgresBench) askBoth(ctx context.Context, server *postgres.Server, data string) (err error) {
	conn, err := server.Connect(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if err := b.readIgnored(conn); err != nil {
		return err
	}
	a, err := app.Open(ctx, app.Settings{Data: data}, b.Log)
	if err != nil {
		return err
	}
	stopReading := keepReading(ctx, a)
	dial, stopServer := a.OperateInMemory()
	clients, table := make(map[string]*apiclient.Client), tablePages{conn, make(map[string]bool)}
	var answer bytes.Buffer
	for _, kind := range pageKinds {
		if err == nil && slices.Contains(comparedKinds, kind.name) {
			err = b.askKind(ctx, kind, table.ask, func(workspace string, values url.Values) (func() (int, error), error) {
				if clients[workspace] == nil {
					clients[workspace] = apiclient.Operator(dial, workspace, func() error { return nil })
				}
				answer.Reset()
				err := clients[workspace].Read(ctx, "/v1/feed?"+values.Encode(), func(body io.Reader) error {
					_, err := answer.ReadFrom(body)
					return err
				})
				return func() (int, error) {
					var page struct{ Items []struct{} }
					err := json.Unmarshal(answer.Bytes(), &page)
					return len(page.Items), err
				}, err
			})
		}
	}
	for _, client := range clients {
		err = errors.Join(err, client.Close())
	}
	return errors.Join(err, stopServer(), stopReading(), a.Close())
}

// askPage asks for a page and reads all of the answer. How many rows it has is counted
// beside the clock: what whoever asked does with an answer is nobody's time.
type askPage func(workspace string, values url.Values) (count func() (int, error), err error)

// askKind asks both the same pages of a kind, some of the one and then the same of the
// other, and throws the first turn away.
func (b *postgresBench) askKind(ctx context.Context, kind pageKind, ask ...askPage) error {
	events := b.load
	timings := []*Timing{NewTiming(), NewTiming()}
	rows := make([]int, len(ask))
	for block := 0; block*turn < b.Queries+turn; block++ {
		for at := range ask {
			which := (at + block) % len(ask)
			random := rand.New(rand.NewPCG(b.Seed, uint64(block)))
			for range turn {
				workspace := events.Workspace(int(random.ExpFloat64()*10) % 200)
				values := b.ask(kind, random, events)
				began := time.Now()
				count, err := ask[which](workspace, values)
				took := time.Since(began)
				if err != nil {
					return fmt.Errorf("%s: %w", kind.name, err)
				}
				if block > 0 {
					timings[which].Record(took)
				}
				n, err := count()
				if err != nil {
					return fmt.Errorf("%s: %w", kind.name, err)
				}
				rows[which] += n
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	fmt.Fprintf(b.Err, "%s: %d rows of PostgreSQL, %d of Tidings\n", kind.name, rows[0], rows[1])
	for _, p := range []float64{50, 99} {
		b.found(comparedPage(kind.name, p), "ms", false,
			milliseconds(timings[0].Percentile(p)), milliseconds(timings[1].Percentile(p)))
	}
	return nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// tablePages asks for pages of the tables. Each kind of question is prepared once, as Tidings
// prepares its own.
type tablePages struct {
	conn     *postgres.Conn
	prepared map[string]bool
}

// pageSQL is the page that a question asks for, with the recipients of what was sent, and
// what its parameters are.
func pageSQL(workspace string, values url.Values) (name, sql string, parameters []string) {
	name, parameters = "page", []string{workspace}
	where := "workspace = $1"
	for _, condition := range []struct{ of, name, sql string }{
		{values.Get("user"), "_user", "by = $%d"},
		{values.Get("type"), "_type", "type = $%d"},
		{values.Get("q"), "_words", "words @@ plainto_tsquery('english', $%d)"},
	} {
		if condition.of != "" {
			name += condition.name
			parameters = append(parameters, condition.of)
			where += " AND " + fmt.Sprintf(condition.sql, len(parameters))
		}
	}
	return name, strings.ReplaceAll(`SELECT event, CASE WHEN type = 'send' THEN
 (SELECT json_agg(r) FROM recipients r WHERE r.workspace = e.workspace AND r.message = e.message) END
FROM (SELECT * FROM events WHERE `+where+` ORDER BY at DESC, id DESC LIMIT 50) e`, "\n", " "), parameters
}

func (t tablePages) ask(workspace string, values url.Values) (count func() (int, error), err error) {
	name, sql, parameters := pageSQL(workspace, values)
	literals := make([]string, len(parameters))
	for i, parameter := range parameters {
		literals[i] = postgres.Literal(parameter)
	}
	if !t.prepared[name] {
		types := strings.TrimSuffix(strings.Repeat("text, ", len(parameters)), ", ")
		if err := t.conn.Query("PREPARE "+name+"("+types+") AS "+sql, nil); err != nil {
			return nil, err
		}
		t.prepared[name] = true
	}
	rows := 0
	err = t.conn.Query("EXECUTE "+name+"("+strings.Join(literals, ", ")+")", func([][]byte) error {
		rows++
		return nil
	})
	return func() (int, error) { return rows, nil }, err
}
