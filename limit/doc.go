// Package limit shares out what there is not enough of for everybody. Keys come in, of
// whatever the limit is by: a credential, a workspace, an address. What comes out is
// whether they may have more, and when: Buckets by time, Slots by how many run at once.
package limit
