package mailbox

import (
	"io"
	"mime"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/emersion/go-message"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Bounds of the search for a mail's text.
const (
	maxDepth = 10
	maxParts = 1000
	// maxPlain is how much of a plain part is read: twice what is kept, since
	// line ends become shorter.
	maxPlain = 2 * maxText
	maxHTML  = 1 << 20
)

// textOf is the text of a message: of its first plain part, or of its first
// HTML part. What a broken part gave before it broke counts.
func textOf(entity *message.Entity) string {
	var s textSearch
	s.walk(entity, maxDepth)
	if s.plain != "" {
		return s.plain
	}
	return s.html
}

// textSearch walks the parts of a message until it has its text.
type textSearch struct {
	parts       int
	plain, html string
}

func (s *textSearch) walk(entity *message.Entity, depth int) {
	entity = repaired(entity)
	kind, params, _ := entity.Header.ContentType()
	if strings.HasPrefix(kind, "multipart/") && params["boundary"] != "" {
		if depth > 0 {
			s.walkParts(entity.MultipartReader(), kind == "multipart/alternative", depth)
		}
		return
	}
	disposition := strings.ToLower(strings.TrimSpace(entity.Header.Get("Content-Disposition")))
	if strings.HasPrefix(disposition, "attachment") {
		return
	}
	switch {
	case kind == "text/html" && s.html == "":
		s.html = htmlText(io.LimitReader(entity.Body, maxHTML))
	case kind == "text/plain" || strings.HasPrefix(kind, "multipart/"):
		// ReadAll gives what it read before an error.
		text, _ := io.ReadAll(io.LimitReader(entity.Body, maxPlain))
		s.plain = cleanBody(string(text))
	}
}

// walkParts goes through the parts of an entity. Where they are alternatives, a
// plain part is looked for behind HTML; elsewhere what comes second is
// something else, such as the footer of a list.
func (s *textSearch) walkParts(parts message.MultipartReader, alternatives bool, depth int) {
	for s.plain == "" && (s.html == "" || alternatives) && s.parts < maxParts {
		part, err := parts.NextPart()
		if part == nil {
			return
		}
		if err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
			return
		}
		s.parts++
		s.walk(part, depth-1)
	}
}

// repaired is an entity whose Content-Type can be parsed.
func repaired(entity *message.Entity) *message.Entity {
	if _, _, err := entity.Header.ContentType(); err == nil {
		return entity
	}
	var h message.Header
	h.Set("Content-Type", repairType(entity.Header.Get("Content-Type")))
	h.Set("Content-Disposition", entity.Header.Get("Content-Disposition"))
	// An unknown charset leaves the text as it is, which is what is wanted.
	again, _ := message.New(h, entity.Body)
	return again
}

var typeParameter = regexp.MustCompile(`(?i)\b(boundary|charset)\s*=\s*(?:"([^"]*)"|([^\s;"]+))`)

// repairType is a Content-Type that can be parsed: as it is, or reduced to its
// boundary and charset, or text/plain.
func repairType(given string) string {
	if _, _, err := mime.ParseMediaType(given); err == nil || given == "" {
		return given
	}
	kind, _, _ := strings.Cut(given, ";")
	params := map[string]string{}
	for _, found := range typeParameter.FindAllStringSubmatch(given, -1) {
		params[strings.ToLower(found[1])] = found[2] + found[3]
	}
	if made := mime.FormatMediaType(strings.ToLower(strings.TrimSpace(kind)), params); strings.Contains(kind, "/") && made != "" {
		return made
	}
	return "text/plain"
}

// htmlText is what a reader of HTML sees of it, roughly: a block begins a line,
// space collapses, scripts, styles and the head are left out.
func htmlText(from io.Reader) string {
	var w textWriter
	tokens := html.NewTokenizer(from)
	tokens.SetMaxBuf(maxHTML)
	hidden := atom.Atom(0)
	for w.text.Len() < maxText {
		switch tokens.Next() {
		case html.ErrorToken:
			return cleanBody(w.text.String())
		case html.TextToken:
			if hidden == 0 {
				w.words(toUTF8(string(tokens.Text())))
			}
		case html.StartTagToken:
			name, _ := tokens.TagName()
			tag := atom.Lookup(name)
			if hidden == 0 && isHidden(tag) {
				hidden = tag
			}
			w.tag(tag)
		case html.EndTagToken:
			name, _ := tokens.TagName()
			tag := atom.Lookup(name)
			if tag == hidden {
				hidden = 0
			}
			w.tag(tag)
		case html.SelfClosingTagToken:
			name, _ := tokens.TagName()
			w.tag(atom.Lookup(name))
		}
	}
	return cleanBody(w.text.String())
}

// isHidden reports whether the text within a tag is not shown. The head is not
// among them, since it is often never closed; what it holds of text is.
func isHidden(tag atom.Atom) bool {
	return tag == atom.Script || tag == atom.Style || tag == atom.Title || tag == atom.Template
}

// textWriter writes the words of HTML.
type textWriter struct {
	text strings.Builder
	// space and lines are owed before the next word.
	space bool
	lines int
}

func (w *textWriter) words(text string) {
	first, _ := utf8.DecodeRuneInString(text)
	last, _ := utf8.DecodeLastRuneInString(text)
	w.space = w.space || unicode.IsSpace(first)
	for i, word := range strings.Fields(text) {
		w.space = w.space || i > 0
		w.word(word)
	}
	w.space = w.space || unicode.IsSpace(last)
}

func (w *textWriter) word(word string) {
	switch {
	case w.text.Len() == 0:
	case w.lines > 0:
		w.text.WriteString("\n\n"[:min(w.lines, 2)])
	case w.space:
		w.text.WriteByte(' ')
	}
	w.space, w.lines = false, 0
	w.text.WriteString(word)
}

func (w *textWriter) tag(tag atom.Atom) {
	switch tag {
	case atom.Br:
		w.lines++
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Blockquote, atom.Table, atom.Ul, atom.Ol, atom.Pre:
		w.lines = max(w.lines, 2)
	case atom.Div, atom.Tr, atom.Li, atom.Hr, atom.Dt, atom.Dd, atom.Section, atom.Article, atom.Header, atom.Footer, atom.Body, atom.Html:
		w.lines = max(w.lines, 1)
	case atom.Td, atom.Th:
		w.space = true
	}
}
