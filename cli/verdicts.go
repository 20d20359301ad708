package cli

import (
	"time"

	"tidings/verdict"
)

// verdictFlags are what people tell the rules of verdicts.
type verdictFlags struct {
	VerdictLists string        `help:"Directory with lists of agents and networks that replace the built-in ones." placeholder:"DIR" type:"existingdir"`
	OpenTooSoon  time.Duration `help:"An open sooner than this after delivery is a machine's." default:"10s" placeholder:"DURATION"`
	ClickTooSoon time.Duration `help:"A click sooner than this after delivery is a machine's." default:"5s" placeholder:"DURATION"`
	ClickBurst   time.Duration `help:"Clicks on different links this near to each other are a machine's." default:"3s" placeholder:"DURATION"`
}

func (f verdictFlags) config() verdict.Config {
	return verdict.Config{
		Lists: f.VerdictLists, OpenWindow: f.OpenTooSoon, ClickWindow: f.ClickTooSoon, BurstWindow: f.ClickBurst,
	}
}
