package bench

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"tidings/apiclient"
)

// ledger holds the ids of acknowledged events.
type ledger struct {
	n   int
	ids []string
}

// send sends events until ctx ends. What is refused is sent again later, as callers do.
func (l *ledger) send(ctx context.Context, client *apiclient.Client) {
	every := time.NewTicker(200 * time.Millisecond)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
		batch := make([]map[string]any, 10)
		for i := range batch {
			batch[i] = map[string]any{
				"id": fmt.Sprint("event-", l.n), "type": "open", "message": fmt.Sprint("m-", l.n), "user": "u_ana",
				"time": time.Now().Format(time.RFC3339), "recipient": map[string]string{"email": fmt.Sprintf("jo%d@customer.example", l.n)},
			}
			l.n++
		}
		var receipt struct {
			IDs []string `json:"ids"`
		}
		if err := client.Call(ctx, http.MethodPost, "/v1/events?ids=1", batch, &receipt); err == nil {
			l.ids = append(l.ids, receipt.IDs...)
		}
	}
}

// lost reads all pages until every acknowledged event is there, for a minute at most.
func (l *ledger) lost(ctx context.Context, client *apiclient.Client) (int, error) {
	patience := time.Now().Add(time.Minute)
	for {
		seen := make(map[string]bool, len(l.ids))
		for cursor := "/v1/feed?limit=200&automated=show"; cursor != ""; {
			var page struct {
				Items []struct {
					ID string `json:"id"`
				} `json:"items"`
				Next string `json:"next"`
			}
			if err := client.Call(ctx, http.MethodGet, cursor, nil, &page); err != nil {
				return 0, err
			}
			for _, item := range page.Items {
				seen[item.ID] = true
			}
			cursor = ""
			if page.Next != "" {
				cursor = "/v1/feed?limit=200&automated=show&cursor=" + page.Next
			}
		}
		lost := 0
		for _, id := range l.ids {
			if !seen[id] {
				lost++
			}
		}
		if lost == 0 || time.Now().After(patience) {
			return lost, nil
		}
		pause(ctx, time.Second)
	}
}

// timed asks ten times a second until ctx ends. Each is timed from when it should have
// begun, so that waiting in line counts: after one that took long the others that were due
// meanwhile are made up for.
func timed(ctx context.Context, ask func(context.Context) error, timing *Timing, failed *int) {
	for due := time.Now(); ; due = due.Add(100 * time.Millisecond) {
		pause(ctx, time.Until(due))
		if ctx.Err() != nil {
			return
		}
		err := ask(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			*failed++
		}
		timing.Record(time.Since(due))
	}
}
