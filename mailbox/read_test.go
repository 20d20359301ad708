package mailbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

// golden is a record as the golden files show it.
type golden struct {
	Refused string        `json:"refused,omitempty"`
	Inputs  []event.Input `json:"inputs,omitempty"`
}

func requireGolden(t *testing.T, path string, records []record) {
	t.Helper()
	var shown []golden
	for _, r := range records {
		one := golden{Inputs: r.inputs}
		if r.refused != nil {
			require.ErrorIs(t, r.refused, event.ErrInvalid)
			one.Refused = strings.TrimPrefix(r.refused.Error(), "testdata/")
		}
		shown = append(shown, one)
	}
	var got bytes.Buffer
	encoder := json.NewEncoder(&got)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	require.NoError(t, encoder.Encode(shown))
	if *update {
		require.NoError(t, os.WriteFile(path, got.Bytes(), 0o600))
	}
	require.Equal(t, string(contentOf(t, path)), got.String())
}

func messages(t testing.TB) []string {
	t.Helper()
	paths, err := filepath.Glob("testdata/eml/*.eml")
	require.NoError(t, err)
	require.Greater(t, len(paths), 20)
	return paths
}

func TestMessages(t *testing.T) {
	for _, path := range messages(t) {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".eml"), func(t *testing.T) {
			requireGolden(t, strings.TrimSuffix(path, ".eml")+".golden", readAll(t, path, Options{Format: EML}))
		})
	}
}

func TestMessagesWithCRLFAreTheSame(t *testing.T) {
	for _, path := range messages(t) {
		text := contentOf(t, path)
		if bytes.Contains(text, []byte("\r")) {
			continue
		}
		withCR := write(t, t.TempDir(), "mail.eml", bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n")))
		want, got := readAll(t, path, Options{Format: EML}), readAll(t, withCR, Options{Format: EML})
		requireSame(t, want, got)
		if want[0].refused == nil {
			requireEqual(t, want, got)
		}
	}
}

func TestFilesOfSeveralRecords(t *testing.T) {
	for path, format := range map[string]Format{
		"testdata/mbox/variants.mbox": MBox,
		"testdata/events.ndjson":      NDJSON,
		"testdata/mail.jsonl":         JSONLMail,
	} {
		t.Run(filepath.Base(path), func(t *testing.T) {
			r := open(t, path, Options{})
			require.Equal(t, format, r.options.Format)
			requireGolden(t, path+".golden", readRest(t, r))
		})
	}
}

// collection makes one of each format out of the test data.
func collection(t testing.TB) map[string]string {
	t.Helper()
	dir := t.TempDir()
	made := map[string]string{
		"mbox":       write(t, dir, "all.mbox", contentOf(t, "testdata/mbox/variants.mbox")),
		"mbox crlf":  write(t, dir, "crlf.mbox", bytes.ReplaceAll(contentOf(t, "testdata/mbox/variants.mbox"), []byte("\n"), []byte("\r\n"))),
		"ndjson":     write(t, dir, "all.ndjson", contentOf(t, "testdata/events.ndjson")),
		"jsonl-mail": write(t, dir, "all.jsonl", contentOf(t, "testdata/mail.jsonl")),
		"eml":        write(t, dir, "one.eml", contentOf(t, "testdata/eml/plain.eml")),
		"maildir":    filepath.Join(dir, "Maildir"),
		"folder":     filepath.Join(dir, "folder"),
	}
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "Maildir", "tmp"), 0o700))
	for i, path := range messages(t) {
		text := contentOf(t, path)
		name := fmt.Sprintf("17948%05d.M1P1.host", i)
		sub := "new"
		if i%3 == 0 {
			sub, name = "cur", name+":2,S"
		}
		write(t, dir, filepath.Join("Maildir", sub, name), text)
		write(t, dir, filepath.Join("folder", filepath.Base(path)), text)
	}
	write(t, dir, "Maildir/tmp/17948.unfinished", []byte("From: half a ma"))
	write(t, dir, "Maildir/dovecot-uidlist", []byte("3 V1"))
	write(t, dir, "folder/README.txt", []byte("no mail"))
	return made
}

func TestReadingAgainGivesTheSame(t *testing.T) {
	for name, path := range collection(t) {
		t.Run(name, func(t *testing.T) {
			first := readAll(t, path, Options{})
			require.NotEmpty(t, first)
			requireEqual(t, first, readAll(t, path, Options{}))
		})
	}
}

func TestGzipIsTheSame(t *testing.T) {
	for name, path := range collection(t) {
		t.Run(name, func(t *testing.T) {
			plain := readAll(t, path, Options{})
			info, err := os.Stat(path)
			require.NoError(t, err)
			if info.IsDir() {
				require.NoError(t, filepath.WalkDir(path, func(file string, d os.DirEntry, err error) error {
					if err == nil && !d.IsDir() {
						err = os.WriteFile(file, zipped(t, contentOf(t, file)), 0o600)
					}
					return err
				}))
				requireEqual(t, plain, readAll(t, path, Options{}))
				return
			}
			packed := write(t, t.TempDir(), filepath.Base(path)+".gz", zipped(t, contentOf(t, path)))
			got := readAll(t, packed, Options{})
			for _, r := range got {
				if r.refused != nil {
					r.refused.Path = path
				}
			}
			requireEqual(t, plain, got)
		})
	}
}

func TestResumingAtEveryRecord(t *testing.T) {
	for name, path := range collection(t) {
		for _, packed := range []bool{false, true} {
			at := path
			if packed && !strings.Contains("maildir folder", name) {
				at = write(t, t.TempDir(), "packed.gz", zipped(t, contentOf(t, path)))
			}
			t.Run(fmt.Sprintf("%s packed=%v", name, packed), func(t *testing.T) {
				whole := readAll(t, at, Options{})
				walked := open(t, at, Options{})
				for i := 0; ; i++ {
					resumed := open(t, at, Options{})
					require.NoError(t, resumed.Resume(walked.Position()))
					require.Equal(t, walked.Position(), resumed.Position())
					require.EqualValues(t, i, resumed.Position().Records)
					requireEqual(t, whole[i:], append([]record{}, readRest(t, resumed)...))
					if _, _, end := next(t, walked); end {
						require.Len(t, whole, i)
						return
					}
				}
			})
		}
	}
}

func TestResumingWhatChangedIsRefused(t *testing.T) {
	for name, path := range collection(t) {
		t.Run(name, func(t *testing.T) {
			r := open(t, path, Options{})
			_, _, end := next(t, r)
			require.False(t, end)
			at := r.Position()
			switch name {
			case "maildir":
				write(t, path, "new/00001.first.host", contentOf(t, "testdata/eml/plain.eml"))
			case "folder":
				write(t, path, "00001.eml", contentOf(t, "testdata/eml/plain.eml"))
			case "eml":
				at.Records++
			default:
				write(t, filepath.Dir(path), filepath.Base(path), append([]byte("  \n"), contentOf(t, path)...))
			}
			require.ErrorIs(t, open(t, path, Options{}).Resume(at), event.ErrConflict)
		})
	}
}

func TestAMaildirMayMarkMailAsSeenMeanwhile(t *testing.T) {
	path := collection(t)["maildir"]
	whole := readAll(t, path, Options{})
	r := open(t, path, Options{})
	for range 5 {
		next(t, r)
	}
	unseen, err := filepath.Glob(filepath.Join(path, "new", "*"))
	require.NoError(t, err)
	for _, file := range unseen {
		require.NoError(t, os.Rename(file, filepath.Join(path, "cur", filepath.Base(file)+":2,S")))
	}
	resumed := open(t, path, Options{})
	require.NoError(t, resumed.Resume(r.Position()))
	requireSame(t, whole[5:], readRest(t, resumed))

	// A reader that listed the files before refuses what was moved, by name.
	_, refused, _ := next(t, r)
	require.Equal(t, Unreadable, refused.Code)
}

func TestDetect(t *testing.T) {
	dir := t.TempDir()
	tests := []struct {
		name, file, content string
		want                Format
	}{
		{"mbox by its bytes", "inbox", "From a@b.example Mon Nov 16 09:30:00 2026\nSubject: x\n\n", MBox},
		{"mbox by its name", "empty.mbox", "", MBox},
		{"eml by its bytes", "mail.txt", "Received: by x\nSubject: y\n\nz", EML},
		{"events by their bytes", "x.jsonl", `{"id":"1","type":"open"}`, NDJSON},
		{"events whose type comes last", "y", `{"client":{"ip":"::1"},"type":"open"}`, NDJSON},
		{"mail by its bytes", "x.ndjson", `{"subject":"a","from":"x@y.example"}`, JSONLMail},
		{"mail behind a byte order mark", "bom.json", "\ufeff" + `{"date":"2026-11-16T09:30:00Z"}`, JSONLMail},
		{"an empty file by its name", "none.jsonl.gz", "", JSONLMail},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, content := range [][]byte{[]byte(test.content), zipped(t, []byte(test.content))} {
				format, err := Detect(write(t, dir, test.file, content))
				require.NoError(t, err)
				require.Equal(t, test.want, format)
			}
		})
	}
	t.Run("a directory", func(t *testing.T) {
		format, err := Detect(dir)
		require.NoError(t, err)
		require.Equal(t, Maildir, format)
	})
	t.Run("neither", func(t *testing.T) {
		_, err := Detect(write(t, dir, "photo.png", []byte("\x89PNG\r\n")))
		require.ErrorIs(t, err, event.ErrInvalid)
	})
	t.Run("not there", func(t *testing.T) {
		_, err := Detect(filepath.Join(dir, "gone"))
		require.ErrorIs(t, err, event.ErrNotFound)
	})
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	cut := zipped(t, bytes.Repeat([]byte("From: x"), 1000))
	tests := []struct {
		name, path string
		options    Options
		kind       error
	}{
		{"an unknown format", "testdata/mail.jsonl", Options{Format: "pst"}, event.ErrInvalid},
		{"a directory without mail", dir, Options{}, event.ErrInvalid},
		{"a directory as a file", dir, Options{Format: MBox}, event.ErrInvalid},
		{"what is not there", filepath.Join(dir, "gone"), Options{Format: EML}, event.ErrNotFound},
		{"a damaged gzip header", write(t, dir, "a.gz", cut[:5]), Options{Format: MBox}, event.ErrInvalid},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Open(test.path, test.options)
			require.ErrorIs(t, err, test.kind)
		})
	}
	t.Run("ndjson without a decoder", func(t *testing.T) {
		_, err := Open("testdata/events.ndjson", Options{})
		require.ErrorContains(t, err, "decoder")
	})
}

func TestADamagedFileEndsTheReading(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{"testdata/mbox/variants.mbox", "testdata/mail.jsonl"} {
		packed := zipped(t, contentOf(t, path))
		r := open(t, write(t, dir, filepath.Base(path)+".gz", packed[:len(packed)-9]), Options{})
		var err error
		for refused := (*Refusal)(nil); err == nil || errors.As(err, &refused); {
			_, err = r.Read()
		}
		require.ErrorIs(t, err, event.ErrInvalid)
		require.NotErrorIs(t, err, io.EOF)
	}
	t.Run("a text that is no mbox", func(t *testing.T) {
		r := open(t, write(t, dir, "x.mbox", []byte("\n\nDear Jo,\n")), Options{Format: MBox})
		_, err := r.Read()
		require.ErrorIs(t, err, event.ErrInvalid)
	})
}
