package demo

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"tidings/event"
)

// message is one mail that we send.
type message struct {
	id      string
	from    colleague
	to      []int // indices into Office.contacts
	at      time.Time
	topic   topic
	subject string
	body    string
	links   []string
	files   []string
	// depth is how many mails of the same thread came before.
	depth int
	// begun is when the first of the thread was sent.
	begun time.Time
}

// compose writes a mail about a topic.
func (o *Office) compose(r *rand.Rand, id string, from colleague, to []int, at time.Time, about topic) message {
	m := message{id: id, from: from, to: to, at: at, begun: at, topic: about}
	fill := o.filler(r, from, o.contacts[to[0]], at)
	m.subject = fill.Replace(about.subject)
	for _, path := range about.links {
		m.links = append(m.links, absolute(fill.Replace(path)))
	}
	for _, file := range about.files {
		m.files = append(m.files, fill.Replace(file))
	}
	sentences := make([]string, len(about.says))
	for i, say := range about.says {
		sentences[i] = fill.Replace(say)
	}
	m.body = o.letter(r, m, sentences)
	return m
}

// filler fills in what topics leave open.
func (o *Office) filler(r *rand.Rand, from colleague, to contact, at time.Time) *strings.Replacer {
	customer := o.companies[to.company]
	next := at.AddDate(0, 0, 1-at.Day()).AddDate(0, 1, 0)
	meets := at.AddDate(0, 0, 2+r.IntN(5))
	for meets.Weekday() == time.Saturday || meets.Weekday() == time.Sunday {
		meets = meets.AddDate(0, 0, 1)
	}
	cities := []string{"Lisbon", "Rotterdam", "Gdańsk", "Lyon", "Leeds", "Tampere", "Bologna", "Nairobi", "Osaka", "Porto", "Denver", "Kraków", "Graz", "Bilbao"}
	slug, _, _ := strings.Cut(customer.domain, ".")
	return strings.NewReplacer(
		"{company}", customer.name,
		"{slug}", slug,
		"{plan}", pick(r, []string{"Team", "Business", "Enterprise"}),
		"{seats}", strconv.Itoa(10*(3+r.IntN(40))),
		"{n}", strconv.Itoa(1+r.IntN(6)),
		"{month}", at.Month().String(),
		"{nextmonth}", next.Month().String(),
		"{year}", strconv.Itoa(next.Year()),
		"{quarter}", fmt.Sprintf("Q%d", (int(at.Month())+2)/3),
		"{weekday}", meets.Weekday().String(),
		"{city}", pick(r, cities),
		"{ticket}", strconv.Itoa(40000+int(at.Unix()/3600)%40000+r.IntN(9)),
		"{invoice}", fmt.Sprintf("HL-%d-%04d", at.Year(), 1000+r.IntN(9000)),
		"{ref}", reference(r),
		"{me}", from.firstName(),
	)
}

// letter puts a greeting before sentences and a signature behind them.
func (o *Office) letter(r *rand.Rand, m message, sentences []string) string {
	greeting := "Hello everybody"
	if len(m.to) == 1 {
		greeting = pick(r, []string{"Hi ", "Hello ", "Dear "}) + o.contacts[m.to[0]].phrase
	}
	closing := pick(r, []string{"Best regards", "Kind regards", "Many thanks", "All the best", "Speak soon"})
	return fmt.Sprintf("%s,\n\n%s\n\n%s\n%s\n\n%s\n%s, Harbourline", greeting,
		strings.Join(sentences, " "), closing, m.from.firstName(), m.from.name, m.from.title)
}

// send is the event that the mail went out.
func (o *Office) send(m message) event.Input {
	in := event.Input{
		ID: m.id + "/send", Type: event.Send, Time: moment(m.at), Message: m.id, User: m.from.id,
		Subject: m.subject, Body: m.body, Source: m.source(),
	}
	for _, to := range m.to {
		in.Recipients = append(in.Recipients, o.contacts[to].person)
	}
	return in
}

// source names the program that tells us of the mail.
func (m message) source() string {
	switch {
	case m.topic.team == support:
		return "helpdesk"
	case m.topic.news:
		return "newsletter"
	default:
		return "mail"
	}
}

// absolute is a path on our site, or the full address that it is.
func absolute(path string) string {
	if strings.HasPrefix(path, "https://") {
		return path
	}
	return "https://www." + ownDomain + path
}

// reference is a short id as programs make them.
func reference(r *rand.Rand) string {
	const letters = "abcdefghjkmnpqrstuvwxyz23456789"
	var text [8]byte
	for i := range text {
		text[i] = letters[r.IntN(len(letters))]
	}
	return string(text[:])
}

func moment(at time.Time) *event.Moment {
	m := event.Moment(at.Unix())
	return &m
}
