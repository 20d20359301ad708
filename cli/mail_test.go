package cli_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/mailbox"
)

// sharedMail is where public mail lies beside the project, where it does.
const sharedMail = "../../shared/data/mail"

// plainMail is a mail as the files hold it.
type plainMail struct {
	From      string   `json:"from"`
	To        []string `json:"to"`
	CC        []string `json:"cc"`
	Subject   string   `json:"subject"`
	Body      string   `json:"body"`
	MessageID string   `json:"message_id"`
	InReplyTo string   `json:"in_reply_to"`
}

// address is the one that an entry ends in: in angle brackets, or all there is.
// What stands in a name, or has nothing before the @, is none.
var address = regexp.MustCompile(`<([^<>\s@"]+@[^<>\s@]+)>\s*$|^\s*([^<>\s@"]+@[^<>\s@]+)\s*$`)

// recipients are the distinct addresses that a mail names.
func (m plainMail) recipients() map[string]bool {
	found := make(map[string]bool)
	for _, field := range append(m.To, m.CC...) {
		if a := address.FindStringSubmatch(field); a != nil {
			found[strings.ToLower(a[1]+a[2])] = true
		}
	}
	return found
}

// text is all that a word of a send is found in.
func (m plainMail) text() string {
	return strings.Join(append(append([]string{m.Subject, m.Body}, m.To...), m.CC...), "\n")
}

var whole = flag.Bool("whole", false, "import all of the real mail, and not one in ten")

// readMail reads mails of the shared files, and says which files have them: the
// shared ones, or one with one mail in ten and all that is said by mail systems.
func readMail(t *testing.T) (paths []string, mails []plainMail) {
	t.Helper()
	sample, err := os.Create(filepath.Join(t.TempDir(), "mail.jsonl"))
	require.NoError(t, err)
	defer func() { require.NoError(t, sample.Close()) }()
	paths, err = filepath.Glob(filepath.Join(sharedMail, "*.jsonl.gz"))
	require.NoError(t, err)
	if len(paths) == 0 {
		t.Skip("skipped: no shared data")
	}
	for _, path := range paths {
		file, err := os.Open(path)
		require.NoError(t, err)
		unzipped, err := gzip.NewReader(file)
		require.NoError(t, err)
		lines := bufio.NewScanner(unzipped)
		lines.Buffer(nil, 16<<20)
		for n := 0; lines.Scan(); n++ {
			if !*whole && n%10 != 0 && !maybeFromSystem(lines.Bytes()) {
				continue
			}
			var mail plainMail
			require.NoError(t, json.Unmarshal(lines.Bytes(), &mail))
			if !*whole && n%10 != 0 && !mail.fromSystem() {
				continue
			}
			mails = append(mails, mail)
			_, err := sample.Write(append(lines.Bytes(), '\n'))
			require.NoError(t, err)
		}
		require.NoError(t, lines.Err())
		require.NoError(t, file.Close())
	}
	if *whole {
		return paths, mails
	}
	return []string{sample.Name()}, mails
}

// fromSystem tells mails of mail systems, which say that something was not delivered.
func (m plainMail) fromSystem() bool {
	return strings.Contains(strings.ToLower(m.From), "mailer-daemon") || strings.HasPrefix(m.Subject, "Failed mail:")
}

// maybeFromSystem sees most lines without such a mail, which then need not be read.
func maybeFromSystem(line []byte) bool {
	return bytes.Contains(line, []byte("Failed mail:")) || bytes.Contains(bytes.ToLower(line), []byte("mailer-daemon"))
}

// walk reads every page of a question.
func walk(t *testing.T, address, key string, question url.Values, visit func(kind, message string, recipients int)) {
	t.Helper()
	question.Set("limit", "200")
	question.Set("since", "1990-01-01T00:00:00Z")
	for {
		var page struct {
			Items []struct {
				Type       string `json:"type"`
				Message    string `json:"message"`
				Recipients []any  `json:"recipients"`
			} `json:"items"`
			Next *string `json:"next"`
		}
		require.NoError(t, request(http.MethodGet, "http://"+address+"/v1/feed?"+question.Encode(), key, "", nil, &page))
		for _, item := range page.Items {
			visit(item.Type, item.Message, len(item.Recipients))
		}
		if page.Next == nil {
			return
		}
		question.Set("cursor", *page.Next)
	}
}

func TestTheSharedMailIsImportedAndFound(t *testing.T) {
	t.Parallel()
	paths, mails := readMail(t)
	all := len(mails)
	mails = slices.DeleteFunc(mails, plainMail.fromSystem)
	reports := all - len(mails)
	sends, recipients, replies := 0, 0, 0
	for _, mail := range mails {
		people := mail.recipients()
		if len(people) == 0 {
			continue
		}
		sends++
		recipients += len(people)
		// A mail that says it answers itself answers nothing.
		if mail.InReplyTo != "" && mail.InReplyTo != mail.MessageID {
			replies++
		}
	}

	data := t.TempDir()
	key := createKey(t, data, "w", "admin")
	out, err := exec.Command(program(), append([]string{"import", "--data", data, "--workspace", "w", "--json"}, paths...)...).Output()
	require.NoError(t, err)
	var summary struct{ Sends, Recipients, Replies int }
	require.NoError(t, json.Unmarshal(out, &summary))
	require.Equal(t, []int{sends, recipients, replies}, []int{summary.Sends, summary.Recipients, summary.Replies})
	t.Logf("%d mails: %d sends, %d recipients, %d replies", len(mails), sends, recipients, replies)

	server := startServer(t, data, "127.0.0.1:0")
	found := map[string]int{}
	walk(t, server.address, key, url.Values{}, func(kind, _ string, people int) {
		found[kind]++
		found["recipients"] += people
	})
	// Each of them names one person.
	require.Equal(t, 5, reports)
	require.Equal(t, 5, found["bounce"]+found["custom"])
	delete(found, "bounce")
	delete(found, "custom")
	require.Equal(t, map[string]int{"send": sends, "reply": replies, "recipients": recipients}, found)

	folded := make([]string, len(mails))
	for i, mail := range mails {
		folded[i] = fold(mail.text())
	}
	words := []string{"pricing", "quantlib", "razor", "lattice", "segfault", "finance", "copyright"}
	if *whole { // few mails have it
		words = append(words, "heteroskedasticity")
	}
	for _, word := range words {
		t.Run(word, func(t *testing.T) { searchAgainstScan(t, server.address, key, word, mails, folded) })
	}
	require.NoError(t, server.stop())
}

// fold makes the same of letters that differ in case alone, as (?i) has them.
func fold(text string) string { return strings.ToLower(strings.ToUpper(text)) }

// searchAgainstScan compares the sends that a search for a word as written
// finds with those that a plain look at every mail finds. Most mails are seen not
// to have it by their folded text: an expression takes seconds for all of them.
func searchAgainstScan(t *testing.T, address, key, word string, mails []plainMail, folded []string) {
	t.Helper()
	whole := regexp.MustCompile(`(?i)(?:^|[^\pL\pN])` + word + `(?:[^\pL\pN]|$)`)
	want := map[string]bool{}
	for i, mail := range mails {
		if strings.Contains(folded[i], word) && len(mail.recipients()) > 0 && mail.MessageID != "" && whole.MatchString(mail.text()) {
			// A mail that went through a vendor is called as the vendor does.
			want[mailbox.MessageOf(strings.Trim(mail.MessageID, "<>"))] = true
		}
	}
	got := map[string]bool{}
	question := url.Values{"q": {fmt.Sprintf("%q", word)}, "type": {"send"}}
	walk(t, address, key, question, func(_, message string, _ int) { got[message] = true })
	require.NotEmpty(t, want)
	require.Equal(t, want, got)
}
