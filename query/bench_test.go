package query

import (
	"strings"
	"syscall"
	"testing"
	"time"
)

// prose is English as mails have it, about 64 KiB.
var prose = strings.Repeat(`Hello Jo, thanks for the call on Tuesday. As discussed, please find attached our `+
	`pricing proposal for the renewal of Acme's platform subscription; the figures in section three `+
	`were revised on 12 March 2026. If anything is unclear, write to ana.lopez@globex.example or reply here. `, 230)

func BenchmarkAnalyse(b *testing.B) {
	texts := map[string]string{
		"english": prose,
		"accents": strings.ReplaceAll(prose, "e", "é"),
	}
	for _, name := range []string{"english", "accents"} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(texts[name])))
			b.ReportAllocs()
			for b.Loop() {
				Analyse(texts[name])
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	text := `from:me to:jo@acme.example (type:open OR type:click) subject:"pricing proposal" -verdict:machine ` +
		`since:2026-03-05 before:2026-11-01 unopened:>3d renew* deck OR contract -draft link:docs.acme.example proposals q3`
	english := `who at acme or globex hasn't opened the pricing proposal that ana sent between 3 and 9 november, no reply since last ` +
		`monday, but not clicks on the demo link by bots, "renewal of acme", first week of october`
	opts := Options{Now: time.Unix(noon, 0), Zone: time.UTC, Me: "u_ana", Directory: names{"Ana Moreira": "u_ana"}}
	for name, line := range map[string]string{"operators": text[:200], "english": english[:200]} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			began := processorTime()
			for b.Loop() {
				Parse(line, opts)
			}
			b.ReportMetric(float64(processorTime()-began)/float64(b.N), "cpu-ns/op")
		})
	}
}

// processorTime is how long this process has computed, whatever else the machine does.
func processorTime() time.Duration {
	var used syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &used) != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func BenchmarkMatch(b *testing.B) {
	e := sendEvent()
	e.Body = prose[:2048]
	q := Parse(`type:send pricing "renewal of acme" plat* -draft`, Options{}).Query
	b.Run("document", func(b *testing.B) {
		for b.Loop() {
			NewDocument(e)
		}
	})
	b.Run("match", func(b *testing.B) {
		d := NewDocument(e)
		if !q.Match(d, nil) {
			b.Fatal("the query does not hold")
		}
		b.ReportAllocs()
		for b.Loop() {
			q.Match(d, nil)
		}
	})
}

// BenchmarkParseLongest reads the longest texts, of pieces that are hard to read.
func BenchmarkParseLongest(b *testing.B) {
	for _, piece := range []string{"not ", "except the ", "emails x ", "from acme or ", "between 3 and ", "(-", "5-"} {
		b.Run(piece, func(b *testing.B) {
			text := strings.Repeat(piece, MaxText/len(piece))
			for b.Loop() {
				Parse(text, Options{Now: time.Unix(noon, 0)})
			}
		})
	}
}

func BenchmarkNewDocument(b *testing.B) {
	e := sendEvent()
	e.Body = prose[:2048]
	b.ReportAllocs()
	for b.Loop() {
		NewDocument(e)
	}
}
