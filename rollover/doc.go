// Package rollover looks after the life of a week: it is prepared before its
// time, sealed when it is old, and dropped when nobody may ask for it any more.
// The same nightly run lets go of what was kept of messages that everyone has
// opened.
//
// A run is a plan of actions, each of which may be repeated and stopped
// anywhere: what a killed run left undone is in the plan of the next. Runs are
// made under a lease. Only its holder takes off the block of a sealed week, for
// events that came late; the week is sealed again the next night.
package rollover
