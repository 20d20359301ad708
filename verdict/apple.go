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
