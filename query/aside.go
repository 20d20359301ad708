package query

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"tidings/event"
	"tidings/query/times"
)

// aside is what a text says beside its conditions: a part of the History or of the
// Table. Like a choice it exists while parsing only, and counts where it stands
// for the whole search and nowhere else.
type aside struct {
	history History
	table   Table
	order   Order
	// quiet is the time since when nothing was done, in Unix seconds.
	quiet int64
	chip  int
}

func (aside) expr() {}

// opposite is the aside that holds where this one does not, nil where there is none
// that is one range.
func (a aside) opposite() Expr {
	turn := func(least, most *int) bool {
		switch {
		case *least > 1 && *most == 0:
			*least, *most = 0, *least-1
		case *least == 0 && *most > 0:
			*least, *most = *most+1, 0
		case *least == 1 && *most == 1:
			*least, *most = 2, 0
		default:
			return false
		}
		return true
	}
	h := a.history
	if a.quiet != 0 || a.table != (Table{}) || a.order != "" || h.Pause != 0 || h.measures() {
		return nil
	}
	if h.counts() && !h.ranks() && turn(&h.Least, &h.Most) || h.ranks() && !h.counts() && turn(&h.First, &h.Last) {
		return aside{history: h, chip: a.chip}
	}
	return nil
}

// heed puts the asides into the query and the table. rest are the other conditions.
func (p *parser) heed(q *Query, asides []aside, rest []Expr) []Expr {
	for _, a := range asides {
		if a.history != (History{}) {
			both, ok := a.history.with(a.history)
			if q.History != nil {
				both, ok = q.History.with(a.history)
			}
			if !ok {
				p.note("The counts exclude one another, so nothing can match.")
			}
			q.History = &both
		}
		if a.quiet != 0 {
			q.within(Time{Until: a.quiet})
		}
		p.table = p.table.with(a.table)
		if a.order != "" {
			p.order = a.order
		}
	}
	if q.History != nil && q.History.Quiet || p.table.Limit > 0 && !asksType(rest) {
		acts := Types(ActTypes...)
		if !slices.ContainsFunc(rest, func(e Expr) bool { return reflect.DeepEqual(e, acts) }) {
			rest = append(rest, acts)
		}
	}
	return rest
}

func asksType(parts []Expr) bool {
	asks := false
	for _, part := range parts {
		walk(part, true, func(leaf Expr, _ bool) {
			k, ok := leaf.(Keyword)
			asks = asks || ok && k.Field == FieldType
		})
	}
	return asks
}

// told understands the operators of asides.
func (p *parser) told(field, lower string) meaning {
	switch field {
	case "times", "nth":
		least, most, ok := parseRange(lower)
		if !ok {
			return meaning{problem: "a number is written like 3, >3, <3 or 2..5"}
		}
		if field == "nth" {
			return ranked(least, most)
		}
		return counted(least, most)
	case "pause":
		if seconds, ok := parseSpan(strings.TrimPrefix(lower, ">")); ok && seconds > 0 {
			return paused(seconds)
		}
	case "took":
		seconds, ok := parseSpan(strings.TrimLeft(lower, "<>"))
		switch {
		case ok && seconds > 0 && strings.HasPrefix(lower, "<"):
			return tookLess(seconds)
		case ok && seconds > 0 && strings.HasPrefix(lower, ">"):
			return tookMore(seconds)
		}
	case "quiet":
		if seconds, ok := parseSpan(strings.TrimPrefix(lower, ">")); ok {
			return p.quietFor(seconds)
		}
		if at, _, ok := p.moment(strings.ToUpper(lower)); ok {
			return p.quietSince(at)
		}
	}
	return meaning{problem: "a length of time is written like <1h or >3d, with min, h, d or w"}
}

func counted(least, most int) meaning {
	return meaning{where: aside{history: History{Least: least, Most: most}}, field: "times", value: formatRange(least, most)}
}

func ranked(first, last int) meaning {
	return meaning{where: aside{history: History{First: first, Last: last}}, field: "nth", value: formatRange(first, last)}
}

func paused(seconds int64) meaning {
	return meaning{where: aside{history: History{Pause: seconds}}, field: "pause", value: ">" + formatSpan(seconds)}
}

func tookLess(seconds int64) meaning {
	return meaning{where: aside{history: History{Within: seconds}}, field: "took", value: "<" + formatSpan(seconds)}
}

func tookMore(seconds int64) meaning {
	return meaning{where: aside{history: History{From: seconds}}, field: "took", value: ">" + formatSpan(seconds)}
}

func (p *parser) quietFor(seconds int64) meaning {
	m := meaning{where: aside{history: History{Quiet: true}}, field: "quiet", value: ">" + formatSpan(seconds)}
	if seconds > 0 {
		m.where = aside{history: History{Quiet: true}, quiet: p.opts.Now.Unix() - seconds + 1}
	}
	return m
}

func (p *parser) quietSince(at time.Time) meaning {
	from, _, _ := strings.Cut(times.Period{From: p.local(at)}.String(), "/")
	return meaning{where: aside{history: History{Quiet: true}, quiet: max(1, times.Clamp(at).Unix())}, field: "quiet", value: from}
}

// maxCount bounds the numbers of counts.
const maxCount = 1_000_000

// parseRange reads 3, >3, >=3, <3, <=3, 3+ and 2..5.
func parseRange(text string) (least, most int, ok bool) {
	number := func(text string) (int, bool) {
		n, err := strconv.Atoi(text)
		return n, err == nil && n >= 0 && n <= maxCount
	}
	if from, to, found := strings.Cut(text, ".."); found {
		least, ok = number(from)
		most, also := number(to)
		return least, most, ok && also && least > 0 && most > 0
	}
	sign := text[:len(text)-len(strings.TrimLeft(text, "<>="))]
	text = strings.TrimPrefix(text, sign)
	if plus, found := strings.CutSuffix(text, "+"); found && sign == "" {
		sign, text = ">=", plus
	}
	n, ok := number(text)
	switch sign {
	case "", "=":
		return n, n, ok && n > 0
	case ">":
		return n + 1, 0, ok
	case ">=":
		return n, 0, ok && n > 0
	case "<":
		return 0, n - 1, ok && n > 1
	case "<=":
		return 0, n, ok && n > 0
	}
	return 0, 0, false
}

func formatRange(least, most int) string {
	switch {
	case most == 0:
		return ">" + strconv.Itoa(least-1)
	case least == most:
		return strconv.Itoa(least)
	case least == 0:
		return "<" + strconv.Itoa(most+1)
	}
	return strconv.Itoa(least) + ".." + strconv.Itoa(most)
}

// parseSpan reads 10min, 3h, 2d or 1w as seconds.
func parseSpan(text string) (int64, bool) {
	if minutes, found := strings.CutSuffix(text, "min"); found {
		n, err := strconv.ParseInt(minutes, 10, 32)
		return n * 60, err == nil && n >= 0
	}
	if seconds, found := strings.CutSuffix(text, "s"); found {
		n, err := strconv.ParseInt(seconds, 10, 32)
		return n, err == nil && n >= 0
	}
	return parseAge(text)
}

func formatSpan(seconds int64) string {
	switch {
	case seconds%3600 == 0:
		return formatAge(seconds)
	case seconds%60 == 0:
		return strconv.FormatInt(seconds/60, 10) + "min"
	}
	return strconv.FormatInt(seconds, 10) + "s"
}

// amountAt reads "3 days" or "an hour" at i as seconds.
func (p *parser) amountAt(i int) (int64, int) {
	a, n := p.english.times.Amount(i)
	if n == 0 {
		return 0, 0
	}
	seconds := int64(p.now.Sub(a.Before(p.now)) / time.Second)
	if seconds <= 0 {
		return 0, 0
	}
	return seconds, n
}

// hasActs reports whether the text speaks of what recipients do.
func (p *parser) hasActs() bool {
	return slices.ContainsFunc(ActTypes, func(t event.Type) bool { return p.english.types.has(t) })
}
