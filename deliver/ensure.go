package deliver

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"tidings/deliver/crm"
)

// together reports whether what waits for an endpoint goes there many at a time, as it does
// to a CRM.
func (w *Worker) together(ctx context.Context, key EndpointKey) bool {
	e, err := w.Endpoints.Endpoint(ctx, key)
	return err == nil && e.Kind.CRM() // What cannot be read is said of each delivery.
}

// deliverTogether makes one try for all that was claimed of a CRM, and writes down what
// came of each.
func (w *Worker) deliverTogether(ctx context.Context, claimed []Delivery) error {
	endpoint, why, err := w.prepare(ctx, claimed[0])
	if err != nil {
		return err
	}
	var ready []Delivery
	var contents []Content
	var problems []error
	for _, d := range claimed {
		content, reason := Content{}, why
		if why == "" {
			if content, reason, err = w.Source.Content(ctx, d); err != nil {
				problems = append(problems, err)
				continue // It comes back after its lease.
			}
		}
		if reason == "" && content.Email == "" {
			reason = "it names nobody who could be in a CRM"
		}
		if reason == "" {
			ready, contents = append(ready, d), append(contents, content)
			continue
		}
		lease := d.Lease
		d.end(Cancelled, reason, w.Clock())
		problems = append(problems, w.resolve(ctx, d, lease))
	}
	if len(ready) == 0 {
		return errors.Join(problems...)
	}
	outs := w.Sender.ensure(ctx, endpoint, ready, contents)
	for i, d := range ready {
		lease, late := d.Lease, w.late(d)
		d.Done = outs[i].Done
		w.judge(&d, endpoint, outs[i])
		w.tried(endpoint, d, outs[i], late-time.Duration(outs[i].Took)*time.Millisecond)
		problems = append(problems, w.resolve(ctx, d, lease))
	}
	if learned, ok := telling(ready, outs); ok {
		err = w.learn(ctx, endpoint, learned)
	}
	return errors.Join(append(problems, err)...)
}

// telling is the outcome that says most about an endpoint: one that went well, or else
// one that was not about its delivery alone. Replays say nothing.
func telling(deliveries []Delivery, outs []Outcome) (told Outcome, ok bool) {
	for i, out := range outs {
		switch {
		case deliveries[i].Replay:
		case out.OK:
			return out, true
		case !ok || told.Final && !out.Final:
			told, ok = out, true
		}
	}
	return told, ok
}

// ensure makes one try in a CRM for all of some deliveries; a test looks alone.
func (s *Sender) ensure(ctx context.Context, e Endpoint, deliveries []Delivery, contents []Content) []Outcome {
	begun := s.Clock()
	outs := make([]Outcome, len(deliveries))
	if len(deliveries) == 1 && deliveries[0].Type == TestType {
		outs[0] = s.ensured(begun, crm.Result{Failure: s.CRM.Check(ctx, e.Account)})
		return outs
	}
	items := make([]crm.Item, len(deliveries))
	for i, d := range deliveries {
		items[i] = itemOf(d, contents[i])
	}
	for i, result := range s.CRM.Ensure(ctx, e.Account, items) {
		outs[i] = s.ensured(begun, result)
	}
	return outs
}

// ensured is a result as an outcome.
func (s *Sender) ensured(begun time.Time, result crm.Result) Outcome {
	out := Outcome{Try: Try{At: millis(begun), Took: s.Clock().Sub(begun).Milliseconds()}, Done: result.Done}
	failure := result.Failure
	if failure == nil {
		out.OK = true
		return out
	}
	out.Status, out.Final, out.After = failure.Status, failure.Final, failure.After
	out.Error = printable([]byte(failure.Error()))
	return out
}

// itemOf is what a CRM is to know of a delivery.
func itemOf(d Delivery, c Content) crm.Item {
	first, last := splitName(c.Person)
	_, domain, _ := strings.Cut(c.Email, "@")
	return crm.Item{
		ID: d.ID, Email: c.Email, Time: c.Time, Done: d.Done,
		Values: map[string]string{
			"email": c.Email, "name": c.Person, "first_name": first, "last_name": last, "domain": domain, "type": d.Type,
			"subject": c.Subject, "sentence": c.Sentence, "time": c.Time.UTC().Format(time.RFC3339), "link": c.Link, "owner": c.Owner,
		},
	}
}

// splitName takes the last word of a name for the last name, and what is before a comma
// where there is one.
func splitName(name string) (first, last string) {
	if before, after, found := strings.Cut(name, ","); found {
		return strings.TrimSpace(after), strings.TrimSpace(before)
	}
	words := strings.Fields(name)
	if len(words) == 0 {
		return "", ""
	}
	return strings.Join(words[:len(words)-1], " "), words[len(words)-1]
}

// Steps are the steps that were done for a delivery, by name.
func (d Delivery) Steps() []string { return slices.Sorted(maps.Keys(d.Done)) }
