package crm_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"tidings/deliver/crm"
	"tidings/deliver/crm/crmtest"
	"tidings/outbound"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func client(t *testing.T, address string) *crm.Client {
	t.Helper()
	allow, err := outbound.ParseAllow([]string{address})
	require.NoError(t, err)
	out := outbound.New(allow)
	t.Cleanup(out.HTTP().CloseIdleConnections)
	return crm.NewClient(out)
}

func hub(t *testing.T, steps ...crm.EnsureStep) (*crmtest.HubSpot, *crm.Client, crm.Account) {
	t.Helper()
	fake := crmtest.NewHubSpot("pat-1", "17")
	t.Cleanup(fake.Close)
	return fake, client(t, fake.Listener.Addr().String()), crm.Account{Vendor: crm.HubSpot, URL: fake.URL, Token: "pat-1", Steps: steps}
}

func force(t *testing.T, steps ...crm.EnsureStep) (*crmtest.Salesforce, *crm.Client, crm.Account) {
	t.Helper()
	fake := crmtest.NewSalesforce("app", "secret", "701A")
	t.Cleanup(fake.Close)
	return fake, client(t, fake.Listener.Addr().String()), crm.Account{
		Vendor: crm.Salesforce, URL: fake.URL, ClientID: "app", ClientSecret: "secret", Steps: steps,
	}
}

var (
	person = crm.EnsureStep{Ensure: "person"}
	onList = crm.EnsureStep{Ensure: "member", Of: "17"}
	opened = crm.EnsureStep{Ensure: "event", Of: "pe1_opened"}
	joined = crm.EnsureStep{Ensure: "member", Of: "701A"}
	task   = crm.EnsureStep{Ensure: "event"}
	when   = time.Date(2026, 11, 16, 12, 0, 0, 0, time.UTC)
)

func items(emails ...string) []crm.Item {
	all := make([]crm.Item, len(emails))
	for i, email := range emails {
		all[i] = crm.Item{ID: fmt.Sprintf("d-%d", i), Email: email, Time: when, Values: map[string]string{
			"email": email, "first_name": "Jo", "last_name": "Reyes", "domain": "acme.example", "sentence": "Jo Reyes opened “Pricing”", "link": "https://t.example/",
		}}
	}
	return all
}

// faults gives one after the other, and None from then on.
func faults(all ...crmtest.Fault) func() crmtest.Fault {
	return func() crmtest.Fault {
		if len(all) == 0 {
			return crmtest.None
		}
		first := all[0]
		all = all[1:]
		return first
	}
}

func TestHowHubSpotFails(t *testing.T) {
	for name, c := range map[string]struct {
		faults []crmtest.Fault
		email  string
		want   crm.Failure
	}{
		"its limit":               {[]crmtest.Fault{crmtest.Limited}, "jo@acme.example", crm.Failure{Status: 429, All: true, After: 10 * time.Second}},
		"an outage":               {[]crmtest.Fault{crmtest.Broken}, "jo@acme.example", crm.Failure{Status: 502, All: true}},
		"a lock":                  {[]crmtest.Fault{crmtest.Locked}, "jo@acme.example", crm.Failure{Status: 423, All: true}},
		"a token that ended":      {[]crmtest.Fault{crmtest.Expired}, "jo@acme.example", crm.Failure{Status: 401, All: true}},
		"another made them":       {[]crmtest.Fault{crmtest.None, crmtest.Raced}, "jo@acme.example", crm.Failure{Status: 409}},
		"an address that is none": {nil, "bad@acme.example", crm.Failure{Status: 400, Final: true}},
		"no answer":               {[]crmtest.Fault{crmtest.None, crmtest.Lost}, "jo@acme.example", crm.Failure{All: true}},
	} {
		t.Run(name, func(t *testing.T) {
			fake, client, account := hub(t, person, onList, opened)
			fake.SetFault(faults(c.faults...))
			failure := client.Ensure(t.Context(), account, items(c.email))[0].Failure
			require.NotNil(t, failure)
			require.Equal(t, c.want, crm.Failure{Status: failure.Status, Final: failure.Final, All: failure.All, After: failure.After})
			again := client.Ensure(t.Context(), account, items(c.email))[0].Failure
			require.Equal(t, c.want.Final, again != nil)
		})
	}
}

func TestHowSalesforceFails(t *testing.T) {
	for name, c := range map[string]struct {
		faults []crmtest.Fault
		want   crm.Failure
	}{
		"its limit":         {[]crmtest.Fault{crmtest.None, crmtest.Limited}, crm.Failure{Status: 429, All: true, After: 10 * time.Second}},
		"an outage":         {[]crmtest.Fault{crmtest.None, crmtest.None, crmtest.Broken}, crm.Failure{Status: 503, All: true}},
		"a lock":            {[]crmtest.Fault{crmtest.None, crmtest.None, crmtest.None, crmtest.Locked}, crm.Failure{Status: 200}},
		"another made them": {[]crmtest.Fault{crmtest.None, crmtest.None, crmtest.None, crmtest.Raced}, crm.Failure{Status: 200}},
		"no answer":         {[]crmtest.Fault{crmtest.None, crmtest.None, crmtest.None, crmtest.Lost}, crm.Failure{All: true}},
	} {
		t.Run(name, func(t *testing.T) {
			fake, client, account := force(t, person, joined, task)
			fake.SetFault(faults(c.faults...))
			failure := client.Ensure(t.Context(), account, items("jo@acme.example"))[0].Failure
			require.NotNil(t, failure)
			require.Equal(t, c.want, crm.Failure{Status: failure.Status, Final: failure.Final, All: failure.All, After: failure.After})
			require.Nil(t, client.Ensure(t.Context(), account, items("jo@acme.example"))[0].Failure)
			require.Equal(t, 1, fake.Count("Lead", nil))
			require.Equal(t, 1, fake.Count("Task", nil))
		})
	}
}

// A session that ends is begun anew within the call.
func TestASessionEndsInTheMiddle(t *testing.T) {
	fake, client, account := force(t, person, joined, task)
	fake.SetFault(faults(crmtest.None, crmtest.None, crmtest.Expired, crmtest.None, crmtest.None, crmtest.Expired))
	require.Nil(t, client.Ensure(t.Context(), account, items("jo@acme.example"))[0].Failure)
	require.Equal(t, 1, fake.Count("CampaignMember", nil))
	account.ClientSecret = "another"
	failure := client.Ensure(t.Context(), account, items("jo@acme.example"))[0].Failure
	require.True(t, failure.All)
	require.False(t, failure.Final, "somebody mends it")
}

// One that is refused takes nobody with it.
func TestOneOfManyIsRefused(t *testing.T) {
	fake, client, account := hub(t, person, opened)
	results := client.Ensure(t.Context(), account, items("a@acme.example", "bad@acme.example", "c@acme.example", "d@acme.example", "A@acme.example"))
	for i, result := range results {
		require.Equal(t, i == 1, result.Failure != nil, "item %d", i)
	}
	require.Len(t, fake.Contacts(), 3)
	require.Equal(t, 2, fake.Events("a@acme.example"), "one contact, two events")
}

// A record that was merged, or converted, is looked for again.
func TestAPersonIsAnotherRecord(t *testing.T) {
	fake, client, account := hub(t, person, onList)
	one := items("jo@acme.example")
	account.Steps = account.Steps[:1]
	one[0].Done = client.Ensure(t.Context(), account, one)[0].Done
	fake.Merge("jo@acme.example")
	account.Steps = []crm.EnsureStep{person, onList}
	result := client.Ensure(t.Context(), account, one)[0]
	require.True(t, result.Failure.Stale)
	require.Empty(t, result.Done)
	one[0].Done = result.Done
	require.Nil(t, client.Ensure(t.Context(), account, one)[0].Failure)
	require.Equal(t, 1, fake.Members("17"))

	sales, client, account := force(t, person, joined)
	one = items("jo@acme.example")
	account.Steps = account.Steps[:1]
	one[0].Done = client.Ensure(t.Context(), account, one)[0].Done
	contact := sales.Convert("jo@acme.example")
	account.Steps = []crm.EnsureStep{person, joined}
	result = client.Ensure(t.Context(), account, one)[0]
	require.True(t, result.Failure.Stale)
	one[0].Done = result.Done
	require.Nil(t, client.Ensure(t.Context(), account, one)[0].Failure)
	require.Equal(t, 1, sales.Count("CampaignMember", map[string]string{"ContactId": contact}))
}

// Somebody in sales gave the lead another address: it is the same lead by its key.
func TestALeadKeepsItsKey(t *testing.T) {
	fake, client, account := force(t, person)
	require.Nil(t, client.Ensure(t.Context(), account, items("jo@acme.example"))[0].Failure)
	fake.Rename("jo@acme.example", "jo.reyes@acme.example")
	require.Nil(t, client.Ensure(t.Context(), account, items("JO@acme.example"))[0].Failure)
	require.Equal(t, 1, fake.Count("Lead", nil))
}

// What is there stays as it is.
func TestNobodyIsWrittenOver(t *testing.T) {
	step := crm.EnsureStep{Ensure: "person", Set: map[string]string{"Industry": "Paper", "Title": "$type"}}
	fake, client, account := force(t, step)
	one := items("o'neil@acme.example")
	require.Nil(t, client.Ensure(t.Context(), account, one)[0].Failure)
	_, fields := fake.Find("Lead", "o'neil@acme.example")
	require.Equal(t, "Reyes", fields["LastName"])
	require.Equal(t, "acme.example", fields["Company"])
	require.Equal(t, "Paper", fields["Industry"])
	require.NotContains(t, fields, "Title", "it has no value")
	one[0].Values["last_name"] = "Somebody"
	require.Nil(t, client.Ensure(t.Context(), account, one)[0].Failure)
	_, fields = fake.Find("Lead", "o'neil@acme.example")
	require.Equal(t, "Reyes", fields["LastName"])
}

func TestCheckFindsWhatIsWrong(t *testing.T) {
	_, client, account := hub(t, person, onList)
	require.Nil(t, client.Check(t.Context(), account))
	account.Steps = []crm.EnsureStep{person, {Ensure: "member", Of: "18"}}
	require.Equal(t, 404, client.Check(t.Context(), account).Status)
	account.Token = "pat-9"
	require.Equal(t, 401, client.Check(t.Context(), account).Status)

	fake, client, account := force(t, person, joined, task)
	require.Nil(t, client.Check(t.Context(), account))
	require.Zero(t, fake.Count("Lead", nil))
	account.Steps[1].Of = "701B"
	require.Equal(t, 404, client.Check(t.Context(), account).Status)
}

func TestWhatStepsMayBe(t *testing.T) {
	for name, c := range map[string]struct {
		vendor crm.Vendor
		steps  []crm.EnsureStep
		ok     bool
	}{
		"HubSpot":                 {crm.HubSpot, []crm.EnsureStep{person, onList, opened}, true},
		"Salesforce":              {crm.Salesforce, []crm.EnsureStep{person, joined, task}, true},
		"none":                    {crm.HubSpot, nil, false},
		"no person":               {crm.HubSpot, []crm.EnsureStep{onList}, false},
		"two persons":             {crm.HubSpot, []crm.EnsureStep{person, person}, false},
		"twice":                   {crm.HubSpot, []crm.EnsureStep{person, onList, onList}, false},
		"another path":            {crm.HubSpot, []crm.EnsureStep{person, {Ensure: "member", Of: "../../x"}}, false},
		"another query":           {crm.Salesforce, []crm.EnsureStep{person, {Ensure: "member", Of: "x' OR"}}, false},
		"an event without a name": {crm.HubSpot, []crm.EnsureStep{person, {Ensure: "event"}}, false},
		"an event with a name":    {crm.Salesforce, []crm.EnsureStep{person, opened}, false},
		"another word":            {crm.HubSpot, []crm.EnsureStep{person, {Ensure: "deal"}}, false},
		"a value that is none":    {crm.HubSpot, []crm.EnsureStep{{Ensure: "person", Set: map[string]string{"a": "$b"}}}, false},
		"a field that is none":    {crm.HubSpot, []crm.EnsureStep{{Ensure: "person", Set: map[string]string{"a b": "c"}}}, false},
		"fields of a membership":  {crm.HubSpot, []crm.EnsureStep{person, {Ensure: "member", Of: "17", Set: map[string]string{"a": "b"}}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.ok, crm.CheckSteps(c.vendor, c.steps) == nil)
		})
	}
}
