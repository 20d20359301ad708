package elastic

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"tidings/event"
)

// Prepare makes a week that does not exist yet. Several may do so at once, and it
// may be stopped and repeated at any point. The alias comes last, so that nobody
// searches a week whose shards are not ready.
//
// That a week cannot be made, say because the cluster has all the shards it may
// have, is no fault of the event that wants it.
func (x *Index) Prepare(ctx context.Context, week event.Week) error {
	return failed("preparing week "+week.String(), blameless(x.prepare(ctx, week)))
}

func (x *Index) prepare(ctx context.Context, week event.Week) error {
	// What is missing is not made anew in silence.
	if err := x.Usable(ctx, week); err != nil {
		return err
	}
	if name, _, err := x.current(ctx, week); err != nil || name != "" {
		return err
	}
	if err := x.prepareTemplate(ctx); err != nil {
		return err
	}
	name := x.names.index(week)
	if err := x.make(ctx, name); err != nil {
		return err
	}
	return x.putAlias(ctx, name, x.names.alias(week))
}

// make makes an index, unless it is there, and waits until it can be read.
func (x *Index) make(ctx context.Context, name string) error {
	err := x.write(ctx, adminTimeout, esapi.IndicesCreateRequest{Index: name}, nil)
	var refused *refusal
	if err != nil && (!errors.As(err, &refused) || refused.kind != kindIndexExists) {
		return err
	}
	// Where another process has just made it, this waits for that too. An index
	// is yellow before its shards are tried, so its status says nothing.
	initialized := true
	return x.read(ctx, adminTimeout, esapi.ClusterHealthRequest{
		Index: []string{name}, WaitForActiveShards: "1", WaitForNoInitializingShards: &initialized,
	}, nil)
}

func (x *Index) putAlias(ctx context.Context, index, alias string) error {
	return x.write(ctx, adminTimeout, esapi.IndicesPutAliasRequest{Index: []string{index}, Name: alias}, nil)
}

// removeAlias is no error where there is no such alias.
func (x *Index) removeAlias(ctx context.Context, index, alias string) error {
	err := x.write(ctx, adminTimeout, esapi.IndicesDeleteAliasRequest{Index: []string{index}, Name: []string{alias}}, nil)
	if errors.Is(err, event.ErrNotFound) {
		return nil
	}
	return err
}

// blameless is an error that may be gone later.
func blameless(err error) error {
	if errors.Is(err, event.ErrInvalid) {
		return fmt.Errorf("%w: %s", event.ErrUnavailable, err)
	}
	return err
}

// prepareTemplate writes the template of new weeks once a process.
func (x *Index) prepareTemplate(ctx context.Context) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.prepared {
		return nil
	}
	err := x.write(ctx, adminTimeout, esapi.IndicesPutIndexTemplateRequest{
		Name: x.names.template(), Body: body(templateOf(x.config)),
	}, nil)
	x.prepared = err == nil
	return err
}

// indexInfo is what the cluster says of an index.
type indexInfo struct {
	Aliases  map[string]struct{} `json:"aliases"`
	Settings struct {
		Index struct {
			// UUID tells an index from another that had its name.
			UUID   string `json:"uuid"`
			Shards string `json:"number_of_shards"`
			// Closed is set in an index that was closed, and taken off when it is opened.
			Closed string `json:"verified_before_close"`
			Blocks struct {
				Write string `json:"write"`
			} `json:"blocks"`
		} `json:"index"`
	} `json:"settings"`
}

func (i indexInfo) closed() bool { return i.Settings.Index.Closed == "true" }

func (i indexInfo) blocked() bool { return i.Settings.Index.Blocks.Write == "true" }

// moving reports whether the index is blocked for the sake of the next one.
func (i indexInfo) moving(n names, week event.Week) bool {
	_, moving := i.Aliases[n.moving(week)]
	return moving
}

// indices describes those that fit a pattern, by their names.
func (x *Index) indices(ctx context.Context, pattern string) (map[string]indexInfo, error) {
	var infos map[string]indexInfo
	err := x.read(ctx, adminTimeout, esapi.IndicesGetRequest{
		Index: []string{pattern}, ExpandWildcards: "open,closed", FilterPath: []string{
			"*.aliases", "*.settings.index.blocks", "*.settings.index.uuid",
			"*.settings.index.number_of_shards", "*.settings.index.verified_before_close",
		},
	}, &infos)
	return infos, err
}

// current is the index behind a week's alias, "" when there is none.
func (x *Index) current(ctx context.Context, week event.Week) (name string, info indexInfo, err error) {
	infos, err := x.indices(ctx, x.names.of(week))
	if err != nil {
		return "", indexInfo{}, err
	}
	for name, info := range infos {
		if _, ok := info.Aliases[x.names.alias(week)]; ok {
			return name, info, nil
		}
	}
	return "", indexInfo{}, nil
}

// WeekInfos describes every week, newest first. Bytes are those of one copy.
func (x *Index) WeekInfos(ctx context.Context) ([]event.WeekInfo, error) {
	infos, err := x.indices(ctx, x.names.every())
	if err != nil {
		return nil, failed("describing weeks", err)
	}
	var answer struct {
		Indices map[string]struct {
			Primaries struct {
				Docs struct {
					Count int64 `json:"count"`
				} `json:"docs"`
				Store struct {
					Bytes int64 `json:"size_in_bytes"`
				} `json:"store"`
			} `json:"primaries"`
		} `json:"indices"`
	}
	err = x.read(ctx, adminTimeout, esapi.IndicesStatsRequest{
		Index: []string{x.names.every()}, Metric: []string{"docs", "store"},
		FilterPath: []string{"indices.*.primaries"},
	}, &answer)
	if err != nil {
		return nil, failed("describing weeks", err)
	}
	now, err := x.look(ctx, time.Now())
	if err != nil {
		return nil, failed("describing weeks", err)
	}
	var weeks []event.WeekInfo
	for _, damage := range now.damage {
		weeks = append(weeks, event.WeekInfo{Week: damage.Week, Damage: damage})
	}
	for name, info := range infos {
		week, ours := x.names.week(name)
		if _, current := info.Aliases[x.names.alias(week)]; !ours || !current || now.damage[week] != nil {
			continue
		}
		size := answer.Indices[name].Primaries
		weeks = append(weeks, event.WeekInfo{
			Week: week, Events: size.Docs.Count, Bytes: size.Store.Bytes,
			// One that was being moved when its process ended is to be sealed again.
			Sealed: info.blocked() && !info.moving(x.names, week),
		})
	}
	slices.SortFunc(weeks, func(a, b event.WeekInfo) int { return int(b.Week) - int(a.Week) })
	return weeks, nil
}

// Seal merges a week into one segment and refuses writes to it from then on. It
// is merged before, so that those who write wait little, and again after for what
// came meanwhile. It may be stopped and repeated at any point.
func (x *Index) Seal(ctx context.Context, week event.Week) error {
	return failed("sealing week "+week.String(), x.seal(ctx, week))
}

func (x *Index) seal(ctx context.Context, week event.Week) error {
	if err := x.Usable(ctx, week); err != nil {
		return err
	}
	name, info, err := x.current(ctx, week)
	if err != nil || name == "" {
		return err
	}
	if err := x.keepFilesApart(ctx, name); err != nil {
		return err
	}
	if !info.blocked() {
		if err := x.merge(ctx, name); err != nil {
			return err
		}
		if err := x.block(ctx, name); err != nil {
			return err
		}
	}
	err = x.merge(ctx, name)
	if err == nil && info.moving(x.names, week) {
		err = x.removeAlias(ctx, name, x.names.moving(week))
	}
	return err
}

// keepFilesApart has merges leave the files of a segment apart. A new week has them in
// one, so that its next merge writes it anew though it be one segment already: without
// that it would keep its documents as they were sent, 2.4 KB an event
// (_recovery_source). Where the cluster does not let itself be told, the week is sealed
// all the same.
func (x *Index) keepFilesApart(ctx context.Context, index string) error {
	err := x.write(ctx, adminTimeout, esapi.IndicesPutSettingsRequest{
		Index: []string{index}, Body: body(object{"index.compound_format": false}),
	}, nil)
	if errors.Is(err, event.ErrInvalid) {
		return nil
	}
	return err
}

// Unseal lets a week be written again.
func (x *Index) Unseal(ctx context.Context, week event.Week) error {
	if err := x.Usable(ctx, week); err != nil {
		return failed("unsealing week "+week.String(), err)
	}
	name, info, err := x.current(ctx, week)
	if err == nil && name != "" && info.blocked() {
		err = x.open(ctx, week, name)
	}
	return failed("unsealing week "+week.String(), err)
}

// open takes the block off an index, whatever it was for.
func (x *Index) open(ctx context.Context, week event.Week, index string) error {
	if err := x.unblock(ctx, index); err != nil {
		return err
	}
	return x.removeAlias(ctx, index, x.names.moving(week))
}

// Drop deletes a week with all its events, in whatever generations there are.
func (x *Index) Drop(ctx context.Context, week event.Week) error {
	infos, err := x.indices(ctx, x.names.of(week))
	if err == nil && len(infos) > 0 {
		err = x.drop(ctx, slices.Sorted(maps.Keys(infos))...)
	}
	return failed("dropping week "+week.String(), err)
}

// drop deletes indices that may be there.
func (x *Index) drop(ctx context.Context, indices ...string) error {
	yes := true
	return x.write(ctx, adminTimeout, esapi.IndicesDeleteRequest{Index: indices, IgnoreUnavailable: &yes}, nil)
}

// merge makes one segment of an index, flushed to disk. That takes as long as it
// takes; where the answer is lost the work goes on, and a repetition waits for it.
// Merging leaves the documents as they were sent out (_recovery_source) of what has been
// committed alone, so all is committed before.
func (x *Index) merge(ctx context.Context, index string) error {
	one, yes := 1, true
	if err := x.write(ctx, adminTimeout, esapi.IndicesFlushRequest{Index: []string{index}, Force: &yes, WaitIfOngoing: &yes}, nil); err != nil {
		return err
	}
	return x.write(ctx, 0, esapi.IndicesForcemergeRequest{Index: []string{index}, MaxNumSegments: &one, Flush: &yes}, nil)
}

// block refuses writes to an index, once those under way are done.
func (x *Index) block(ctx context.Context, index string) error {
	return x.write(ctx, adminTimeout, esapi.IndicesAddBlockRequest{Index: []string{index}, Block: "write"}, nil)
}

func (x *Index) unblock(ctx context.Context, index string) error {
	return x.write(ctx, adminTimeout, esapi.IndicesPutSettingsRequest{
		Index: []string{index}, Body: body(object{"index.blocks.write": nil}),
	}, nil)
}
