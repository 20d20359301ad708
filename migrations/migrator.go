package migrations

import (
	"context"
	"fmt"
	"time"

	"tidings/event"
)

// Migrator brings a store to the present schema.
type Migrator struct {
	Schema  Schema
	History History
	// Version is the program's.
	Version string
	// Clock is the system's when nil.
	Clock func() time.Time
}

// Plan lists the parts that are behind.
func (m *Migrator) Plan(ctx context.Context) ([]Part, error) {
	parts, err := m.Schema.Parts(ctx)
	if err != nil {
		return nil, fmt.Errorf("look at the schema: %w", err)
	}
	var behind []Part
	for _, part := range parts {
		switch {
		case part.Have > part.Want:
			return nil, &Mismatch{What: part.Name, Have: part.Have, Want: part.Want}
		case part.Have < part.Want:
			behind = append(behind, part)
		}
	}
	return behind, nil
}

// Up takes every missing step and notes it. Nothing is begun where any part is
// newer than this program. A crash between a step and its note loses the note
// alone. told is called after each step. A damaged week stays as it is: it is in the
// error, once all others are done.
func (m *Migrator) Up(ctx context.Context, told func(Taken)) error {
	parts, err := m.Plan(ctx)
	if err != nil {
		return err
	}
	if m.Clock == nil {
		m.Clock = time.Now
	}
	var damaged event.DamagedWeeks
	for _, part := range parts {
		week, other := event.SplitDamaged(m.upPart(ctx, part, told))
		if other != nil {
			return other
		}
		damaged = append(damaged, week...)
	}
	return damaged.Err()
}

// upPart takes one part all its missing steps.
func (m *Migrator) upPart(ctx context.Context, part Part, told func(Taken)) error {
	for version := part.Have; version < part.Want; version++ {
		began := m.Clock()
		if err := m.Schema.Up(ctx, part.Name); err != nil {
			return fmt.Errorf("migrate %s to version %d: %w", part.Name, version+1, err)
		}
		step := Taken{
			Part: part.Name, From: version, To: version + 1,
			At: began.UTC(), Took: m.Clock().Sub(began), By: m.Version,
		}
		if err := m.History.Note(ctx, step); err != nil {
			return fmt.Errorf("note that %s was migrated: %w", part.Name, err)
		}
		told(step)
	}
	return nil
}

// Schemas are several stores as one.
type Schemas []Schema

// Parts describes the parts of all, in their order.
func (s Schemas) Parts(ctx context.Context) ([]Part, error) {
	var all []Part
	for _, schema := range s {
		parts, err := schema.Parts(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, parts...)
	}
	return all, nil
}

// Up takes a part of any of them its next step.
func (s Schemas) Up(ctx context.Context, part string) error {
	for _, schema := range s {
		parts, err := schema.Parts(ctx)
		if err != nil {
			return err
		}
		for _, each := range parts {
			if each.Name == part {
				return schema.Up(ctx, part)
			}
		}
	}
	return fmt.Errorf("part %s: %w", part, event.ErrNotFound)
}
