// Package verdict tells people from machines. An event with the raw evidence it
// came with, and its context, go in; human, machine or unknown comes
// out, with the name of the rule that spoke and the version of the rules. It
// holds nothing between two events, so that new rules can judge history again.
package verdict

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"tidings/event"
)

// Version is the version of the rules; it rises with every change of them.
const Version = 3

// Names of the rules, as verdicts carry them.
const (
	RuleOverride       = "override"
	RuleProvider       = "provider"
	RulePrefetch       = "prefetch"
	RuleScannerAgent   = "scanner-agent"
	RuleScannerNetwork = "scanner-network"
	RuleScannerDomain  = "scanner-domain"
	RuleAppleProxy     = "apple-proxy"
	RuleGmailPrefetch  = "gmail-prefetch"
	RuleTooSoon        = "too-soon"
	RuleBurst          = "burst"
	RuleSelf           = "self"
	RuleNoEvidence     = "no-evidence"
	RulePerson         = "person"
	RuleDeliberate     = "deliberate"
)

// Config sets what installations differ in. The zero value is the default.
type Config struct {
	// Lists is a directory with lists that replace the built-in ones, "" for
	// none.
	Lists string
	// OpenWindow and ClickWindow are how soon after delivery an open and a
	// click are too soon for a person, 0 for 10 and 5 seconds.
	OpenWindow, ClickWindow time.Duration
	// BurstWindow is how near to each other two clicks on different links are
	// a scanner's, 0 for 3 seconds.
	BurstWindow time.Duration
}

// Rules judge events. They are read only and safe for concurrent use.
type Rules struct {
	*lists
	// Windows in seconds.
	open, click, burst int64
}

// New reads the lists and makes Rules.
func New(c Config) (*Rules, error) {
	lists, err := loadLists(c.Lists)
	if err != nil {
		return nil, fmt.Errorf("rules of verdicts: %w", err)
	}
	return &Rules{
		lists: lists, open: seconds(c.OpenWindow, 10), click: seconds(c.ClickWindow, 5), burst: seconds(c.BurstWindow, 3),
	}, nil
}

func seconds(d time.Duration, otherwise int64) int64 {
	if d == 0 {
		return otherwise
	}
	return int64(d / time.Second)
}

// Version names these rules with their lists and windows: where it differs,
// judging again may say something else.
func (r *Rules) Version() string {
	return fmt.Sprintf("%d-%s-%d-%d-%d", Version, r.digest, r.open, r.click, r.burst)
}

// Judged reports whether verdicts on a type of event depend on evidence.
func Judged(t event.Type) bool {
	return t == event.Open || t == event.Click || t == event.Download
}

// Judge returns the verdict on an event: the first rule that speaks decides. A
// type that is not judged by evidence is human where it takes a decision, and
// has no verdict where nobody acts.
func (r *Rules) Judge(e event.Event, known Context) event.Verdict {
	switch e.Type {
	case event.Open, event.Click, event.Download:
	case event.Reply, event.Meeting, event.Unsubscribe, event.Complaint:
		return by("rule", event.Human, RuleDeliberate)
	default:
		return event.Verdict{}
	}
	if override := known.Override; override != nil {
		return event.Verdict{
			Is: override.Is, Rule: RuleOverride, By: "person", Version: Version, Reason: override.Reason, User: override.User,
		}
	}
	var client event.Client
	if e.Client != nil {
		client = *e.Client
	}
	if client.Automated != nil && *client.Automated {
		return by("provider", event.Machine, RuleProvider)
	}
	agent := ""
	if client.UserAgent != nil {
		agent = strings.TrimSpace(*client.UserAgent)
	}
	address, _ := netip.ParseAddr(client.IP)
	if rule := r.machine(e, client, agent, address, known); rule != "" {
		return by("rule", event.Machine, rule)
	}
	switch {
	case client.IP == "" && client.UserAgent == nil:
		return by("rule", event.Unknown, RuleNoEvidence)
	case e.Type == event.Open && isAppleProxy(agent) && (!r.hasApple || !address.IsValid()):
		return by("rule", event.Unknown, RuleAppleProxy)
	}
	return by("rule", event.Human, RulePerson)
}

// machine is the first rule that says that a machine made the event, or "".
func (r *Rules) machine(e event.Event, client event.Client, agent string, address netip.Addr, known Context) string {
	opened := e.Type == event.Open
	switch {
	case announcesPrefetch(e, client):
		return RulePrefetch
	case client.UserAgent != nil && r.isScanner(agent):
		return RuleScannerAgent
	case address.IsValid() && r.scanners.has(address):
		return RuleScannerNetwork
	case known.Scanner:
		return RuleScannerDomain
	case opened && isAppleProxy(agent) && address.IsValid() && r.apple.has(address):
		return RuleAppleProxy
	case opened && (isGmailPrefetch(agent) || isGmailProxy(agent) && r.isTooSoon(e, known)):
		return RuleGmailPrefetch
	case r.isTooSoon(e, known):
		return RuleTooSoon
	case e.Type == event.Click && r.Burst(event.ClickedOf(e), known.Clicks):
		return RuleBurst
	case known.Internal:
		return RuleSelf
	}
	return ""
}

// isScanner reports whether an agent names a program that nobody sits at. One
// that was sent empty is a program's: what people use names itself.
func (r *Rules) isScanner(agent string) bool {
	switch agent {
	case "":
		return true
	case bareMozilla:
		return false // the proxy of Apple, whose rule it is
	}
	in := r.agents.in(agent)
	switch {
	case in[mailScanners]:
		return true
	case in[programsOfPeople]:
		return false
	}
	return in[otherMachines] || in[crawlers] || oneProduct(agent) || givesContact(agent)
}

// announcesPrefetch reports whether a request says that nobody looks yet, in one
// of the headers that browsers use for that (Sec-Purpose is the standard's, of
// the Fetch specification; Purpose and X-Moz are older), or only asks whether a
// link is there.
func announcesPrefetch(e event.Event, client event.Client) bool {
	if strings.EqualFold(client.Method, "HEAD") && e.Type == event.Click {
		return true
	}
	for _, name := range []string{"sec-purpose", "purpose", "x-purpose", "x-moz"} {
		value := strings.ToLower(client.Headers[name])
		for _, word := range []string{"prefetch", "preview", "prerender"} {
			if value != "" && strings.Contains(value, word) {
				return true
			}
		}
	}
	return false
}

// isTooSoon compares with when the mail arrived, on either side, since two
// clocks told the times. Downloads come after a page was looked at.
func (r *Rules) isTooSoon(e event.Event, known Context) bool {
	window := r.open
	if e.Type == event.Click {
		window = r.click
	}
	apart := e.Time - known.Arrived
	return e.Type != event.Download && known.Arrived != 0 && -window < apart && apart < window
}

// Reach is how long after its arrival something may be too soon, in seconds.
func (r *Rules) Reach() int64 { return max(r.open, r.click) }

// Burst reports whether a recipient clicked on another link within the window
// of a click.
func (r *Rules) Burst(click event.Clicked, clicks []event.Clicked) bool {
	for _, other := range clicks {
		if other.Link != click.Link && r.Near(click.ID, other.ID) {
			return true
		}
	}
	return false
}

// Near reports whether two clicks are within the window of a burst.
func (r *Rules) Near(a, b event.ID) bool {
	apart := a.Seconds() - b.Seconds()
	return -r.burst <= apart && apart <= r.burst
}

func by(who, is, rule string) event.Verdict {
	return event.Verdict{Is: is, Rule: rule, By: who, Version: Version}
}
