package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// mutableBytes says which fields the bytes of either design are of. Weeks are one segment
// each; the one index is as it was written, with what its updates have deleted and no merge
// has taken out yet, and then merged to one segment, which is more than an index can have
// that is written to.
func (b *elasticBench) mutableBytes(ctx context.Context, weekly string, sealed, state, oneIndex int64) error {
	one := b.prefix + "-mutable"
	ofWeeks, err := b.raw.fieldBytes(ctx, weekly)
	ofOne, errOne := b.raw.fieldBytes(ctx, one)
	if err := errors.Join(err, errOne); err != nil {
		return err
	}
	if err := b.raw.awaitForgotten(ctx, one); err != nil {
		return err
	}
	if err := b.raw.ask(ctx, http.MethodPost, "/"+one+"-*/_forcemerge?max_num_segments=1", nil, nil); err != nil {
		return err
	}
	if _, err := b.raw.refresh(ctx, one); err != nil {
		return err
	}
	merged, err := b.raw.size(ctx, one)
	ofMerged, errMerged := b.raw.fieldBytes(ctx, one)
	if err := errors.Join(err, errMerged); err != nil {
		return err
	}
	each := func(size int64) float64 { return float64(size) / float64(b.Events) }
	fmt.Fprintf(b.Out, `
| P7, bytes an event by field | weeks, sealed | one mutable index | the same, merged to one segment |
| --- | --- | --- | --- |
| all, state included | %.0f | %.0f | %.0f |
| weeks ÷ that | | %.2f | %.2f |
| state | %.0f | | |
`, each(sealed+state), each(oneIndex), each(merged),
		float64(sealed+state)/float64(oneIndex), float64(sealed+state)/float64(merged), each(state))
	for i, name := range byBytes(ofOne) {
		if i == fieldsShown {
			break
		}
		fmt.Fprintf(b.Out, "| `%s` | %.0f | %.0f | %.0f |\n", name, each(ofWeeks[name]), each(ofOne[name]), each(ofMerged[name]))
	}
	return nil
}
