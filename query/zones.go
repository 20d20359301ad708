package query

import (
	"slices"
	"strings"

	"tidings/query/times"
)

// leaveZonesOut takes the time zone behind a time of day out of the text: "3pm EST yesterday",
// "before 9am London time". A note says that times are the reader's, where it is another.
func (p *parser) leaveZonesOut() {
	for i := 1; i < len(p.lexemes); i++ {
		n := p.zoneAt(i)
		if n == 0 {
			continue
		}
		zone := strings.TrimRight(p.text[p.lexemes[i].start:p.lexemes[i+n-1].end], ",.;:!?")
		if own, _ := p.now.Zone(); !strings.EqualFold(own, zone) {
			p.note("\"" + zone + "\" is left out: times are in your time zone.")
		}
		p.unused = append(p.unused, strings.ToLower(zone))
		p.lexemes = slices.Delete(p.lexemes, i, i+n)
	}
}

// zoneAt is how many words from i on are a time zone behind a time of day.
func (p *parser) zoneAt(i int) int {
	if !times.IsClock(p.word(i - 1)) {
		return 0
	}
	time := btoi(p.word(i+1) == "time")
	switch p.word(i) {
	case "eastern", "central", "mountain", "pacific":
		return 1 + time
	case "utc", "gmt", "bst", "cet", "cest", "eet", "eest", "est", "edt", "et", "cst", "cdt", "ct", "mst", "mdt", "mt", "pst", "pdt", "pt",
		"jst", "aest", "aedt", "mez", "mesz":
		return 1 + time
	}
	if time == 1 && p.word(i) != "" && isCapitalised(p.lexemes[i].value) {
		return 2 // "London time"
	}
	return 0
}
