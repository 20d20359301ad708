package deliver_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tidings/deliver"
	"tidings/deliver/crm"
	"tidings/deliver/crm/crmtest"
	"tidings/outbound"
)

// office is a worker's surroundings with one endpoint, a CRM.
type office struct {
	house
	people int
	out    *outbound.Client
}

// Content is of one of the people, each of whom has several deliveries.
func (o *office) Content(_ context.Context, d deliver.Delivery) (deliver.Content, string, error) {
	var n int
	_, err := fmt.Sscanf(d.ID, "d-%d", &n)
	email := fmt.Sprintf("jo%d@acme.example", n%o.people)
	return deliver.Content{
		Sentence: "Jo opened “Pricing”", Subject: "Pricing", Person: "Jo de la Cruz", Email: email, Time: time.UnixMilli(d.At), Link: "https://t.example/#event=1",
	}, "", err
}

func newOffice(t *testing.T, account crm.Account, address string, people int) *office {
	outbox := openOutbox(t)
	allow, err := outbound.ParseAllow([]string{address})
	require.NoError(t, err)
	out := outbound.New(allow)
	t.Cleanup(out.HTTP().CloseIdleConnections)
	return &office{house: house{
		t: t, outbox: outbox, now: time.UnixMilli(1_795_000_000_000), health: map[string]deliver.Health{},
		endpoints: map[string]deliver.Endpoint{"crm": {
			EndpointKey: deliver.EndpointKey{Workspace: "w", Endpoint: "crm"}, Kind: deliver.Kind(account.Vendor), Enabled: true, Account: account,
		}},
	}, people: people, out: out}
}

// process is a worker that begins anew: it remembers nothing of those before.
func (o *office) process(outbox deliver.Outbox) *deliver.Worker {
	return deliver.NewWorker(deliver.Config{
		Outbox: outbox, Endpoints: o, Source: o, Sender: deliver.NewSender(o.out, o.clock), Clock: o.clock, Random: func() float64 { return 0.5 },
	})
}

func (o *office) enter(ids ...int) {
	at := o.clock().UnixMilli()
	all := make([]deliver.Delivery, len(ids))
	for i, n := range ids {
		all[i] = deliver.Delivery{
			ID: fmt.Sprintf("d-%03d", n), Workspace: "w", Endpoint: "crm", Type: "open", Reason: "search", At: at, Due: at, State: deliver.Waiting,
		}
	}
	require.NoError(o.t, o.outbox.Add(o.t.Context(), all))
}

// finish has everything go well, and sends again what failed, until nothing waits.
func (o *office) finish() {
	again := func(d *deliver.Delivery) bool { return d.Again(o.clock().UnixMilli()) }
	worker := o.process(o.outbox)
	for range 50 {
		o.pass(30 * time.Hour)
		o.health = map[string]deliver.Health{}
		_, err := o.outbox.Change(o.t.Context(), "w", deliver.Filter{State: deliver.Failed}, again)
		require.NoError(o.t, err)
		require.NoError(o.t, worker.Look(o.t.Context()))
		worker.Idle()
		if len(o.of(deliver.Waiting)) == 0 && len(o.of(deliver.Failed)) == 0 {
			return
		}
	}
	o.t.Fatal("something is never sent")
}

// mortal is an outbox of a process that may be dead.
type mortal struct {
	deliver.Outbox
	dead *atomic.Bool
}

func (m mortal) Resolve(ctx context.Context, d deliver.Delivery, lease int64) error {
	if m.dead.Load() {
		return errKilled
	}
	return m.Outbox.Resolve(ctx, d, lease)
}

// struggle lets processes live and die over an outbox while the CRM fails in every way.
func (o *office) struggle(t *rapid.T, set func(func() crmtest.Fault)) {
	for range rapid.IntRange(1, 6).Draw(t, "processes") {
		faults := rapid.SliceOfN(rapid.SampledFrom(crmtest.Faults), 1, 12).Draw(t, "faults")
		// The process dies at its n-th call: before it, or after it took effect.
		left := rapid.IntRange(1, 12).Draw(t, "calls before it is killed")
		after := rapid.Bool().Draw(t, "the last call takes effect")
		var dead atomic.Bool
		calls := 0
		set(func() crmtest.Fault {
			if dead.Load() {
				return crmtest.Dead
			}
			calls++
			if calls == left {
				dead.Store(true)
				if after {
					return crmtest.Lost
				}
				return crmtest.Dead
			}
			return faults[calls%len(faults)]
		})
		worker := o.process(mortal{o.outbox, &dead})
		for range rapid.IntRange(1, 4).Draw(t, "looks") {
			require.NoError(t, worker.Look(o.t.Context()))
			worker.Idle()
			o.pass(time.Duration(rapid.SampledFrom([]int{1, 10, 90, 3600}).Draw(t, "seconds")) * time.Second)
		}
		if n := rapid.IntRange(0, 40).Draw(t, "another event"); n < 20 {
			o.enter(20 + n)
		}
		o.pass(2 * time.Minute) // Leases end.
	}
	set(nil)
}

func total(o *office) int {
	list, _, err := o.outbox.List(o.t.Context(), "w", deliver.Filter{}, "", 1000)
	require.NoError(o.t, err)
	return len(list)
}

// Whatever HubSpot does, and however often the process is killed: at the end each person
// is one contact and once on the list, and each delivery is one event.
func TestHubSpotHasEachOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		fake := crmtest.NewHubSpot("pat-1", "17")
		defer fake.Close()
		people := rapid.IntRange(1, 8).Draw(rt, "people")
		o := newOffice(t, crm.Account{Vendor: crm.HubSpot, URL: fake.URL, Token: "pat-1", Steps: []crm.EnsureStep{
			{Ensure: "person"}, {Ensure: "member", Of: "17"}, {Ensure: "event", Of: "pe1_opened"},
		}}, fake.Listener.Addr().String(), people)
		defer o.out.HTTP().CloseIdleConnections()
		o.enter(0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
		o.struggle(rt, fake.SetFault)
		o.finish()
		events := 0
		for email := range fake.Contacts() {
			events += fake.Events(email)
		}
		require.Len(rt, fake.Contacts(), people)
		require.Equal(rt, people, fake.Members("17"))
		require.Equal(rt, total(o), events)
	})
}

func TestSalesforceHasEachOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		fake := crmtest.NewSalesforce("app", "secret", "701A")
		defer fake.Close()
		people := rapid.IntRange(1, 8).Draw(rt, "people")
		fake.AddContact("Jo0@acme.example") // One of them is a contact already.
		o := newOffice(t, crm.Account{
			Vendor: crm.Salesforce, URL: fake.URL, ClientID: "app", ClientSecret: "secret",
			Steps: []crm.EnsureStep{{Ensure: "person"}, {Ensure: "member", Of: "701A", Set: map[string]string{"Status": "Responded"}}, {Ensure: "event"}},
		}, fake.Listener.Addr().String(), people)
		defer o.out.HTTP().CloseIdleConnections()
		o.enter(0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
		o.struggle(rt, fake.SetFault)
		o.finish()
		require.Equal(rt, 1, fake.Count("Contact", nil))
		require.Equal(rt, people-1, fake.Count("Lead", nil))
		require.Equal(rt, people, fake.Count("CampaignMember", map[string]string{"CampaignId": "701A", "Status": "Responded"}))
		for _, d := range o.of("") {
			require.Equal(rt, 1, fake.Count("Task", map[string]string{"Tidings_Key__c": d.ID}))
			require.Equal(rt, []string{"event", "member/701A", "person"}, d.Steps())
		}
	})
}

// What waits goes in few calls, and one that is refused holds up no other.
func TestManyGoTogether(t *testing.T) {
	fake := crmtest.NewHubSpot("pat-1", "17")
	defer fake.Close()
	o := newOffice(t, crm.Account{Vendor: crm.HubSpot, URL: fake.URL, Token: "pat-1", Steps: []crm.EnsureStep{
		{Ensure: "person"}, {Ensure: "member", Of: "17"}, {Ensure: "event", Of: "pe1_opened", Set: map[string]string{"hs_page_title": "$subject"}},
	}}, fake.Listener.Addr().String(), 100)
	ids := make([]int, 100)
	for i := range ids {
		ids[i] = i
	}
	o.enter(ids...)
	worker := o.process(o.outbox)
	require.NoError(t, worker.Look(t.Context()))
	worker.Idle()
	require.Len(t, o.of(deliver.Sent), 100)
	calls, largest := fake.Calls()
	require.Equal(t, 6, calls, "two to read, two to make, one for the list, one for the events")
	require.Equal(t, 100, largest)
	require.Equal(t, map[string]string{"email": "jo1@acme.example", "firstname": "Jo de la", "lastname": "Cruz"}, fake.Fields("jo1@acme.example"))
}

// A token that ended pauses the endpoint and loses nothing.
func TestATokenThatEndedIsMended(t *testing.T) {
	fake := crmtest.NewHubSpot("pat-2", "17")
	defer fake.Close()
	account := crm.Account{Vendor: crm.HubSpot, URL: fake.URL, Token: "pat-1", Steps: []crm.EnsureStep{{Ensure: "person"}}}
	o := newOffice(t, account, fake.Listener.Addr().String(), 3)
	o.enter(1, 2, 3)
	worker := o.process(o.outbox)
	for range 5 {
		require.NoError(t, worker.Look(t.Context()))
		worker.Idle()
		o.pass(3 * time.Hour)
	}
	require.Len(t, o.of(deliver.Waiting), 3)
	require.NotEqual(t, deliver.OK, o.health["crm"].Mode)
	require.Equal(t, "it answered 401", o.health["crm"].Why, "what a private host says is nobody's business")
	e := o.endpoints["crm"]
	e.Account.Token = "pat-2"
	o.endpoints["crm"] = e
	o.pass(10 * time.Hour)
	require.NoError(t, worker.Look(t.Context()))
	worker.Idle()
	worker.Wake()
	o.pass(10 * time.Hour)
	require.NoError(t, worker.Look(t.Context()))
	worker.Idle()
	require.Len(t, o.of(deliver.Sent), 3)
	require.Equal(t, deliver.OK, o.health["crm"].Mode)
}

// What names nobody is not sent.
func TestNobodyIsMadeOfNobody(t *testing.T) {
	fake := crmtest.NewHubSpot("pat-1")
	defer fake.Close()
	account := crm.Account{Vendor: crm.HubSpot, URL: fake.URL, Token: "pat-1", Steps: []crm.EnsureStep{{Ensure: "person"}}}
	o := newOffice(t, account, fake.Listener.Addr().String(), 1)
	o.enter(1)
	worker := deliver.NewWorker(deliver.Config{
		Outbox: o.outbox, Endpoints: o, Source: &o.house, Sender: deliver.NewSender(o.out, o.clock), Clock: o.clock,
	})
	require.NoError(t, worker.Look(t.Context()))
	worker.Idle()
	cancelled := o.of(deliver.Cancelled)
	require.Len(t, cancelled, 1)
	require.Equal(t, "it names nobody who could be in a CRM", cancelled[0].Why)
	calls, _ := fake.Calls()
	require.Zero(t, calls)
}
