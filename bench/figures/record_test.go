package figures

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhatWasNotMeasuredIsNull(t *testing.T) {
	var found Found
	found.Add("lost", "events", 0)
	found.Add("memory", "MB", NotMeasured())
	found.Add("ratio", "", math.Inf(1))
	path := filepath.Join(t.TempDir(), "found.json")
	require.NoError(t, found.Write(path))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.JSONEq(t, `{"figures":[{"name":"lost","unit":"events","value":0},{"name":"memory","unit":"MB","value":null},{"name":"ratio","value":null}]}`, string(text))
	again, err := ReadFound(path)
	require.NoError(t, err)
	require.Equal(t, found, again)

	var nobody *Found
	nobody.Add("lost", "events", 0)
	nobody.Version("PostgreSQL", "15")
}

func TestARecordIsOfOneMachineAndProgram(t *testing.T) {
	path := filepath.Join(t.TempDir(), "record.json")
	record, err := Read(path)
	require.NoError(t, err)
	now := Record{Program: "abc", Machine: Machine{System: "linux/amd64", CPU: "one", Cores: 2, Go: "go1.26"}}
	require.NoError(t, record.Continue(now))
	record.Put(Round{Benchmark: "ingest", Number: 1, Failed: "no disk"})
	require.False(t, record.Has("ingest", 1, false), "what failed is tried again")
	record.Put(Round{Benchmark: "ingest", Number: 1})
	require.True(t, record.Has("ingest", 1, false))
	require.False(t, record.Has("ingest", 2, false))
	require.False(t, record.Has("page", 1, false))
	require.NoError(t, record.Write(path))

	record, err = Read(path)
	require.NoError(t, err)
	require.Len(t, record.Rounds, 1)
	require.NoError(t, record.Continue(now))
	for what, change := range map[string]func(*Record){
		"program":         func(r *Record) { r.Program = "def" },
		"system":          func(r *Record) { r.Machine.System = "darwin/arm64" },
		"processor":       func(r *Record) { r.Machine.CPU = "another" },
		"number of cores": func(r *Record) { r.Machine.Cores = 4 },
		"another Go":      func(r *Record) { r.Machine.Go = "go1.27" },
	} {
		other := now
		change(&other)
		require.ErrorContains(t, record.Continue(other), what)
	}
	require.NoError(t, os.WriteFile(path, []byte("{"), 0o600))
	_, err = Read(path)
	require.Error(t, err, "a record that cannot be read is not taken for an empty one")
}

func TestRoundsOfTheWholeFormStandInPlaceOfShortOnes(t *testing.T) {
	record := new(Record)
	quick, whole := Record{Commands: [][]string{{"all", "--quick"}}}, Record{Commands: [][]string{{"all"}}}
	require.NoError(t, record.Continue(quick))
	for number := 1; number <= 3; number++ {
		record.Put(Round{Benchmark: "soak", Number: number, Short: true})
	}
	require.True(t, record.Has("soak", 1, true))
	require.False(t, record.Has("soak", 1, false))
	require.NoError(t, record.Continue(whole))
	require.NoError(t, record.Continue(whole))
	require.Equal(t, [][]string{{"all", "--quick"}, {"all"}}, record.Commands)
	record.Put(Round{Benchmark: "soak", Number: 1, Failed: "no disk"})
	measured, _ := record.of("soak")
	require.Len(t, measured, 3, "one that failed stands in place of none")
	record.Put(Round{Benchmark: "soak", Number: 1})
	measured, failed := record.of("soak")
	require.Empty(t, failed)
	require.Len(t, measured, 1)
	require.False(t, measured[0].Short)
}
