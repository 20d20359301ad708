package query

// device reads what something was opened with: "on phone", "in outlook", "mobile
// opens". Only what recipients do has a device.
func (p *parser) device(i int) (meaning, int) {
	if !p.hasActs() {
		return meaning{}, 0
	}
	switch w := p.word(i); w {
	case "on", "via", "using", "with", "from", "in", "through":
		j := i + 1
		switch p.word(j) {
		case "a", "an", "the", "my", "his", "her", "their", "your":
			j++
		}
		if device, n := p.deviceNoun(j); n > 0 && w != "in" {
			p.orDevice(j+n, p.deviceNoun)
			return keyword("device", FieldDevice, device), j + n - i
		}
		if client, n := p.clientNoun(j); n > 0 && (w != "from" || client == "apple-mail") {
			p.orDevice(j+n, p.clientNoun)
			return keyword("client", FieldClient, client), j + n - i
		}
	default:
		if i == p.english.deviceAt {
			if device, n := p.deviceNoun(i); n > 0 {
				p.orDevice(i+n, p.deviceNoun)
				return keyword("device", FieldDevice, device), n
			}
			client, n := p.clientNoun(i)
			p.orDevice(i+n, p.clientNoun)
			return keyword("client", FieldClient, client), n
		}
		device, n := p.deviceNoun(i)
		if n > 0 && p.beforeAct(i+n, p.deviceNoun) {
			p.orDevice(i+n, p.deviceNoun)
			return keyword("device", FieldDevice, device), n
		}
		client, n := p.clientNoun(i)
		if n > 0 && p.beforeAct(i+n, p.clientNoun) {
			p.orDevice(i+n, p.clientNoun)
			return keyword("client", FieldClient, client), n
		}
	}
	return meaning{}, 0
}

// beforeAct reports whether acts stand at i, perhaps behind one more device: "phone
// opens", "phone or tablet opens".
func (p *parser) beforeAct(i int, noun func(int) (string, int)) bool {
	if p.word(i) == "or" || p.word(i) == "and" || p.kindAt(i) == lexOr {
		_, n := noun(i + 1)
		if n == 0 {
			return false
		}
		i += 1 + n
	}
	return p.isAct(i) && p.nounForm(i)
}

// orDevice makes an alternative of another device or client behind "or", "and" or a
// comma before i: an event has one of each.
func (p *parser) orDevice(i int, noun func(int) (string, int)) {
	switch w := p.word(i); {
	case w == "or", w == "and", p.kindAt(i) == lexOr:
		if _, n := noun(i + 1); n > 0 {
			p.joinWith(i)
			p.english.deviceAt = i + 1
		}
	case p.endsWithComma(i - 1):
		if _, n := noun(i); n > 0 {
			p.lexemes[i].or = true
			p.english.deviceAt = i
		}
	}
}

func (p *parser) deviceNoun(i int) (string, int) {
	switch p.word(i) {
	case "phone", "phones", "cellphone", "smartphone", "smartphones", "iphone", "iphones":
		return "phone", 1
	case "android": // It is on tablets too.
		if next := p.word(i + 1); next == "phone" || next == "phones" {
			return "phone", 2
		}
	case "mobile":
		switch p.word(i + 1) {
		case "phone", "phones", "device", "devices":
			return "phone", 2
		}
		return "phone", 1
	case "tablet", "tablets", "ipad", "ipads":
		return "tablet", 1
	case "desktop", "computer", "computers", "laptop", "laptops", "pc", "mac", "macbook":
		return "computer", 1
	}
	return "", 0
}

func (p *parser) clientNoun(i int) (string, int) {
	switch w := p.word(i); w {
	case "outlook", "gmail", "thunderbird", "firefox", "chrome", "safari":
		return w, 1
	case "yahoo":
		return w, 1 + btoi(p.word(i+1) == "mail")
	case "apple":
		if p.word(i+1) == "mail" {
			return "apple-mail", 2
		}
	}
	return "", 0
}
