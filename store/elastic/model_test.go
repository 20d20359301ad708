//go:build !race

package elastic_test

import (
	"testing"

	"tidings/store/storetest"
)

func TestIndexModel(t *testing.T) { storetest.RunIndexModel(t, harness) }

// TestLivePagesExportsAndStatisticsAgree asks 20 questions of each set of events:
// -rapid.checks=100 makes the full form of 2,000.
func TestLivePagesExportsAndStatisticsAgree(t *testing.T) { storetest.RunAnswers(t, answersHarness) }
