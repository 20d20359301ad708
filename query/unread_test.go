package query

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestWhatIsNotUnderstoodIsSaid holds that no word is lost: what takes no part is
// named, and what negates or counts without being understood is noted.
func TestWhatIsNotUnderstoodIsSaid(t *testing.T) {
	for _, test := range []struct {
		text, chips string
		unused      []string
		notes       []string
	}{
		{"who opened the proposal", "type:open words:proposal", []string{"who", "the"}, nil},
		{"who should i call today", "words:call time:2026-11-18/2026-11-19", []string{"who", "should", "i"}, nil},
		{"opened the proposal twice", "type:open words:proposal times:2", []string{"the"}, nil},
		{"emailed the proposal twice", "words:emailed words:proposal words:twice", []string{"the"}, []string{`Not understood, and searched for as words: "twice".`}},
		{"opened more than 3 times", "type:open times:>3", nil, nil},
		{"opened 3 times a day", "type:open words:3 words:times words:day", []string{"a"}, []string{`Not understood, and searched for as words: "times".`}},
		{"who hasn't signed the contract", "words:signed words:contract", []string{"who", "hasn't", "the"}, []string{`"hasn't" is left out: what it negates is not understood.`}},
		{"replied within an hour", "type:reply took:<1h", nil, nil},
		{"opens by country", "type:open words:country", []string{"by"}, []string{`Not understood, and searched for as words: "by country".`}},
		{"\U0001F389 opens", "type:open", []string{"\U0001F389"}, []string{"\"\U0001F389\" has no letter or digit and is not searched for."}},
		{"opens yesterday since:2026-11-18", "type:open time:2026-11-17/2026-11-18 time:2026-11-18/..", nil, []string{"The times exclude one another, so nothing can match."}},
		{"type:click is:unopened", "type:click is:unopened", nil, []string{"Only sends have recipients in a state, so nothing can match."}},
		{"type:open without clicks", "type:open -is:clicked", nil, []string{"Only sends have recipients in a state, so nothing can match."}},
		{"opens without clicks", "is:opened -is:clicked", nil, nil},
		{"opened by two people at acme", "type:open words:two to:acme", []string{"by", "people"}, []string{`Not understood, and searched for as words: "two".`}},
		{"half of acme opened", "words:half words:acme type:open", []string{"of"}, []string{`Not understood, and searched for as words: "half".`}},
		{"opens at 3pm EST yesterday", "type:open time:2026-11-17T15:00/2026-11-17T16:00", []string{"est"}, []string{`"EST" is left out: times are in your time zone.`}},
		{"opens at 3pm London time", "type:open time:2026-11-17T15:00/2026-11-17T16:00", []string{"london time"}, []string{`"London time" is left out: times are in your time zone.`}},
		{"opens at 3pm UTC", "type:open time:2026-11-17T15:00/2026-11-17T16:00", []string{"utc"}, nil},
		{"clicked within an hour of opening", "type:click", []string{"within an hour of opening"}, []string{`"within an hour of opening" is left out: only the time since a mail was sent is measured.`}},
		{"opened and unsubscribed", "type:open~1 type:unsubscribe~1", []string{"and"}, []string{`"opened and unsubscribed" is read as either of them: whether one person did both is not looked at.`}},
		{"opened but hasn't booked a meeting", "type:open -type:meeting", []string{"but"}, []string{`"hasn't booked" leaves those events out: who has not done so is not known.`}},
		{"clicked by everyone", "type:click", []string{"by", "everyone"}, []string{`"everyone" is left out: whether all did so is known of opens alone.`}},
		{"replied the same day", "type:reply words:same words:day", []string{"the"}, []string{`Not understood, and searched for as words: "same day".`}},
		{"no reply in 10 business days", "is:unreplied words:10 words:business words:days", []string{"in"}, []string{`Not understood, and searched for as words: "business days".`}},
		{"who hasn't opened and clicked", "-is:clicked", []string{"who"}, []string{`"not both" is read as not "clicked": whether they "opened" is not looked at.`}},
		{"nobody opened and clicked", "-is:opened -is:clicked", nil, []string{`"and clicked" is read as or: that nobody did both is not looked at.`}},
		{"clciks", "type:click", nil, []string{`"clciks" is read as clicks.`}},
		{"opened all my mails", "type:open from:u_ana", []string{"all"}, []string{`"all" is left out: whether somebody did so with every mail is not searched for.`}},
		{"opens before 8am this week", "type:open time:2026-11-18/2026-11-18T08:00 time:2026-11-16/2026-11-23", nil, []string{`"before 8am" is that time of one day; hours of every day are not searched for.`}},
		{"opens between 9 and 5", "type:open words:between words:9 words:5", []string{"and"}, []string{`Not understood, and searched for as words: "between 9".`}},
		{"this time last year", "words:time time:2025-01-01/2026-01-01", []string{"this"}, []string{`Not understood, and searched for as words: "this time".`}},
		{"since easter", "words:since words:easter", nil, []string{`Not understood, and searched for as words: "since".`}},
		{"has:attachment", "words:has:attachment", nil, []string{"has: is no operator here, and is searched for as text."}},
		{"from:ana,,ben", "from:ana,,ben", nil, []string{"from:ana,,ben finds nothing unless that is a user's id: no user or team has this name."}},
		{"from:zelda", "from:zelda", nil, []string{"from:zelda finds nothing unless that is a user's id: no user or team has this name."}},
	} {
		t.Run(test.text, func(t *testing.T) {
			r := Parse(test.text, demoOptions())
			require.Equal(t, test.chips, written(r.Chips))
			require.Equal(t, test.unused, r.Unused)
			require.Equal(t, test.notes, r.Notes)
		})
	}
}

// TestRightWordsStay holds that words which are nearly words of the language are
// not taken for them.
func TestRightWordsStay(t *testing.T) {
	for _, word := range []string{
		"rely", "relied", "relies", "clocks", "moth", "mont", "sine", "form", "wee", "meting", "Monda", "spends", "bonus", "mayor",
		"juniper", "octopus", "repeat", "ripple", "weekly", "tuesday's", "replica", "opener", "click-through",
	} {
		r := Parse("budget "+word, demoOptions())
		for _, note := range r.Notes {
			require.NotContains(t, note, "is read as", word)
		}
	}
}

// namedDirectory is a directory that lists its names.
type namedDirectory struct{ names }

func (n namedDirectory) Names() []string {
	return []string{"Ana Moreira", "Jonas Berg", "Tess O'Brien"}
}

func TestUnknownUsersAreToldWhoIsNear(t *testing.T) {
	opts := demoOptions()
	opts.Directory = namedDirectory{demo}
	for text, near := range map[string]string{"from:jonsa": "Near to it: Jonas Berg.", "from:tes": "Near to it: Tess O'Brien.", "from:morera": "Near to it: Ana Moreira."} {
		r := Parse(text, opts)
		require.Len(t, r.Notes, 1)
		require.Contains(t, r.Notes[0], near)
	}
	require.Empty(t, Parse("from:jonas", opts).Notes)
}

// Whoever an exception names is excepted: none of them is an alternative.
func TestEachOneOfAnExceptionIsExcepted(t *testing.T) {
	for text, want := range map[string]string{
		"opens except from acme and globex": "type:open -to:acme -to:globex",
		"opens not from acme or globex":     "type:open -to:acme -to:globex",
		"opens except from acme, globex":    "type:open -to:acme -to:globex",
		"sends not to acme and globex":      "type:send -to:acme -to:globex",
		"opens not by jo or li":             "type:open -to:jo -to:li",
	} {
		r := Parse(text, demoOptions())
		require.True(t, sameChips(chipsOf(want), r.Chips), "%q gives %s", text, written(r.Chips))
	}
}

// A condition on a person that is said twice is one: what is printed is read back.
func TestAPersonSaidTwiceIsAskedOnce(t *testing.T) {
	once := Parse("pricing is:unopened -to:jo unopened:>3d", demoOptions()).Query
	require.Equal(t, once, Parse("pricing is:unopened -to:jo unopened:>3d -to:jo", demoOptions()).Query)
}

// TestWhatNoConditionSaysIsNamed reads lines of which a part is searched for as words,
// or is left out, which a note has to say.
func TestWhatNoConditionSaysIsNamed(t *testing.T) {
	for text, named := range map[string]string{
		"only jo opened": `"only"`, "opened only by jo": `"only"`, "jo is the only one who replied": `"only one"`, "opened by jo alone": `"alone"`,
		"just jo and sam clicked": `"just"`, "who only opened": `"only opened"`, "opens on mondays": `"mondays"`, "clicks at night": `"night"`,
		"monday mornings": `"mornings"`, "opens during office hours": `"hours"`, "my last email": `"last"`, "my last 3 emails": `"last 3"`,
		"5 most recent clicks": `"5 most recent"`, "latest from acme": `"latest"`, "who replied last": `"last"`, "clicks tomorrow": `"tomorrow"`,
		"clicked the second link": `"second"`, "second email to jo": `"second"`, "all but two opened": `"two"`, "almost nobody replied": `"almost"`,
	} {
		r := Parse(text, demoOptions())
		require.Contains(t, strings.Join(r.Notes, " "), named, "%s: %s", text, written(r.Chips))
	}
}
