package deliver

import "strings"

// Places of a person's own have names that no endpoint of a workspace has: those hold no
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

// mailTo is whose mail goes to a place.
func mailTo(place string) (user string, ok bool) {
	user, ok = strings.CutPrefix(place, mailPrefix)
	return strings.TrimSuffix(user, mailSuffix), ok && strings.HasSuffix(place, mailSuffix)
}

// deviceOf is which device a place is, and whose.
func deviceOf(place string) (user, device string, ok bool) {
	rest, ok := strings.CutPrefix(place, pushPrefix)
	if !ok {
		return "", "", false
	}
	device, user, ok = strings.Cut(rest, "/")
	return user, device, ok
}

// IsDevice reports whether a place is somebody's device.
func IsDevice(place string) bool {
	_, _, ok := deviceOf(place)
	return ok
}
