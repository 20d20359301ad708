package figures

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write golden files anew")

func ptr[T any](v T) *T { return &v }

// testPage has a bound of each kind: reached with the aim, missed, at most, of nothing, of
// a benchmark that failed, and of nothing that measures it.
func testPage() *Page {
	return &Page{
		Benchmarks: []string{"ingest", "faults", "elastic"},
		Musts: []Must{
			{Row: "P1", Benchmark: "ingest", Figure: "searchable", Unit: "events/s", Bound: 6500, Aim: ptr(20000.0)},
			{Row: "P11", Benchmark: "ingest", Figure: "bytes on disk ÷ JSON", Bound: 1.4, Most: true, Aim: ptr(0.9)},
			{Row: "P12", Benchmark: "ingest", Figure: "idle memory", Unit: "MB", Bound: 150, Most: true},
			{Row: "P10", Benchmark: "ingest", Figure: "deliveries a processor second ÷ a peer's", Bound: 1, Open: "no peer is built in"},
			{Row: "faults", Benchmark: "faults", Figure: "lost", Unit: "events", Most: true},
			{Row: "faults", Benchmark: "faults", Figure: "twice", Unit: "events", Most: true},
			{Row: "P2", Benchmark: "elastic", Figure: "of raw bulk", Bound: 0.5},
		},
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return text
}

// golden compares with a file of testdata, or writes it.
func golden(t *testing.T, name string, text []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, text, 0o644))
	}
	require.Equal(t, string(read(t, path)), string(text), name)
}

func TestAPageIsWrittenOfItsRecordAlone(t *testing.T) {
	record, err := Read(filepath.Join("testdata", "record.json"))
	require.NoError(t, err)
	page := testPage()
	document, charts, err := page.Write(record, read(t, filepath.Join("testdata", "document.md")))
	require.NoError(t, err)
	golden(t, "written.md", document)
	require.Len(t, charts, 1, "nothing of faults and elastic can be drawn")
	golden(t, "ingest.svg", charts["ingest.svg"])

	again, chartsAgain, err := page.Write(record, document)
	require.NoError(t, err)
	require.Equal(t, string(document), string(again), "what was written is written again")
	require.Equal(t, charts, chartsAgain)

	none, charts, err := page.Write(new(Record), document)
	require.NoError(t, err)
	require.Empty(t, charts)
	require.Contains(t, string(none), "Nothing was measured yet.")
	require.NotContains(t, string(none), "7,000")
	require.Contains(t, string(none), "| P1 | searchable, events/s | not measured | at least 6,500, aim 20,000 | – | not measured |")
}

func TestADocumentWithoutATableIsRefused(t *testing.T) {
	_, _, err := testPage().Write(new(Record), []byte("# Figures\n"))
	require.ErrorContains(t, err, `no line "<!-- figures: overview -->"`)
	document := string(read(t, filepath.Join("testdata", "document.md")))
	_, _, err = testPage().Write(new(Record), []byte(document[:strings.LastIndex(document, "<!-- end")]))
	require.ErrorContains(t, err, `no "<!-- end of figures -->" after "<!-- figures: elastic -->"`)
}

func TestVerdicts(t *testing.T) {
	least, most, none := Must{Bound: 6500, Aim: ptr(20000.0)}, Must{Bound: 10, Most: true}, Must{Most: true}
	for _, c := range []struct {
		must    Must
		value   float64
		ratio   *float64
		verdict string
	}{
		{least, 6500, ptr(1.0), "reached"},
		{least, 5200, ptr(0.8), "not reached: 20 % too little"},
		{least, 26000, ptr(4.0), "reached, and the aim"},
		{least, 0, ptr(0.0), "not reached: 100 % too little"},
		{most, 10, ptr(1.0), "reached"},
		{most, 5, ptr(2.0), "reached"},
		{most, 16, ptr(0.625), "not reached: 60 % too much"},
		{most, 0, nil, "reached"},
		{none, 0, nil, "reached"},
		{none, 3, nil, "3 too many"},
	} {
		require.Equal(t, c.ratio, c.must.Ratio(c.value))
		require.Equal(t, c.verdict, c.must.verdict(c.value))
	}
}

func TestNumbers(t *testing.T) {
	for value, text := range map[float64]string{
		0: "0", 1: "1", 0.5: "0.5", 1.256: "1.26", 12.34: "12.3", 99.96: "100", 123.4: "123", 9.996: "10",
		1234567: "1,234,567", -1234.5: "-1,234", 0.00123: "0.0012", 100: "100", 1000: "1,000",
	} {
		require.Equal(t, text, number(value))
	}
}
