package verdict

import "strings"

// bareMozilla is what the proxy of Apple's Mail Privacy Protection calls itself.
const bareMozilla = "Mozilla/5.0"

// isAppleProxy reports whether an open may have come through Apple's proxy: by
// its bare name, or as Mail on a Mac, which has neither version nor browser
// behind its engine whether it goes through the proxy or not.
func isAppleProxy(agent string) bool {
	return agent == bareMozilla ||
		strings.HasPrefix(agent, "Mozilla/5.0 (Macintosh;") && strings.HasSuffix(agent, ") AppleWebKit/605.1.15 (KHTML, like Gecko)")
}

// isGmailPrefetch knows the agent that fetches pictures before a person opens:
// a browser of 2015 with a second name behind it.
func isGmailPrefetch(agent string) bool {
	return strings.Contains(agent, "Chrome/42.") && strings.Contains(agent, "Edge/12.") && strings.HasSuffix(agent, bareMozilla)
}

func isGmailProxy(agent string) bool { return strings.Contains(agent, "GoogleImageProxy") }
