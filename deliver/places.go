package deliver

import "strings"

// Places of a person's own have names that no endpoint of a workspace has: those hold no
// slash.
const (
	mailPrefix = "@"
	mailSuffix = "/mail"
	pushPrefix = "push/"
	ownPrefix  = "own/"
)

// MailOf names where a user's mail goes.
func MailOf(user string) string { return mailPrefix + user + mailSuffix }

// PushTo names a device of a user.
func PushTo(user, device string) string { return pushPrefix + device + "/" + user }

// OwnOf names an endpoint that a user has for themselves.
func OwnOf(user, name string) string { return ownPrefix + name + "/" + user }

// mailTo is whose mail goes to a place.
func mailTo(place string) (user string, ok bool) {
	user, ok = strings.CutPrefix(place, mailPrefix)
	return strings.TrimSuffix(user, mailSuffix), ok && strings.HasSuffix(place, mailSuffix)
}

// parted is whose a place with a prefix is, and which of theirs.
func parted(place, prefix string) (user, which string, ok bool) {
	rest, ok := strings.CutPrefix(place, prefix)
	if !ok {
		return "", "", false
	}
	which, user, ok = strings.Cut(rest, "/")
	return user, which, ok
}

// deviceOf is which device a place is, and whose.
func deviceOf(place string) (user, device string, ok bool) { return parted(place, pushPrefix) }

// IsDevice reports whether a place is somebody's device.
func IsDevice(place string) bool {
	_, _, ok := deviceOf(place)
	return ok
}

// OwnerOf is whose own endpoint a place is, and what they call it.
func OwnerOf(place string) (user, name string, ok bool) { return parted(place, ownPrefix) }
