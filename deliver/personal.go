package deliver

import "strings"

// Endpoints of a person's own have names that no endpoint of a workspace has: those hold no
// slash.
const (
	mailPrefix = "@"
	mailSuffix = "/mail"
	pushPrefix = "push/"
)

// MailOf names where a user's mail goes.
func MailOf(user string) string { return mailPrefix + user + mailSuffix }

// PushTo names a device of a user.
func PushTo(user, device string) string { return pushPrefix + device + "/" + user }

// mailTo is whose mail goes to an endpoint.
func mailTo(endpoint string) (user string, ok bool) {
	user, ok = strings.CutPrefix(endpoint, mailPrefix)
	return strings.TrimSuffix(user, mailSuffix), ok && strings.HasSuffix(endpoint, mailSuffix)
}

// deviceOf is which device an endpoint is, and whose.
func deviceOf(endpoint string) (user, device string, ok bool) {
	rest, ok := strings.CutPrefix(endpoint, pushPrefix)
	if !ok {
		return "", "", false
	}
	device, user, ok = strings.Cut(rest, "/")
	return user, device, ok
}

// IsDevice reports whether an endpoint is somebody's device.
func IsDevice(endpoint string) bool {
	_, _, ok := deviceOf(endpoint)
	return ok
}
