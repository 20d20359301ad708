package hooks

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// arrivalsKept bounds the first arrivals that a process without claims knows.
const arrivalsKept = 50_000

func newArrivals() *lru.Cache[string, time.Time] {
	cache, _ := lru.New[string, time.Time](arrivalsKept) // fails on a size below one alone
	return cache
}

// FirstArrival is when an event of a source came for the first time, for vendors
// that send no time with it: a retry is the same event then. It is known for a
// day, or less where very many have come since.
func (h *Hooks) FirstArrival(ctx context.Context, source, id string, now time.Time) (time.Time, error) {
	name := digest([]byte(source + "\n" + id))
	if h.claims == nil {
		if first, known, _ := h.arrivals.PeekOrAdd(name, now); known {
			return first, nil
		}
		return now, nil
	}
	kept, err := h.claims.Claim(ctx, "arrival "+name, strconv.FormatInt(now.Unix(), 10))
	if err != nil {
		return now, fmt.Errorf("note when an event first came: %w", err)
	}
	seconds, err := strconv.ParseInt(kept, 10, 64)
	if err != nil {
		return now, nil
	}
	return time.Unix(seconds, 0), nil
}

// keptHeaders are the headers that a decoder may need. The others, credentials
// among them, are neither kept nor shown to mappings.
var keptHeaders = map[string]bool{
	"Content-Type": true, "Webhook-Id": true, "Svix-Id": true, "Greenhouse-Event-Id": true, "Ce-Specversion": true, "Ce-Id": true,
	"Ce-Source": true, "Ce-Type": true, "Ce-Time": true, "X-Hook-Id": true, "X-Event-Id": true, "X-Event-Type": true, "X-Request-Id": true,
}

func isKept(name string) bool { return keptHeaders[name] }

// KeptHeaders are the names of the headers that Decode may need.
func KeptHeaders() []string {
	names := make([]string, 0, len(keptHeaders))
	for name := range keptHeaders {
		names = append(names, name)
	}
	return names
}

func jsonSample() *Request {
	return &Request{Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte("{}")}
}
