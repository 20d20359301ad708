package forward

import (
	"context"
	"fmt"
	"strings"

	"tidings/deliver"
)

// toldAfterAll is why a device is not told, or not any more, that something is withdrawn.
const toldAfterAll = "it is told after all"

// retell has what was withdrawn and is told after all leave under the same ids: what was
// cancelled waits again, and a device that was told that it is taken back is told anew. A
// mail or a post that was sent stands, and does not come twice. It may be repeated.
func (n *Notes) retell(ctx context.Context, anew []deliver.Delivery) error {
	if len(anew) == 0 {
		return nil
	}
	if err := n.wait(ctx, anew, func(one deliver.Delivery) bool {
		return one.State == deliver.Cancelled && strings.HasPrefix(one.Why, withdrawnWhy)
	}); err != nil {
		return err
	}
	for _, one := range anew {
		if !deliver.IsDevice(one.Endpoint) {
			continue
		}
		taken := deliver.Filter{IDs: []string{deliver.ID(one.Workspace, one.Decision, deliver.WithdrawnType, one.Endpoint)}, State: deliver.Sent}
		shown, _, err := n.Outbox.List(ctx, one.Workspace, taken, "", 1)
		if err != nil {
			return fmt.Errorf("tell devices anew: %w", err)
		}
		if len(shown) == 0 {
			continue
		}
		if err := n.wait(ctx, []deliver.Delivery{one}, func(now deliver.Delivery) bool { return now.State == deliver.Sent }); err != nil {
			return err
		}
		_, err = n.Outbox.Change(ctx, one.Workspace, taken, func(now *deliver.Delivery) bool {
			now.State, now.Why = deliver.Cancelled, toldAfterAll
			return true
		})
		if err != nil {
			return fmt.Errorf("tell devices anew: %w", err)
		}
	}
	return nil
}

// wait has those of deliveries of one workspace wait again that are chosen by what became of
// them, until when they are due now.
func (n *Notes) wait(ctx context.Context, deliveries []deliver.Delivery, chosen func(deliver.Delivery) bool) error {
	due := make(map[string]int64, len(deliveries))
	byWorkspace := make(map[string][]string)
	for _, d := range deliveries {
		due[d.ID] = d.Due
		byWorkspace[d.Workspace] = append(byWorkspace[d.Workspace], d.ID)
	}
	for workspace, ids := range byWorkspace {
		_, err := n.Outbox.Change(ctx, workspace, deliver.Filter{IDs: ids}, func(one *deliver.Delivery) bool {
			if !chosen(*one) {
				return false
			}
			one.State, one.Due, one.Tried, one.Begun, one.Ended, one.Lease, one.Why = deliver.Waiting, due[one.ID], 0, 0, 0, 0, ""
			return true
		})
		if err != nil {
			return fmt.Errorf("deliver notifications anew: %w", err)
		}
	}
	return nil
}
