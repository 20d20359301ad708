package verdict

import "strings"

// agentLists tell of which lists an agent holds a text. They are looked through
// together, in one pass.
type agentLists struct {
	texts []agentText
	found *automaton
}

// agentText is one line of a list of agents.
type agentText struct {
	list int
	text string
	// first and last bind the text to the beginning and the end of an agent.
	first, last bool
	// except marks a text that hides what it touches of its list.
	except bool
}

// The lists of agents.
const (
	mailScanners = iota
	programsOfPeople
	otherMachines
	crawlers
	agentListCount
)

// holds says which lists an agent holds a text of.
type holds [agentListCount]bool

func newAgentLists(texts []agentText) *agentLists {
	plain := make([]string, len(texts))
	for i, text := range texts {
		plain[i] = text.text
	}
	return &agentLists{texts, newAutomaton(plain)}
}

// in returns the lists of which the agent holds a text that no exception
// touches.
func (l *agentLists) in(agent string) holds {
	type span struct{ list, from, to int }
	var hits, except []span
	l.found.each(agent, func(number, end int) {
		text := &l.texts[number]
		at := span{text.list, end - len(text.text), end}
		switch {
		case text.except:
			except = append(except, at)
		case (!text.first || at.from == 0) && (!text.last || at.to == len(agent)):
			hits = append(hits, at)
		}
	})
	var found holds
	for _, hit := range hits {
		free := true
		for _, other := range except {
			free = free && (hit.list != other.list || hit.to <= other.from || hit.from >= other.to)
		}
		found[hit.list] = found[hit.list] || free
	}
	return found
}

func isWord(b byte) bool {
	return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9'
}

// parseAgents reads a list of agents.
func parseAgents(list int, data string) ([]agentText, error) {
	var texts []agentText
	err := eachLine(data, func(line string) error {
		text := agentText{list: list}
		if len(line) > 1 && line[0] == '"' && line[len(line)-1] == '"' {
			line = line[1 : len(line)-1]
		}
		line, text.except = strings.CutPrefix(line, "!")
		line, text.first = strings.CutPrefix(line, "^")
		line, text.last = strings.CutSuffix(line, "$")
		if text.text = strings.ToLower(line); len(text.text) < 2 {
			return errShort
		}
		texts = append(texts, text)
		return nil
	})
	return texts, err
}

// oneProduct reports whether an agent is nothing but the name of one program,
// perhaps with its version: whatever shows a page says more, such as the system
// that it runs on.
func oneProduct(agent string) bool {
	agent, _, _ = strings.Cut(agent, ",")
	name, version, versioned := strings.Cut(agent, "/")
	if strings.ContainsFunc(name, func(r rune) bool {
		return r != ' ' && r != '-' && r != '_' && r != '.' && r != ':' && (r > 127 || !isWord(byte(r)))
	}) {
		return false
	}
	return !versioned || isVersion(version)
}

// isVersion reports whether a text is numbers between dots, up to three.
func isVersion(text string) bool {
	text = strings.TrimPrefix(strings.TrimSpace(text), "v")
	parts := strings.Split(text, ".")
	for _, part := range parts {
		if part == "" || strings.Trim(part, "0123456789") != "" {
			return false
		}
	}
	return len(parts) <= 3
}

// givesContact reports whether an agent says where to read about it or whom to
// write to, as crawlers do and what people use does not.
func givesContact(agent string) bool {
	if strings.Contains(agent, "://") || strings.Contains(agent, "www.") {
		return true
	}
	_, behind, found := strings.Cut(agent, "@")
	word := len(behind) - len(strings.TrimLeft(behind, "abcdefghijklmnopqrstuvwxyz-"))
	return found && word > 1 && word < len(behind)-1 && behind[word] == '.' && isWord(behind[word+1])
}
