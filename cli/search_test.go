package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestEventsArePrintedUnderTheirDays(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	jo := &foundPerson{Email: "jo@acme.example", Name: "Jo Reyes"}
	at := func(day, hour int) time.Time { return time.Date(2026, 11, day, hour, 30, 0, 0, time.UTC) }
	two := 2
	items := []foundItem{
		{Type: "open", Time: at(21, 9), Person: jo, Subject: "Pricing proposal", Highlights: map[string][][2]int{"subject": {{0, 7}}}},
		{Type: "click", Time: at(20, 23), Person: &foundPerson{Email: "li@acme.example"}, Subject: "Deck", Link: "https://docs.acme.example/a\x1b[31mb"},
		{Type: "send", Time: at(20, 9), User: &foundUser{ID: "u_ana", Name: "Ana"}, Subject: "Renewal", Recipients: []foundPerson{*jo, *jo, *jo}, Unopened: &two},
		{Type: "reply", Time: at(19, 9).AddDate(-1, 0, 0), Person: jo, Subject: "Re: \u202egnirp"},
	}
	tests := []struct {
		name    string
		colours bool
		want    string
	}{
		{"plainly", false, `Today, Saturday 21 November
  10:30  Jo Reyes opened  Pricing proposal
  00:30  li@acme.example clicked in  Deck  https://docs.acme.example/a[31mb

Yesterday, Friday 20 November
  10:30  Ana sent to Jo Reyes and 2 others  Renewal  2 of 3 not opened

Wednesday 19 November 2025
  10:30  Jo Reyes replied to  Re: gnirp

There is more: --limit N shows so many, --all shows all.
`},
		{"in colours", true, "\x1b[1mToday, Saturday 21 November\x1b[0m\n" +
			"  \x1b[2m10:30\x1b[0m  \x1b[1mJo Reyes\x1b[0m \x1b[32mopened\x1b[0m  \x1b[1mPricing\x1b[0m proposal\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var out strings.Builder
			printer := &feedPrinter{out: &out, zone: berlin, now: at(21, 10).In(berlin), colours: test.colours}
			if test.colours {
				items = items[:1]
			}
			// Pages end where they like, also within a day.
			require.NoError(t, printer.print(items[:1]))
			require.NoError(t, printer.print(items[1:]))
			require.NoError(t, printer.end(len(items), !test.colours))
			require.Equal(t, test.want, out.String())
		})
	}
}

func TestOnlyATerminalGetsColours(t *testing.T) {
	require.False(t, colours(new(strings.Builder)))
}
