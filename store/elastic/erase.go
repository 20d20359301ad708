package elastic

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"tidings/event"
	"tidings/query"
)

// eraseBatch is how many documents are taken out at a time.
const eraseBatch = 500

// EraseRecipient takes a person out of every week of a workspace, sealed ones
// and those being built too: events about them are deleted, and a send to others
// as well is rewritten without them. It may be stopped and repeated; it says what
// this call did. A sealed week is merged again, so that nothing of them stays on
// its disks; in an open week that is done by the merges that it has anyway, at
// the latest by sealing it.
func (x *Index) EraseRecipient(ctx context.Context, workspace, email string) (deleted []event.ID, rewritten []event.Event, err error) {
	forms := event.TextsOf(email)
	now, err := x.look(ctx, time.Now())
	if err != nil {
		return nil, nil, failed("erasing a recipient", err)
	}
	r := removal{
		workspace: workspace, indices: x.names.every() + now.left(x.names),
		where: object{"terms": object{"recipient": forms}},
		left: func(e event.Event) (event.Event, bool) {
			e.Recipients = slices.DeleteFunc(slices.Clone(e.Recipients), func(p event.Person) bool { return slices.Contains(forms, p.Email) })
			return e, len(e.Recipients) > 0
		},
	}
	if err = x.remove(ctx, &r); err == nil {
		err = event.DamagedWeeks(slices.Collect(maps.Values(now.damage))).Err()
	}
	return slices.Collect(maps.Keys(r.deleted)), slices.Collect(maps.Values(r.rewritten)), failed("erasing a recipient", err)
}

// left are the patterns that leave damaged weeks out of all.
func (h health) left(n names) string {
	text := ""
	for _, week := range slices.Sorted(maps.Keys(h.damage)) {
		text += ",-" + n.of(week)
	}
	return text
}

// maxMessages is how many messages one request names.
const maxMessages = 1000

// RemoveSends takes the sends of messages out of a week, sealed or not, and
// returns how many it took.
func (x *Index) RemoveSends(ctx context.Context, week event.Week, messages []event.MessageKey) (int, error) {
	if err := x.Usable(ctx, week); err != nil {
		return 0, failed("removing sends from week "+week.String(), err)
	}
	byWorkspace := make(map[string][]string)
	for _, key := range messages {
		byWorkspace[key.Workspace] = append(byWorkspace[key.Workspace], key.Message)
	}
	var removals []*removal
	for workspace, messages := range byWorkspace {
		for some := range slices.Chunk(messages, maxMessages) {
			removals = append(removals, &removal{
				workspace: workspace, indices: x.names.of(week),
				where: object{"bool": object{"filter": []object{
					{"term": object{"type": event.Send}}, {"terms": object{"message": some}},
				}}},
				left: func(e event.Event) (event.Event, bool) { return e, false },
			})
		}
	}
	err := x.remove(ctx, removals...)
	removed := 0
	for _, r := range removals {
		removed += len(r.deleted)
	}
	return removed, failed("removing sends from week "+week.String(), err)
}

// removal takes events of one workspace out of indices.
type removal struct {
	index     *Index
	workspace string
	// indices is the pattern of their names.
	indices string
	where   object
	// left is what stays of an event, if anything does.
	left func(event.Event) (event.Event, bool)

	deleted   map[event.ID]bool
	rewritten map[event.ID]event.Event
	// unblocked are the indices whose block was taken off, for all removals.
	unblocked map[string]bool
}

// remove makes removals one after the other. Sealed indices are open meanwhile,
// and sealed again at the end.
func (x *Index) remove(ctx context.Context, removals ...*removal) (err error) {
	unblocked := make(map[string]bool)
	defer func() {
		for index := range unblocked {
			if sealing := errors.Join(x.merge(ctx, index), x.block(ctx, index)); !gone(sealing) {
				err = errors.Join(err, sealing)
			}
		}
	}()
	err = x.Refresh(ctx)
	for try := 1; gone(err) && try < maxTries; try++ {
		err = x.Refresh(ctx)
	}
	if err != nil {
		return err
	}
	for _, r := range removals {
		r.index, r.unblocked = x, unblocked
		r.deleted, r.rewritten = make(map[event.ID]bool), make(map[event.ID]event.Event)
		if err := r.run(ctx); err != nil {
			return err
		}
	}
	return nil
}

// run goes on until a search finds nothing more.
func (r *removal) run(ctx context.Context) error {
	for met := 0; met < maxTries; {
		documents, err := r.find(ctx)
		if err != nil || len(documents) == 0 {
			return err
		}
		documents, err = r.next(ctx, documents)
		conflicts := 0
		if err == nil {
			conflicts, err = r.take(ctx, documents)
		}
		if err != nil && !gone(err) {
			return err
		}
		if err != nil || conflicts > 0 || len(documents) == 0 {
			met++
		}
	}
	return fmt.Errorf("%w: others keep writing what is to be removed", event.ErrUnavailable)
}

// gone reports whether an index is not there any more: another generation has
// taken its place since it was found, or its week was dropped.
func gone(err error) bool {
	var refused *refusal
	return errors.As(err, &refused) && refused.kind == kindNoIndex
}

func (r *removal) find(ctx context.Context) ([]found, error) {
	documents, err := r.index.search(ctx, r.workspace, []string{r.indices}, object{
		"size":                eraseBatch,
		"track_total_hits":    false,
		"seq_no_primary_term": true,
		"query":               scoped(r.workspace, query.AutomatedShow, r.where),
		"sort":                []string{"_doc"},
	})
	if _, none := errors.AsType[*fewer](err); none {
		return nil, nil // there is no index yet
	}
	return documents, err
}

// next returns the documents to take now, and takes the blocks off the indices
// that they are in. An index that is being built loses an event after the one that
// is read has lost it: were it the other way, a block between the two would leave
// the week with an event that its next index lacks.
func (r *removal) next(ctx context.Context, documents []found) ([]found, error) {
	infos, err := r.index.indices(ctx, r.indices)
	if err != nil {
		return nil, err
	}
	var taken, built []found
	for _, d := range documents {
		_, read := infos[d.Index].Aliases[r.index.names.alias(d.Source.Event.Week())]
		if _, stays := r.left(d.Source.Event); read || stays {
			taken = append(taken, d)
		} else {
			built = append(built, d)
		}
	}
	if len(taken) == 0 {
		if taken, err = r.lost(ctx, built); err != nil {
			return nil, err
		}
	}
	for _, d := range taken {
		if err := r.unblock(ctx, d.Index, infos[d.Index], d.Source.Event.Week()); err != nil {
			return nil, err
		}
	}
	return taken, nil
}

// unblock takes the block off an index.
func (r *removal) unblock(ctx context.Context, index string, info indexInfo, week event.Week) error {
	if r.unblocked[index] || !info.blocked() {
		return nil
	}
	if info.moving(r.index.names, week) {
		return errBlocked(week)
	}
	r.unblocked[index] = true
	return r.index.unblock(ctx, index)
}

// lost returns those of the documents whose event the index that is read has not.
func (r *removal) lost(ctx context.Context, documents []found) ([]found, error) {
	events := make([]event.Event, len(documents))
	for i, d := range documents {
		events[i] = d.Source.Event
	}
	held, err := r.index.documents(ctx, events)
	return slices.DeleteFunc(documents, func(d found) bool {
		_, holds := held[d.Source.Event.ID]
		return holds
	}), err
}

// take removes documents, and reports how many changed after they were found.
func (r *removal) take(ctx context.Context, documents []found) (conflicts int, err error) {
	actions, staying := make([]action, len(documents)), make([]event.Event, len(documents))
	for i, d := range documents {
		e, stays := r.left(d.Source.Event)
		actions[i] = action{op: opDelete, target: target{
			Index: d.Index, ID: e.ID, Routing: r.workspace, SeqNo: d.SeqNo, Term: d.Term,
		}}
		if stays {
			actions[i].op, staying[i] = opIndex, e
			if actions[i].doc, err = encode(e); err != nil {
				return 0, err
			}
		}
	}
	results, err := r.index.bulk(ctx, actions, true)
	if err != nil {
		return 0, err
	}
	for i, result := range results {
		switch {
		case result.Status == http.StatusConflict:
			conflicts++
		case result.Status == http.StatusNotFound && actions[i].op == opDelete: // somebody else's repetition
		case result.Error.Type == kindBlocked: // sealed after it was looked at
			conflicts++
			delete(r.unblocked, actions[i].target.Index)
		case result.err() != nil:
			return conflicts, result.err()
		case actions[i].op == opDelete:
			r.deleted[actions[i].target.ID] = true
		default:
			r.rewritten[staying[i].ID] = staying[i]
		}
	}
	return conflicts, nil
}
