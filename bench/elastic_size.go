package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// Names of the figures that bounds are of.
const (
	figureElasticSealed       = "P11, bytes sealed ÷ JSON, state included"
	figureElasticSealedMailed = figureElasticSealed + ", real shape"
)

// fieldsShown is how many fields the table has by themselves.
const fieldsShown = 12

// size measures P11: what events take on the disk once all weeks are sealed, and what of it
// is which field's.
func (b *elasticBench) size(ctx context.Context) (err error) {
	ingest := &Ingest{Data: b.Data, Seed: b.Seed, Weeks: b.Weeks, Events: b.Events, Senders: 4, Batch: 500, Every: 20_000, Mails: b.Mails}
	load, err := loadOf(b.Seed, b.Weeks, b.Mails)
	if err != nil {
		return err
	}
	posts, err := ingest.keepPosts(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, posts.Close()) }()
	s, err := b.open(ctx, "size", true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close(), b.clean(ctx)) }()
	if err := s.prepare(ctx, load); err != nil {
		return err
	}
	if _, err := ingest.postAll(ctx, s.dial, posts); err != nil {
		return err
	}
	if err := s.awaitAcked(ctx, b.Events); err != nil {
		return err
	}
	if err := b.sealWeeks(ctx, s); err != nil {
		return err
	}
	weeks, err := b.raw.size(ctx, s.prefix)
	if err != nil {
		return err
	}
	fields, err := b.raw.fieldBytes(ctx, s.prefix)
	if err != nil {
		return err
	}
	if err := s.stop(); err != nil {
		return err
	}
	state, err := directorySize(filepath.Join(b.Data, "size"), "state.db")
	if err != nil {
		return err
	}
	over := float64(weeks+state) / float64(posts.size)
	shape, figure := "made up", figureElasticSealed
	if b.Mails != "" {
		shape, figure = "real shape", figureElasticSealedMailed
	}
	b.Found.Add(figure, "", over)
	_, err = fmt.Fprintf(b.Out, `
| P11, %d events in %d weeks, %s, %.0f bytes of JSON each | ÷ JSON |
| --- | --- |
| sealed, state included | %.2f |
| weeks; state | %.2f; %.2f |
%s`, b.Events, b.Weeks, shape, float64(posts.size)/float64(b.Events), over, float64(weeks)/float64(posts.size), float64(state)/float64(posts.size),
		fieldTable(fields, posts.size))
	return err
}

// fieldTable are the fields that take most, and the rest.
func fieldTable(fields map[string]int64, json int64) string {
	var out strings.Builder
	names := byBytes(fields)
	rest := int64(0)
	for i, name := range names {
		if i >= fieldsShown {
			rest += fields[name]
			continue
		}
		fmt.Fprintf(&out, "| of the weeks `%s` | %.3f |\n", name, float64(fields[name])/float64(json))
	}
	fmt.Fprintf(&out, "| of the weeks the other %d fields | %.3f |\n", max(0, len(names)-fieldsShown), float64(rest)/float64(json))
	return out.String()
}

// byBytes are the names of fields, those that take most first.
func byBytes(fields map[string]int64) []string {
	return slices.SortedFunc(maps.Keys(fields), func(a, b string) int { return cmp.Or(cmp.Compare(fields[b], fields[a]), cmp.Compare(a, b)) })
}
