// Package limit shares out what there is a limit of: Buckets by time, Slots by how
// many run at once.
package limit
