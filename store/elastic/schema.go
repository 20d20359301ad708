package elastic

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"tidings/event"
	"tidings/migrations"
)

// templatePart is the name of the template as a part of the schema. A week's is
// "week 2026-w47".
const templatePart = "template of new weeks"

// Parts describes the template and the weeks, the oldest first. The version of
// a week is in the name of its index.
func (x *Index) Parts(ctx context.Context) ([]migrations.Part, error) {
	template := migrations.Part{Name: templatePart, Have: schema - 1, Want: schema, Steps: []string{"write the template"}}
	written, err := x.templateWritten(ctx)
	if err != nil {
		return nil, failed("reading the schema", err)
	}
	if written {
		template.Have, template.Steps = schema, nil
	}
	parts := []migrations.Part{template}
	versions, err := x.versions(ctx)
	if err != nil {
		return nil, failed("reading the schema", err)
	}
	for _, week := range slices.Sorted(maps.Keys(versions)) {
		part := migrations.Part{Name: "week " + week.String(), Have: versions[week], Want: schema}
		for version := part.Have; version < schema; version++ {
			part.Steps = append(part.Steps, "build it anew with the present mapping")
		}
		parts = append(parts, part)
	}
	return parts, nil
}

func (x *Index) templateWritten(ctx context.Context) (bool, error) {
	err := x.read(ctx, adminTimeout, esapi.IndicesGetIndexTemplateRequest{
		Name: x.names.template(), FilterPath: []string{"index_templates.name"},
	}, nil)
	if refused, ok := errors.AsType[*refusal](err); ok && refused.status == http.StatusNotFound {
		return false, nil
	}
	return err == nil, err
}

// versions are those of the weeks that are read.
func (x *Index) versions(ctx context.Context) (map[event.Week]int, error) {
	infos, err := x.indices(ctx, x.names.every())
	if err != nil {
		return nil, err
	}
	versions := make(map[event.Week]int)
	for name, info := range infos {
		week, ours := x.names.week(name)
		if _, read := info.Aliases[x.names.alias(week)]; ours && read {
			versions[week] = x.names.version(name)
		}
	}
	return versions, nil
}

// version is the version of the mapping that an index was made with.
func (n names) version(index string) int {
	text, _, _ := strings.Cut(strings.TrimPrefix(index, n.prefix+"-events-v"), "-")
	version, _ := strconv.Atoi(text) // names.week has read it before.
	return version
}

// Up writes the template, or builds a week of an older version anew, which takes
// it to the present one whatever it had.
func (x *Index) Up(ctx context.Context, part string) error {
	if part == templatePart {
		return failed("migrating the "+part, x.prepareTemplate(ctx))
	}
	text, _ := strings.CutPrefix(part, "week ")
	week, err := event.ParseWeek(text)
	if err != nil {
		return fmt.Errorf("migrating %s: %w", part, event.ErrNotFound)
	}
	versions, err := x.versions(ctx)
	if err != nil || versions[week] == schema {
		return failed("migrating "+part, err)
	}
	builder := migrations.Rebuilder{Index: x, Judge: unchanged, Logger: slog.New(slog.DiscardHandler)}
	_, err = builder.Rebuild(ctx, week)
	return err
}

// unchanged leaves verdicts as they are.
func unchanged(_ context.Context, events []event.Event) ([]event.Event, error) { return events, nil }
