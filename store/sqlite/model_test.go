//go:build !race

package sqlite_test

import (
	"testing"

	"tidings/store/storetest"
)

func TestIndexModel(t *testing.T) { storetest.RunIndexModel(t, indexHarness) }

func TestStateModel(t *testing.T) { storetest.RunStateModel(t, stateHarness) }

func TestLivePagesExportsAndStatisticsAgree(t *testing.T) { storetest.RunAnswers(t, answersHarness) }
