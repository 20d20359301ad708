package stream

import "tidings/limit"

// allowanceWorkspaces is how many workspaces are remembered. One that is
// forgotten begins with a full burst again.
const allowanceWorkspaces = 10_000

// allowance is how much of the live lane each workspace may have, a token
// bucket for each, so that one that floods delays nobody else's live events:
// what is over goes to the bulk lane, and nothing is refused.
type allowance struct{ buckets *limit.Buckets[string] }

func newAllowance(cfg Config) *allowance {
	most := limit.Rate{PerSecond: cfg.LiveRate, Burst: cfg.LiveBurst}
	return &allowance{limit.NewBuckets[string](most, allowanceWorkspaces, cfg.Clock)}
}

// take reports whether a workspace may have one more live event now.
func (a *allowance) take(workspace string) bool { return a.buckets.Take(workspace, 1).After == 0 }
