package demo

import (
	"fmt"
	"math/rand/v2"

	"tidings/event"
)

// Who fetches pictures for a reader.
const (
	gmail = "gmail"
	apple = "apple"
	yahoo = "yahoo"
)

// The agents of proxies that fetch pictures.
const (
	// gmailAgent comes when the reader opens.
	gmailAgent = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
	// gmailEarly comes before anybody has opened.
	gmailEarly = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0"
	// appleAgent comes whether anybody opens or not.
	appleAgent = "Mozilla/5.0"
	yahooAgent = "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html"
)

func deskAgents() []string {
	return []string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15",
		"Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.18227; Pro)",
		"Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17928; Pro)",
		"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Thunderbird/140.4.0",
	}
}

func phoneAgents() []string {
	return []string{
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_6_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
		"Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.7390.122 Mobile Safari/537.36",
		"Mozilla/5.0 (Linux; Android 14; SM-S921B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.7339.207 Mobile Safari/537.36",
		"Outlook-iOS/723.4127880.prod.iphone (4.2539.0)",
	}
}

// scannerAgents name themselves, or nearly so.
func scannerAgents() []string {
	return []string{
		"Barracuda Sentinel (EE)",
		"python-requests/2.32.3",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Microsoft Office Existence Discovery",
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/138.0.7204.92 Safari/537.36",
	}
}

// readerAtDesk is what a person of a company mostly reads with.
func readerAtDesk(r *rand.Rand, company int) reader {
	at := reader{agent: pick(r, deskAgents()), ip: documentation(company, r.IntN(40))}
	switch share := r.Float64(); {
	case share < 0.24:
		at.proxy = gmail
	case share < 0.33:
		at.proxy = apple
	case share < 0.35:
		at.proxy = yahoo
	}
	return at
}

func readerOnPhone(r *rand.Rand) reader {
	return reader{agent: pick(r, phoneAgents()), ip: documentation(6+7*r.IntN(8), r.IntN(900))}
}

// opens is the evidence that an open of the reader's leaves.
func (at reader) opens(r *rand.Rand) *event.Client {
	switch at.proxy {
	case gmail:
		return fetchedBy(gmailAgent, fmt.Sprintf("66.249.%d.%d", 84+r.IntN(10), 1+r.IntN(250)))
	case yahoo:
		return fetchedBy(yahooAgent, fmt.Sprintf("87.248.%d.%d", 110+r.IntN(8), 1+r.IntN(250)))
	default:
		return at.clicks()
	}
}

// clicks is the evidence that a click of the reader's leaves: no proxy follows
// a link.
func (at reader) clicks() *event.Client { return fetchedBy(at.agent, at.ip) }

func fetchedBy(agent, ip string) *event.Client {
	return &event.Client{IP: ip, UserAgent: &agent}
}

func appleProxy(r *rand.Rand) *event.Client {
	return fetchedBy(appleAgent, fmt.Sprintf("17.58.%d.%d", r.IntN(64), 1+r.IntN(250)))
}

// scan is the evidence that a company's scanner leaves.
func scan(r *rand.Rand, kind scanner, company int) *event.Client {
	ip := documentation(company, 60+r.IntN(8))
	switch kind {
	case flagged:
		yes := true
		c := fetchedBy(pick(r, deskAgents()[:4]), ip)
		c.Automated = &yes
		return c
	case plain:
		return fetchedBy(pick(r, scannerAgents()), ip)
	default:
		return fetchedBy(deskAgents()[0], ip)
	}
}
