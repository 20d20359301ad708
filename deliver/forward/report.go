package forward

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"tidings/deliver"
	"tidings/notify"
	"tidings/query/times"
)

// report renders the figures of a week, with a link to the statistics of the same search
// and week.
func (n *Notes) report(ctx context.Context, d notify.Decision, content *deliver.Content) error {
	content.Lines = strings.Split(d.Found, "\n")
	content.Sentence, content.Why = "Figures of the week", "You get these figures each week. Change that in Settings."
	if len(d.Rules) == 0 {
		return nil
	}
	name := d.Rules[0]
	content.Sentence += ": " + name
	if n.Page == "" {
		return nil
	}
	content.Link = n.Page + "/stats"
	book, err := n.Books.Load(ctx, d.Workspace)
	if err != nil {
		return fmt.Errorf("render a report: %w", err)
	}
	rules := book.Rules[d.User]
	at := slices.IndexFunc(rules, func(r notify.Rule) bool { return r.Name == name && r.On == notify.OnReport })
	if at < 0 {
		return nil // it is gone by now
	}
	view := url.Values{"name": {name}}
	if rules[at].Q != "" {
		view.Set("q", rules[at].Q)
	}
	if due, ok := rules[at].LastDue(time.UnixMilli(d.At), book.Settings[d.User]); ok {
		from, until := notify.ReportOf(due)
		view.Set("period", from.Format(time.DateOnly)+".."+times.AddDays(until, -1).Format(time.DateOnly))
	}
	content.Link += "?" + view.Encode()
	return nil
}
