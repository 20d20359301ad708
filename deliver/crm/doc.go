// Package crm makes sure of something in a CRM: that a person is there, that they are a
// member of a list or a campaign, that what they did is an event of theirs.
//
// What is made sure of is a list of steps. Each is idempotent, by a key that the vendor
// keeps unique: a person by their address, a member by the person and the list, an event
// by the id of its delivery. So a step whose answer was lost is done again, and comes to
// the same records. Many items go through the steps together, in the few calls that the
// vendors' bulk interfaces take; each item's outcome is its own. What is there already
// stays as it is: nobody's record is written over.
package crm
