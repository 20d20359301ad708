package app

import (
	"context"
	"time"

	"tidings/demo"
	"tidings/event"
	"tidings/indexer"
)

// What a workspace's sample is: three weeks of one colleague's mail with a dozen people.
const (
	sampleSeed      = 20261121
	sampleColleague = "u_ana"
	sampleDays      = 21
	samplePeople    = 12
)

// samples are made-up events to look around with.
type samples struct{ eraser *indexer.Eraser }

// Sample is the same for the same now.
func (samples) Sample(now time.Time) []event.Input {
	return demo.New(sampleSeed, now).Sample(now.AddDate(0, 0, -sampleDays), now, sampleColleague, samplePeople)
}

// People are those whom the events name.
func (samples) People(events []event.Input) []string { return demo.People(events) }

// Remove takes a person of the sample out. They are not barred: another sample has them again.
func (s samples) Remove(ctx context.Context, workspace, email string) error {
	return s.eraser.Again(ctx, workspace, email)
}
