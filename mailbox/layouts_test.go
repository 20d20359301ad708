package mailbox

import (
	"archive/zip"
	"bytes"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
)

const toJo = "sent send jo@x.example on 1@ours.example"

func sentByAna() string { return mailFrom("ana@ours.example", "jo@x.example", "1@ours.example", "") }

func answerOfJo() string {
	return mailFrom("jo@x.example", "ana@ours.example", "2@x", carried+answers1)
}

// meanings are what all records of a path become, for Ana.
func meanings(t *testing.T, path string) (all []string, strays int64) {
	t.Helper()
	r := open(t, path, Options{Owner: ana, Memory: NewMemory()})
	for {
		record, err := r.Read()
		if err != nil {
			require.EqualError(t, err, "EOF")
			return all, r.Ignored().Count
		}
		all = append(all, shownWithoutTime(record))
	}
}

func TestPackedFiles(t *testing.T) {
	packed := func(name string, content []byte) string { return write(t, t.TempDir(), name, content) }
	encoder, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, encoder.Close()) }()
	var takeout bytes.Buffer
	w := zip.NewWriter(&takeout)
	for name, content := range map[string]string{
		"Takeout/Mail/All mail.mbox":     box + "X-Gmail-Labels: Sent\n" + sentByAna() + "\n" + box + "X-Gmail-Labels: Trash\n" + answerOfJo(),
		"Takeout/archive_browser.html":   "<html>",
		"Takeout/Mail/one.eml":           answerOfJo(),
		"Takeout/Mail/.hidden.eml":       "x",
		"__MACOSX/Takeout/Mail/._a.mbox": "x",
	} {
		member, err := w.Create(name)
		require.NoError(t, err)
		_, err = member.Write([]byte(content))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	for name, c := range map[string]struct {
		path   string
		want   []string
		strays int64
	}{
		"bzip2":                   {"testdata/packed/box.bz2", []string{toJo}, 0},
		"bzip2, by its bytes":     {packed("old-mail", contentOf(t, "testdata/packed/box.bz2")), []string{toJo}, 0},
		"zstd":                    {packed("box.mbox.zst", encoder.EncodeAll([]byte(box+sentByAna()), nil)), []string{toJo}, 0},
		"zstd of an eml":          {packed("a.eml.zst", encoder.EncodeAll([]byte(sentByAna()), nil)), []string{toJo}, 0},
		"a zip of Google Takeout": {packed("takeout.zip", takeout.Bytes()), []string{toJo, "trash", "reply reply jo@x.example on 1@ours.example"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			got, strays := meanings(t, c.path)
			require.Equal(t, c.want, got)
			require.Equal(t, c.strays, strays)
		})
	}
}

func TestLayoutsOfDirectories(t *testing.T) {
	emlx := fmt.Sprintf("%d\n%s<?xml version=\"1.0\"?><plist/>\n", len(sentByAna()), sentByAna())
	reply := "reply reply jo@x.example on 1@ours.example"
	for name, c := range map[string]struct {
		files  map[string]string
		want   []string
		strays int64
	}{
		"MH": {map[string]string{
			"inbox/1": answerOfJo(), "inbox/10": mailFrom("kim@x.example", "ana@ours.example", "3@x", carried), "inbox/2": sentByAna(), "inbox/.mh_sequences": "cur: 1",
		}, []string{reply, toJo, "received"}, 0},
		"Enron": {map[string]string{
			"lay-k/sent/1.": sentByAna(), "lay-k/inbox/2.": answerOfJo(), "lay-k/deleted_items/3.": answerOfJo(),
		}, []string{toJo, "trash", reply}, 0},
		"Apple Mail": {map[string]string{
			"V10/Sent.mbox/Data/Messages/1.emlx": emlx, "V10/INBOX.mbox/Data/Messages/2.eml": answerOfJo(), "V10/INBOX.mbox/Info.plist": "<plist/>",
		}, []string{toJo, reply}, 1},
		"Maildir, nested, with other files": {map[string]string{
			"cur/1:2,S": answerOfJo(), "new/2": mailFrom("kim@x.example", "ana@ours.example", "3@x", carried), "cur/3:2,ST": answerOfJo(), "tmp/4": "half",
			".Sent/cur/1:2,S": sentByAna(), ".Sent.2025/cur/1:2,S": mailFrom("ana@ours.example", "jo@x.example", "5@ours.example", ""), ".Drafts/cur/1:2,D": sentByAna(),
			".INBOX.Spam/cur/1:2,S": answerOfJo(), "dovecot.index.cache": "x", "dovecot-uidlist": "x", ".Sent/maildirfolder": "", "cur/dovecot-keywords": "x",
		}, []string{toJo, "sent send jo@x.example on 5@ours.example", reply, "received", "trash", "draft", "spam"}, 4},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "mail")
			for file, content := range c.files {
				write(t, dir, filepath.FromSlash(file), []byte(content))
			}
			got, strays := meanings(t, dir)
			require.Equal(t, c.want, got)
			require.Equal(t, c.strays, strays)
		})
	}
}
