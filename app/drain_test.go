package app

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAStandstillIsHalfAMinuteInWhichNothingMoves(t *testing.T) {
	var stuck standstill
	at := time.Unix(1_790_000_000, 0)
	require.False(t, stuck.at(at, 5))
	require.False(t, stuck.at(at.Add(29*time.Second), 5))
	require.False(t, stuck.at(at.Add(30*time.Second), 6), "one was done")
	require.False(t, stuck.at(at.Add(59*time.Second), 6))
	require.True(t, stuck.at(at.Add(60*time.Second), 6))
}
