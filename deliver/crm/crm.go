package crm

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"tidings/address"
	"tidings/outbound"
)

// Vendor is whose CRM it is.
type Vendor string

// The vendors.
const (
	HubSpot    Vendor = "hubspot"
	Salesforce Vendor = "salesforce"
)

// Most is how many items go together.
const Most = 100

// Timeout is for all steps of some items together: what is not done by then is done at
// the next try.
const Timeout = 40 * time.Second

// Account is an account at a vendor, with its secrets open.
type Account struct {
	Vendor Vendor
	// URL is where its API is: of Salesforce the address of the company's domain there.
	URL string
	// Token is what HubSpot gives a private app.
	Token string
	// ClientID and ClientSecret are of an app at Salesforce that signs in as itself.
	ClientID, ClientSecret string
	Steps                  []EnsureStep
}

// Item is one thing that happened, of which the CRM is to know.
type Item struct {
	// ID is the same each time this is tried.
	ID string
	// Email is whose it is.
	Email string
	// Values are what the fields of a step may be set to, by the names in ValueNames.
	Values map[string]string
	Time   time.Time
	// Done are the steps that were done before, with the record that each came to.
	Done map[string]string
}

// Failure is why a step was not done.
type Failure struct {
	Status int
	// Code is the vendor's word for it, Text its sentence. Private says that neither is to
	// be shown.
	Code, Text string
	Private    bool
	// Final says that no other try can change anything.
	Final bool
	// All says that it is about the account, not about an item: nothing more is tried now.
	All bool
	// Stale says that the person's record is not what it was: it is looked for again.
	Stale bool
	// After is how long the vendor wants to be left alone.
	After time.Duration
}

func (f *Failure) Error() string {
	text := f.Text
	if f.Code != "" {
		text = f.Code + ": " + f.Text
	}
	switch {
	case text == "" || f.Private:
		return fmt.Sprintf("it answered %d", f.Status)
	case f.Status == 0:
		return text
	}
	return fmt.Sprintf("it answered %d %s", f.Status, text)
}

// Result is what came of an item.
type Result struct {
	// Done are all steps that were done, now or before.
	Done map[string]string
	// Failure is nil where all are.
	Failure *Failure
}

// outcome is what came of a step for one of its subjects.
type outcome struct {
	id      string
	failure *Failure
}

// person, member and occurrence are what steps are about.
type (
	person struct {
		email  string
		values map[string]string
	}
	occurrence struct {
		id, person string
		at         time.Time
		values     map[string]string
	}
)

// vendor does steps. Each returns an outcome a subject, in their order; no two subjects
// of a call are the same.
type vendor interface {
	people(ctx context.Context, step EnsureStep, people []person) []outcome
	members(ctx context.Context, step EnsureStep, persons []string) []outcome
	events(ctx context.Context, step EnsureStep, occurrences []occurrence) []outcome
	// check asks for what the steps need, and writes nothing.
	check(ctx context.Context, steps []EnsureStep) *Failure
}

// Client calls CRMs. It may be used by any number of goroutines.
type Client struct {
	out *outbound.Client

	mu     sync.Mutex
	tokens map[string]string // of Salesforce, by account
}

// NewClient makes a Client that calls through out.
func NewClient(out *outbound.Client) *Client {
	return &Client{out: out, tokens: make(map[string]string)}
}

func (c *Client) of(account Account) vendor {
	if account.Vendor == Salesforce {
		return &salesforce{client: c, account: account}
	}
	return &hubspot{client: c, account: account}
}

// Check says what is wrong with an account: its secrets are tried and the lists or
// campaigns looked for. Nothing is written. nil says that all is well.
func (c *Client) Check(ctx context.Context, account Account) *Failure {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	return c.of(account).check(ctx, account.Steps)
}

// Ensure does the steps for up to Most items, and returns a result for each in their
// order. An item goes on from the first step that was not done for it.
func (c *Client) Ensure(ctx context.Context, account Account, items []Item) []Result {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	vendor := c.of(account)
	results := make([]Result, len(items))
	for i, item := range items {
		results[i].Done = maps.Clone(item.Done)
		if results[i].Done == nil {
			results[i].Done = make(map[string]string)
		}
	}
	for _, step := range account.Steps {
		todo := make([]int, 0, len(items))
		for i := range items {
			if _, done := results[i].Done[step.key()]; !done && results[i].Failure == nil {
				todo = append(todo, i)
			}
		}
		if all := ensure(ctx, vendor, step, items, results, todo); all != nil {
			fail(results, account.Steps, all)
			break
		}
	}
	return results
}

// ensure does a step for the items at todo. What it returns is about the account.
func ensure(ctx context.Context, vendor vendor, step EnsureStep, items []Item, results []Result, todo []int) (all *Failure) {
	subjects, of := group(step, items, results, todo)
	for begin := 0; begin < len(subjects); begin += step.together() {
		part := subjects[begin:min(begin+step.together(), len(subjects))]
		for k, out := range do(ctx, vendor, step, part, items, results) {
			for _, i := range of[begin+k] {
				switch {
				case out.failure == nil:
					results[i].Done[step.key()] = out.id
				case out.failure.All:
					all = out.failure
				default:
					results[i].Failure = out.failure
				}
				if out.failure != nil && out.failure.Stale {
					delete(results[i].Done, personStep)
				}
			}
		}
		if all != nil {
			return all
		}
	}
	return nil
}

// group finds the first item of each subject of a step, and all items that are about it.
func group(step EnsureStep, items []Item, results []Result, todo []int) (subjects []int, of [][]int) {
	at := make(map[string]int)
	for _, i := range todo {
		key := items[i].ID
		switch step.Ensure {
		case ensurePerson:
			key = address.Fold(items[i].Email)
		case ensureMember:
			key = results[i].Done[personStep]
		}
		k, known := at[key]
		if !known {
			k = len(subjects)
			at[key], subjects, of = k, append(subjects, i), append(of, nil)
		}
		of[k] = append(of[k], i)
	}
	return subjects, of
}

// do does a step for some of its subjects, each named by an item.
func do(ctx context.Context, vendor vendor, step EnsureStep, subjects []int, items []Item, results []Result) []outcome {
	switch step.Ensure {
	case ensurePerson:
		people := make([]person, len(subjects))
		for k, i := range subjects {
			people[k] = person{address.Fold(items[i].Email), items[i].Values}
		}
		return vendor.people(ctx, step, people)
	case ensureMember:
		persons := make([]string, len(subjects))
		for k, i := range subjects {
			persons[k] = results[i].Done[personStep]
		}
		return vendor.members(ctx, step, persons)
	}
	occurrences := make([]occurrence, len(subjects))
	for k, i := range subjects {
		occurrences[k] = occurrence{items[i].ID, results[i].Done[personStep], items[i].Time, items[i].Values}
	}
	return vendor.events(ctx, step, occurrences)
}

// fail gives a failure of the account to every item for which not all is done.
func fail(results []Result, steps []EnsureStep, all *Failure) {
	for i := range results {
		for _, step := range steps {
			if _, done := results[i].Done[step.key()]; !done && results[i].Failure == nil {
				results[i].Failure = all
			}
		}
	}
}

// every is the same outcome for all subjects of a call.
func every(n int, failure *Failure) []outcome {
	outs := make([]outcome, n)
	for i := range outs {
		outs[i].failure = failure
	}
	return outs
}

// halves does the halves of what was refused as a whole one after the other, so that one
// that is refused holds up no other.
func halves[T any](subjects []T, do func([]T) []outcome) []outcome {
	middle := len(subjects) / 2
	outs := do(subjects[:middle])
	for _, out := range outs {
		if out.failure != nil && out.failure.All {
			return append(outs, every(len(subjects)-middle, out.failure)...)
		}
	}
	return append(outs, do(subjects[middle:])...)
}
