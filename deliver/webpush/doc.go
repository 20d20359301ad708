// Package webpush writes what push services take: messages that one browser alone can read
// (RFC 8291, over the encoding of RFC 8188), and the header by which a server says who it
// is (VAPID, RFC 8292). Sending them is somebody else's.
package webpush
