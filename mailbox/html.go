package mailbox

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

var openTitle = regexp.MustCompile(`(?i)<title[^>]*>`)

// htmlText is what a reader of HTML sees of it, roughly: a block begins a line,
// space collapses, scripts, styles and the title are left out, and what is
// quoted has "> " before it.
func htmlText(text string) string {
	// A title that is never closed would hide all that follows it.
	if at := openTitle.FindStringIndex(text); at != nil && !strings.Contains(strings.ToLower(text[at[1]:]), "</title") {
		rest := text[at[1]:]
		if begin := strings.IndexByte(rest, '<'); begin >= 0 {
			rest = rest[begin:]
		}
		text = text[:at[0]] + rest
	}
	var w textWriter
	tokens := html.NewTokenizer(strings.NewReader(text))
	tokens.SetMaxBuf(maxHTML)
	hidden := atom.Atom(0)
	for w.text.Len() < maxText {
		switch tokens.Next() {
		case html.ErrorToken:
			return cleanBody(w.text.String())
		case html.TextToken:
			if hidden == 0 {
				w.shown(toUTF8(string(tokens.Text())))
			}
		case html.StartTagToken:
			name, hasAttr := tokens.TagName()
			tag := atom.Lookup(name)
			if hidden == 0 && isHidden(tag) {
				hidden = tag
			}
			w.tag(tag)
			w.asWritten = w.asWritten || tag == atom.Pre
			if tag == atom.Blockquote {
				w.quote(hasAttr && isCite(tokens))
			}
		case html.EndTagToken:
			name, _ := tokens.TagName()
			tag := atom.Lookup(name)
			if tag == hidden {
				hidden = 0
			}
			w.tag(tag)
			w.asWritten = w.asWritten && tag != atom.Pre
			if tag == atom.Blockquote {
				w.endQuote()
			}
		case html.SelfClosingTagToken:
			name, _ := tokens.TagName()
			w.tag(atom.Lookup(name))
		}
	}
	return cleanBody(w.text.String())
}

// isCite reports whether a blockquote quotes a mail, as mail programs write it,
// and not a page that wants an indent.
func isCite(tokens *html.Tokenizer) bool {
	for {
		key, value, more := tokens.TagAttr()
		if string(key) == "type" && strings.EqualFold(string(value), "cite") ||
			string(key) == "cite" || string(key) == "class" && strings.Contains(string(value), "quote") {
			return true
		}
		if !more {
			return false
		}
	}
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
	// quotes are the open blockquotes, each with whether it quotes a mail.
	quotes []bool
	depth  int
	// written is the depth of the line that is written.
	written int
	// asWritten says that lines end where they end in the source.
	asWritten bool
}

// maxQuotes bounds the blockquotes that are told apart.
const maxQuotes = 50

func (w *textWriter) quote(cites bool) {
	if len(w.quotes) == maxQuotes {
		return
	}
	w.quotes = append(w.quotes, cites)
	if cites {
		w.depth++
	}
}

func (w *textWriter) endQuote() {
	if len(w.quotes) == 0 {
		return
	}
	if w.quotes[len(w.quotes)-1] {
		w.depth--
	}
	w.quotes = w.quotes[:len(w.quotes)-1]
}

func (w *textWriter) shown(text string) {
	if !w.asWritten {
		w.words(text)
		return
	}
	for i, line := range strings.Split(text, "\n") {
		if i > 0 {
			w.lines++
		}
		w.words(line)
	}
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
	if w.depth != w.written {
		w.lines = max(w.lines, 1)
	}
	switch {
	case w.text.Len() == 0:
		w.mark(w.depth)
	case w.lines > 0:
		w.text.WriteByte('\n')
		if w.lines > 1 {
			w.mark(min(w.depth, w.written))
			w.text.WriteByte('\n')
		}
		w.mark(w.depth)
	case w.space:
		w.text.WriteByte(' ')
	}
	w.space, w.lines, w.written = false, 0, w.depth
	w.text.WriteString(word)
}

// mark begins a line that is quoted so many times.
func (w *textWriter) mark(depth int) {
	if depth > 0 {
		w.text.WriteString(strings.Repeat(">", depth))
		w.text.WriteByte(' ')
	}
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
