//go:build !unix

package bench

import "time"

// processorTime is not known where there is no rusage.
func processorTime() time.Duration { return 0 }
