package cli

import (
	"fmt"
	"time"

	"tidings/app"
)

// latestRun is how old the last nightly run may be.
const latestRun = 36 * time.Hour

// weeks prints how the weeks are. What is wrong about nights is wrong only where
// a server is there to make them.
func (e *examination) weeks(health app.WeekHealth, err error, served bool) {
	if err != nil {
		e.bad("weeks", err.Error())
		return
	}
	e.good("weeks", fmt.Sprintf("%d, %d of them sealed, with %s in %d MB",
		health.Weeks, health.Sealed, count(int(health.Events), "event", "events"), health.Bytes>>20))
	for _, damaged := range health.Files {
		e.bad("file", damaged)
	}
	for _, damaged := range health.Audit {
		e.bad("audit log", damaged)
	}
	for _, damaged := range health.Damaged {
		e.bad("week", damaged)
	}
	if health.Held > 0 {
		e.bad("held events", fmt.Sprintf("%s wait for damaged weeks; they are put back by themselves once those are repaired",
			count(health.Held, "event", "events")))
	}
	if len(health.Wanted) > 0 && served {
		e.bad("late events", fmt.Sprintf("wait for week %s; it should be open within seconds: is another process holding the lease?", health.Wanted[0]))
	}
	switch {
	case health.Last == nil && served:
		e.bad("nightly run", "none was made yet; serve makes one when it starts")
	case health.Last == nil:
		e.good("nightly run", "none was made yet")
	case health.Last.Failed() > 0:
		e.bad("nightly run", fmt.Sprintf("%s failed at %s: tidings rollover --now says why",
			count(health.Last.Failed(), "action", "actions"), health.Last.At.Format(time.RFC3339)))
	case served && time.Since(health.Last.At) > latestRun:
		e.bad("nightly run", "the last was made at "+health.Last.At.Format(time.RFC3339))
	default:
		e.good("nightly run", "the last was made at "+health.Last.At.Format(time.RFC3339))
	}
}
