package mailbox

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// mailFrom is a mail, with more fields when given.
func mailFrom(from, to, id, more string) string {
	return more + "From: " + from + "\nTo: " + to + "\nSubject: s\nDate: Tue, 10 Nov 2026 10:01:00 +0000\nMessage-ID: <" + id + ">\n\nx\n"
}

const (
	carried  = "Received: from a by b; Tue, 10 Nov 2026 10:01:00 +0000\n"
	box      = "From - Tue Nov 10 10:01:00 2026\n"
	answers1 = "In-Reply-To: <1@ours.example>\n"
)

// In each case the files are read one after the other, as one import.
func TestDirection(t *testing.T) {
	sentByAna := "sent send jo@x.example on 1@ours.example"
	for name, c := range map[string]struct {
		files [][2]string
		owner Owner
		want  []string
	}{
		"our mail and an answer to it": {
			owner: ana,
			files: [][2]string{{"a.eml", mailFrom("ana@ours.example", "jo@x.example", "1@ours.example", carried)}, {"b.eml", mailFrom("jo@x.example", "ana@ours.example", "2@x", carried+answers1)}},
			want:  []string{sentByAna, "reply reply jo@x.example on 1@ours.example"},
		},
		"mail of others is nothing of ours": {
			owner: ana, files: [][2]string{{"a.eml", mailFrom("jo@x.example", "ana@ours.example", "2@x", "")}},
			want: []string{"received"},
		},
		"an answer by Cc, to what is known": {
			owner: ana,
			files: [][2]string{{"a.eml", mailFrom("ana@ours.example", "jo@x.example", "1@ours.example", "")}, {"b.eml", mailFrom("jo@x.example", "kim@x.example", "2@x", answers1)}},
			want:  []string{sentByAna, "reply reply jo@x.example on 1@ours.example"},
		},
		"an answer of others to others": {
			owner: ana, files: [][2]string{{"b.eml", mailFrom("jo@x.example", "kim@x.example", "2@x", answers1)}},
			want: []string{"received"},
		},
		"a second mail of hers in the same thread is no answer": {
			owner: ana,
			files: [][2]string{{"a.eml", mailFrom("ana@ours.example", "jo@x.example", "1@ours.example", "")}, {"b.eml", mailFrom("ana@ours.example", "jo@x.example", "3@ours.example", answers1)}},
			want:  []string{sentByAna, "sent send jo@x.example on 3@ours.example"},
		},
		"a folder of sent mail tells whose mail the others are": {
			files: [][2]string{{"Sent.mbox", box + mailFrom("ana@ours.example", "jo@x.example", "1@ours.example", carried)}, {"Inbox.mbox", box + mailFrom("jo@x.example", "ana@ours.example", "2@x", carried+answers1)}, {"Work.mbox", box + mailFrom("ana@ours.example", "jo@x.example", "3@ours.example", carried)}},
			want:  []string{sentByAna, "reply reply jo@x.example on 1@ours.example", "sent send jo@x.example on 3@ours.example"},
		},
		"the user never rewrites an author": {
			owner: Owner{Users: ana.Users, SentUser: "ana@ours.example"},
			files: [][2]string{{"Inbox/1.eml", mailFrom("jo@x.example", "ana@ours.example", "2@x", "")}},
			want:  []string{"received"},
		},
		"Gmail's labels": {
			files: [][2]string{{"1.eml", mailFrom("ana@ours.example", "jo@x.example", "1@ours.example", "X-Gmail-Labels: Sent,Important\n")}, {"2.eml", mailFrom("jo@x.example", "ana@ours.example", "2@x", "X-Gmail-Labels: Inbox\n")}, {"3.eml", mailFrom("ana@ours.example", "jo@x.example", "4@ours", "X-Gmail-Labels: Drafts\n")}},
			want:  []string{sentByAna, "received", "draft"},
		},
		"nothing is known: a mail that no server has carried is its author's": {
			files: [][2]string{{"1.eml", mailFrom("ana@ours.example", "jo@x.example", "1@ours.example", "")}, {"2.eml", mailFrom("jo@x.example", "ana@ours.example", "2@x", carried)}, {"3.eml", mailFrom("jo@x.example", "ana@ours.example", "3@x", carried+answers1)}, {"4.eml", mailFrom("jo@x.example", "ana@ours.example", "4@x", carried+"In-Reply-To: <other@x>\n")}},
			want:  []string{sentByAna, "received", "reply reply jo@x.example on 1@ours.example", "received"},
		},
		"everybody is ours": {
			owner: Owner{Everybody: true}, files: [][2]string{{"1.eml", mailFrom("jo@x.example", "ana@ours.example", "2@x", carried)}},
			want: []string{"sent send ana@ours.example on 2@x"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, memory := t.TempDir(), NewMemory()
			for i, file := range c.files {
				path := write(t, dir, filepath.FromSlash(file[0]), []byte(file[1]))
				r := open(t, path, Options{Owner: c.owner, Memory: memory})
				record, err := r.Read()
				require.NoError(t, err)
				require.Equal(t, c.want[i], shownWithoutTime(record))
				require.Equal(t, record.Kind == Sent && len(c.owner.Users) == 0 && !c.owner.Everybody && filepath.Ext(file[0]) == ".eml" && name[0] != 'G', record.Assumed)
			}
		})
	}
}

func TestFoldersOfSentMailComeFirst(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "cur/1:2,S", []byte(mailFrom("jo@x.example", "ana@ours.example", "2@x", carried+answers1)))
	write(t, dir, ".Sent/cur/1:2,S", []byte(mailFrom("ana@ours.example", "jo@x.example", "1@ours.example", carried)))
	write(t, dir, "mh/Inbox", []byte("From a Tue Nov 10 10:01:00 2026\n"+mailFrom("jo@x.example", "ana@ours.example", "3@x", carried+"In-Reply-To: <4@ours.example>\n")))
	write(t, dir, "mh/Sent", []byte("From a Tue Nov 10 10:01:00 2026\n"+mailFrom("ana@ours.example", "jo@x.example", "4@ours.example", carried)))
	r := open(t, dir, Options{Memory: NewMemory()})
	var got []string
	for range 4 {
		record, err := r.Read()
		require.NoError(t, err)
		got = append(got, shownWithoutTime(record))
	}
	require.Equal(t, []string{
		"sent send jo@x.example on 1@ours.example", "reply reply jo@x.example on 1@ours.example",
		"sent send jo@x.example on 4@ours.example", "reply reply jo@x.example on 4@ours.example",
	}, got)
}

// Folders and labels as mail programs name them in many languages, also as IMAP servers
// write these names to disk.
func TestFoldersOfManyLanguages(t *testing.T) {
	for path, want := range map[string]Folder{
		"Maildir/.Sent Items/cur/1.a:2,S": FolderSent, "Maildir/.Gesendete Elemente/cur/1": FolderSent,
		"Maildir/.&AMk-l&AOk-ments envoy&AOk-s/cur/1": FolderSent, "Maildir/.INBOX.Verzonden/cur/1": FolderSent,
		"Maildir/.L&AOQ-hetetyt/cur/1": FolderSent, "Maildir/.Odeslan&AOE- po&AWE-ta/cur/1": FolderSent,
		"Maildir/.G&APY-nderilmi&AV8- &ANY-&AR8-eler/cur/1": FolderSent, "Maildir/.&vPSwuNO4ycDVaA-/cur/1": FolderSent,
		"Maildir/.&kAFP4W4IMH8w4TD8MOs-/cur/1": FolderSent, "ImapMail/imap.acme.example/Sent-1": "", "Mail/Local Folders/Sent": FolderSent,
		"[Gmail].sbd/Sent Mail": FolderSent, "[Gmail]/Lixeira.mbox/mbox": FolderTrash, "Apple/Sent Messages.mbox/mbox": FolderSent,
		"Maildir/.Roskakori/cur/1": FolderTrash, "Maildir/.Taslaklar/cur/1": FolderDrafts, "Maildir/.Nevy&AX4-&AOE-dan&AOE- po&AWE-ta/cur/1": FolderSpam,
		"Maildir/.Projects.Sent to print/cur/1": "", "Maildir/.Work.Drafts/cur/1": FolderDrafts, "home/ana/mail/Unsent Messages": FolderDrafts,
		"Maildir/cur/1.a:2,S": "", "Maildir/.Archive.2025/cur/1": "", "Enron/maildir/kaminski-v/_sent_mail/1.": FolderSent,
	} {
		require.Equal(t, want, FolderOfPath(path), path)
	}
	for label, want := range map[string]Kind{
		"Gesendet,Wichtig": Sent, "=?UTF-8?Q?Envoy=C3=A9s?=": Sent, "寄件備份": Sent, "보낸편지함,열림": Sent, "Gönderilmiş Postalar": Sent,
		"Αpple": Received, "Надіслані": Sent, "Luonnokset": Draft, "Çöp Kutusu": Trash, "스팸함": Spam, "Posteingang,Geöffnet": Received,
	} {
		m, err := ParseMail([]byte("X-Gmail-Labels: " + label + "\nFrom: Ana <ana@ours.example>\nTo: jo@acme.example\nSubject: s\nDate: Tue, 10 Nov 2026 10:00:00 +0000\nMessage-ID: <m@ours.example>\nReceived: x\n\nHello"))
		require.NoError(t, err)
		reading, err := Read(m, Owner{Users: map[string]string{"nobody@else.example": ""}, Now: now()})
		require.NoError(t, err)
		require.Equal(t, want, reading.Kind, label)
	}
}
