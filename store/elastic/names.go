package elastic

import (
	"fmt"
	"strconv"
	"strings"

	"tidings/event"
)

// schema is the version of the mapping, and of the analysis of texts, that this code
// writes. 2 has numbers with commas as one word, words without their hyphens, and no
// codes that nobody types. Each has a
// template of its own, so that two versions can run side by side.
const schema = 2

// names makes and reads the names of indices.
type names struct{ prefix string }

// alias is what a week is written to and read by.
func (n names) alias(week event.Week) string { return n.prefix + "-events-" + week.String() }

// index is what a new week is kept in.
func (n names) index(week event.Week) string {
	return fmt.Sprintf("%s-events-v%d-%s", n.prefix, schema, week)
}

// template is the name of the template of new weeks, and newWeeks what it is for.
func (n names) template() string { return fmt.Sprintf("%s-events-v%d", n.prefix, schema) }
func (n names) newWeeks() string { return n.template() + "-*" }

// every is the pattern of all indices of any schema.
func (n names) every() string { return n.prefix + "-events-v*" }

// of is the pattern of all indices of a week.
func (n names) of(week event.Week) string { return n.every() + "-" + week.String() + "*" }

// next is what a week is kept in after it was built anew from the index called
// name.
func (n names) next(week event.Week, name string) string {
	_, generation, _ := strings.Cut(name, week.String()+"-g")
	number, err := strconv.Atoi(generation)
	if err != nil {
		number = 1
	}
	return fmt.Sprintf("%s-g%d", n.index(week), number+1)
}

// moving is an alias of an index that is blocked for the sake of the next one.
func (n names) moving(week event.Week) string { return n.prefix + "-moving-" + week.String() }

// week is the week that an index is of.
func (n names) week(index string) (event.Week, bool) {
	rest, ours := strings.CutPrefix(index, n.prefix+"-events-v")
	version, week, named := strings.Cut(rest, "-")
	if _, err := strconv.Atoi(version); !ours || !named || err != nil {
		return 0, false
	}
	week, _, _ = strings.Cut(week, "-g")
	parsed, err := event.ParseWeek(week)
	return parsed, err == nil
}
