package verdict

import "strings"

// isGmailPrefetch knows the agent that fetches pictures before a person opens:
// a browser of 2015 with a second name behind it.
func isGmailPrefetch(agent string) bool {
	return strings.Contains(agent, "Chrome/42.") && strings.Contains(agent, "Edge/12.") && strings.HasSuffix(agent, bareMozilla)
}

func isGmailProxy(agent string) bool { return strings.Contains(agent, "GoogleImageProxy") }
