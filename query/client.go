package query

import (
	"strings"

	"tidings/event"
)

// unindexed reports whether the field is told by the event alone, and no index holds it.
func (f KeywordField) unindexed() bool {
	return f == FieldDevice || f == FieldClient || f == FieldBounce
}

// Devices and Clients are what a user agent may tell.
var (
	Devices = []string{"phone", "tablet", "computer"}
	Clients = []string{
		"outlook", "gmail", "apple-mail", "thunderbird", "yahoo", "samsung-mail", "edge", "firefox", "chrome", "safari", "opera",
	}
)

// DeviceOf is what an event's user agent says of the device, "" where it says
// nothing: the pictures of Gmail and Yahoo are fetched by their own machines.
func DeviceOf(e event.Event) string {
	agent := agentOf(e)
	if agent == "" || throughProxy(agent) {
		return ""
	}
	has := func(words ...string) bool { return containsAny(agent, words) }
	switch {
	case has("ipad", "tablet", "kindle", "silk/"), has("android") && !has("mobile"):
		return "tablet"
	case has("iphone", "ipod", "android", "windows phone", "mobile"):
		return "phone"
	case has("windows nt", "macintosh", "x11", "cros ", "linux", "mac os x", "macoutlook"):
		return "computer"
	}
	return ""
}

// ClientOf is the program that an event's user agent names, "" where it names
// none that is known.
func ClientOf(e event.Event) string {
	agent := agentOf(e)
	has := func(words ...string) bool { return containsAny(agent, words) }
	switch {
	case agent == "":
		return ""
	case has("samsungmail", "samsung email"): // before Gmail: "samsungmail/6" ends like it
		return "samsung-mail"
	case has("googleimageproxy", "gmail/"):
		return "gmail"
	case has("yahoomailproxy", "yahoomobile"):
		return "yahoo"
	case has("outlook", "microsoft office", "msoffice"):
		return "outlook"
	case has("thunderbird"):
		return "thunderbird"
	case has("edg/", "edga/", "edgios/", "edge/"):
		return "edge"
	case has("opr/", "opera"):
		return "opera"
	case has("firefox/", "fxios/"):
		return "firefox"
	case has("chrome/", "crios/"):
		return "chrome"
	case has("safari/"):
		return "safari"
	case strings.HasSuffix(agent, "(khtml, like gecko)"), has("applewebkit") && has("mobile/"), has("apple mail"):
		return "apple-mail"
	}
	return ""
}

// throughProxy reports whether a vendor's machine stands between, so that the agent
// says nothing of the person's device.
func throughProxy(agent string) bool {
	return containsAny(agent, []string{"googleimageproxy", "yahoomailproxy"})
}

func agentOf(e event.Event) string {
	if e.Client == nil || e.Client.UserAgent == nil {
		return ""
	}
	return strings.ToLower(*e.Client.UserAgent)
}

func containsAny(text string, words []string) bool {
	for _, word := range words {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}
