package mailbox

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// written is when all mails of testdata/programs were written.
const written = "2026-11-10T10:01:00Z"

// program is a mail as a mail program writes it, and what it means.
type program struct{ kind, name, want, raw string }

// programs reads testdata/programs: in each file, behind an introduction, mails
// that begin with a line "#### name | meaning".
func programs(t testing.TB) []program {
	t.Helper()
	paths, err := filepath.Glob("testdata/programs/*.txt")
	require.NoError(t, err)
	var all []program
	for _, path := range paths {
		text := strings.ReplaceAll(string(contentOf(t, path)), "\r\n", "\n")
		for _, each := range strings.Split(text, "\n#### ")[1:] {
			title, raw, _ := strings.Cut(each, "\n")
			name, want, found := strings.Cut(title, " | ")
			require.True(t, found, title)
			all = append(all, program{strings.TrimSuffix(filepath.Base(path), ".txt"), name, want, raw + "\n"})
		}
	}
	return all
}

func (p program) read(t testing.TB, ends string, owner Owner) Reading {
	t.Helper()
	m, err := ParseMail([]byte(strings.ReplaceAll(p.raw, "\n", ends)))
	require.NoError(t, err)
	owner.Now = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	reading, err := Read(m, owner)
	require.NoError(t, err)
	requireValid(t, reading.Events)
	return reading
}

var ana = Owner{Users: map[string]string{"ana@ours.example": ""}}

func TestMailPrograms(t *testing.T) {
	all := programs(t)
	perKind := make(map[string]int)
	for _, p := range all {
		perKind[p.kind]++
		t.Run(p.kind+"/"+p.name, func(t *testing.T) {
			for _, ends := range []string{"\n", "\r\n"} {
				require.Equal(t, p.want, shownWithoutTime(Record{Reading: p.read(t, ends, ana)}))
			}
		})
	}
	for kind, mails := range perKind {
		require.GreaterOrEqual(t, mails, 20, "mails of the kind %s", kind)
	}
}

// What is called a bounce, of all the mails there are, at an inbound hook: at
// least 97 % are ones, and at least 90 % of those that there are are found.
func TestBouncesAreFoundAndNothingElse(t *testing.T) {
	var found, right, real int
	for _, p := range programs(t) {
		want := strings.Contains(p.want, " bounce ")
		got := strings.Contains(shown(Record{Reading: p.read(t, "\n", Owner{Arrived: true})}), " bounce ")
		if p.name == "not a report: a bounce of somebody else's mail" {
			continue // A hook cannot tell.
		}
		if want {
			real++
		}
		if got {
			found++
		}
		if want && got {
			right++
		} else if want != got {
			t.Logf("wrong: %s", p.name)
		}
	}
	precision, complete := 100*float64(right)/float64(found), 100*float64(right)/float64(real)
	t.Logf("bounces: %d of %d found (%.1f %%), %.1f %% of what was found are ones", right, real, complete, precision)
	require.GreaterOrEqual(t, precision, 97.0)
	require.GreaterOrEqual(t, complete, 90.0)
}
