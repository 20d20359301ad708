package bench

import (
	"strconv"

	"tidings/event"
)

// prose is sentences of a number of words.
func (m *maker) prose(least, most int) string {
	text := m.text[:0]
	left := m.length(least, most)
	var bits uint64
	for drawn := 0; left > 0; {
		sentence := min(left, 5+m.r.IntN(16))
		left -= sentence
		for i := range sentence {
			// A random number is good for three words.
			if drawn%3 == 0 {
				bits = m.r.Uint64()
			}
			drawn++
			word := m.words.draw(bits)
			bits >>= tableBits
			if i == 0 {
				text = append(text, word[0]-'a'+'A')
				word = word[1:]
			}
			text = append(text, word...)
			text = append(text, ' ')
		}
		text[len(text)-1] = '.'
		if m.r.IntN(5) == 0 {
			text = append(text, "\n\n"...)
		} else {
			text = append(text, ' ')
		}
	}
	m.text = text
	return string(text[:len(text)-1])
}

// subject is a few words.
func (m *maker) subject() string {
	text := m.text[:0]
	for range 3 + m.r.IntN(6) {
		text = append(text, m.words.draw(m.r.Uint64())...)
		text = append(text, ' ')
	}
	text[0] -= 'a' - 'A'
	m.text = text
	return string(text[:len(text)-1])
}

// messageID is one as mail programs make them.
func (m *maker) messageID(i int) string {
	text := append(m.text[:0], 'C')
	text = m.token(text, 40)
	text = append(text, '.')
	text = strconv.AppendInt(text, int64(i), 10)
	text = append(text, "@mail.bench.example"...)
	m.text = text
	return string(text)
}

// link is one as providers rewrite them: a page, what it is counted by, and a
// signed token.
func (m *maker) link(kind string) string {
	text := append(m.text[:0], "https://links.bench.example/"...)
	text = append(text, kind...)
	text = append(text, '/')
	text = m.token(text, 300+m.r.IntN(200))
	text = append(text, "?to=https%3A%2F%2Fwww."...)
	for _, name := range []string{".example%2F", "%2F", "&utm_source=", "&utm_medium=", "&utm_campaign=", "-", "&utm_content=", "-"} {
		text = append(text, m.words.draw(m.r.Uint64())...)
		text = append(text, name...)
	}
	text = m.token(text, 24)
	text = append(text, "&sig="...)
	text = m.token(text, 86)
	m.text = text
	return string(text)
}

const tokenLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// token appends random letters, ten for each random number.
func (m *maker) token(text []byte, length int) []byte {
	for length > 0 {
		bits := m.r.Uint64()
		for range min(length, 10) {
			text = append(text, tokenLetters[bits&63])
			bits >>= 6
		}
		length -= 10
	}
	return text
}

// person is the person of a number, the same one each time.
func (m *maker) person(number int32) event.Person {
	n := uint64(number) * 0x9e3779b97f4a7c15
	first, last := firstNames[n>>32%uint64(len(firstNames))], lastNames[n>>16%uint64(len(lastNames))]
	text := append(m.text[:0], first...)
	text = append(text, '.')
	text = append(text, last...)
	text = strconv.AppendInt(text, int64(number), 10)
	text = append(text, "@company-"...)
	text = strconv.AppendInt(text, int64(number)%601, 10)
	text = append(text, ".example"...)
	email := string(text)
	text = append(text[:0], first...)
	text = append(text, ' ')
	text = append(text, last...)
	text[0] -= 'a' - 'A'
	text[len(first)+1] -= 'a' - 'A'
	m.text = text
	return event.Person{Email: email, Name: string(text)}
}

// client is a browser of somebody. One in fifty says that it is no person.
func (m *maker) client() *event.Client {
	text := m.text[:0]
	for part := range 4 {
		if part > 0 {
			text = append(text, '.')
		}
		text = strconv.AppendInt(text, int64(1+m.r.IntN(250)), 10)
	}
	m.text = text
	ip := string(text)
	text = append(text[:0], agents[m.r.IntN(len(agents))]...)
	text = strconv.AppendInt(text, int64(100+m.r.IntN(45)), 10)
	text = append(text, ".0."...)
	text = strconv.AppendInt(text, int64(m.r.IntN(8000)), 10)
	text = append(text, '.')
	text = strconv.AppendInt(text, int64(m.r.IntN(200)), 10)
	text = append(text, " Safari/537.36"...)
	m.text = text
	agent := string(text)
	c := &event.Client{IP: ip, UserAgent: &agent}
	if m.r.IntN(50) == 0 {
		yes := true
		c.Automated = &yes
	}
	return c
}
