//go:build !race

package mongo_test

import (
	"testing"

	"tidings/store/storetest"
)

func TestStateModel(t *testing.T) { storetest.RunStateModel(t, stateHarness(t)) }
