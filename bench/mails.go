package bench

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"tidings/event"
	"tidings/mailbox"
)

// Bounds of what is taken from mails.
const (
	// mostMails are held, some 3 KB each.
	mostMails = 50_000
	// mostLinks of a mail are clicked.
	mostLinks = 8
)

// Mails are texts, people and links that somebody really wrote, for a Load whose
// events are not to be the worst case.
type Mails struct {
	sends, replies []realMail
	words          []string
}

// realMail is what is taken of a mail.
type realMail struct {
	subject, body string
	people        []event.Person
	links         []string
}

var webAddress = regexp.MustCompile(`https?://[A-Za-z0-9./?=&%_~#+-]{4,400}`)

// ReadMails reads the mails of the files of a directory, in whatever form
// tidings import takes; what it refuses is left out.
func ReadMails(dir string) (*Mails, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read mails: %w", err)
	}
	m := &Mails{}
	seen := make(map[string]int)
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		if entry.Name() == "SOURCE.txt" {
			continue
		}
		if err := m.readFile(path, seen); err != nil {
			return nil, fmt.Errorf("read mails of %s: %w", path, err)
		}
	}
	if len(m.sends) == 0 || len(m.replies) == 0 {
		return nil, fmt.Errorf("%s has %d mails and %d answers: at least one of each is needed", dir, len(m.sends), len(m.replies))
	}
	m.words = slices.SortedFunc(maps.Keys(seen), func(a, b string) int {
		return cmp.Or(cmp.Compare(seen[b], seen[a]), strings.Compare(a, b))
	})
	m.words = m.words[:min(Vocabulary, len(m.words))]
	if len(m.words) < leastWords {
		return nil, fmt.Errorf("the mails of %s have %d different words: at least %d are needed to search for", dir, len(m.words), leastWords)
	}
	return m, nil
}

func (m *Mails) readFile(path string, seen map[string]int) error {
	reader, err := mailbox.Open(path, mailbox.Options{Owner: mailbox.Owner{Everybody: true}})
	if err != nil {
		return err
	}
	for len(m.sends)+len(m.replies) < mostMails {
		record, err := reader.Read()
		var refusal *mailbox.Refusal
		switch {
		case errors.Is(err, io.EOF):
			return reader.Close()
		case errors.As(err, &refusal):
			continue
		case err != nil:
			return errors.Join(err, reader.Close())
		}
		for _, in := range record.Events {
			m.add(in, seen)
		}
	}
	return reader.Close()
}

// add takes an event's text; an answer to another's mail is both, since it is a mail.
func (m *Mails) add(in event.Input, seen map[string]int) {
	mail := realMail{subject: in.Subject, body: in.Body, people: in.Recipients}
	if mail.body == "" {
		return
	}
	if in.Recipient != nil {
		mail.people = append(mail.people, *in.Recipient)
	}
	mail.people = mail.people[:min(5, len(mail.people))]
	switch {
	case in.Type == event.Send && len(mail.people) > 0:
		mail.links = webAddress.FindAllString(mail.body, mostLinks)
		m.sends = append(m.sends, mail)
	case in.Type == event.Reply:
		m.replies = append(m.replies, mail)
		return
	default:
		return
	}
	for word := range strings.FieldsFuncSeq(mail.body, func(r rune) bool { return !unicode.IsLetter(r) }) {
		if len(word) >= 3 && len(word) <= 20 {
			seen[strings.ToLower(word)]++
		}
	}
}

// mailed fills a send with the next mail.
func (m *maker) mailed(s *sent, in *event.Input) {
	mails := m.load.Mails.sends
	mail := &mails[m.mail%len(mails)]
	m.mail++
	s.subject, s.real = mail.subject, mail
	in.Subject, in.Body, in.Recipients = mail.subject, mail.body, mail.people
}

// told makes of a reaction what a vendor tells of it: a click names the link that was in
// the mail, an open and a delivery none, and an answer is one that somebody wrote.
func (m *maker) told(s *sent, in *event.Input) {
	in.Link = ""
	switch in.Type {
	case event.Click, event.Download:
		in.Link = "https://www.example.com/"
		if len(s.real.links) > 0 {
			in.Link = s.real.links[m.r.IntN(len(s.real.links))]
		}
	case event.Reply:
		reply := &m.load.Mails.replies[m.r.IntN(len(m.load.Mails.replies))]
		in.Body = reply.body
	}
}
