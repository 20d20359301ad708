package query

// writeVerbs reads what people say for sending where it can be nothing else: "did ben
// email jo", "when did i last write to acme", "i emailed globex". Elsewhere email is what
// was sent, and write is a word.
func (p *parser) writeVerbs() {
	for i := range p.lexemes {
		verb := ""
		switch p.word(i) {
		case "email", "mail", "write", "contact", "message":
			if p.asksOfSender(i) {
				verb = "send"
			}
		case "emailed", "mailed", "wrote", "written", "contacted", "messaged":
			if p.asksOfSender(i) || p.isSender(i-1) || isAuxiliary(p.word(i-1)) && p.isSender(i-2) {
				verb = "sent"
			}
		}
		if verb == "" {
			continue
		}
		p.lexemes[i].word = verb
		if next := p.word(i + 1); next != "to" && p.startsName(i+1) {
			p.written = append(p.written, i+1)
		}
	}
}

// isAuxiliary reports whether a word stands before what was done.
func isAuxiliary(word string) bool {
	switch word {
	case "has", "have", "had", "haven't", "hasn't", "hadn't", "never", "already", "just", "last":
		return true
	}
	return false
}

// isSender reports whether the word at i is the reader or a user.
func (p *parser) isSender(i int) bool {
	switch p.word(i) {
	case "i", "we", "i've", "we've":
		return p.opts.Me != ""
	}
	if p.word(i) == "team" && (p.word(i-1) == "my" || p.word(i-1) == "our") {
		_, ok := p.mine()
		return ok // "who on my team emailed acme"
	}
	_, user := p.userAt(i, 1)
	return user
}

// asksOfSender reports whether the words before i ask what a sender did: "did ben",
// "when did i last", "have we ever".
func (p *parser) asksOfSender(i int) bool {
	k := i - 1
	switch p.word(k) {
	case "last", "ever", "already", "also", "even":
		k--
	}
	return p.isQuestion(k-1) && p.isSender(k)
}
