// Package live pushes: it follows the LIVE stream and gives each subscription
// the announcements that its query matches and its reader may see. A position
// comes in from a reader who was away; what they missed, or a reset, goes out.
// Queues are bounded: a reader who is too slow is cut off and resumes.
package live
