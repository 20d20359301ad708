package indexer_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tidings/api/hooks"
	"tidings/event"
	"tidings/feed"
	"tidings/indexer"
	"tidings/mailbox"
)

// throughProvider is one mail as a provider tells of it: payloads of its webhook, which
// have {at} for the time and {seconds} for Unix seconds, and the names that it has.
type throughProvider struct {
	vendors, messageID string
	payloads           []string
}

var throughProviders = map[string]throughProvider{
	"sendgrid": {"14c5d75ce93.dfd.64b469", "14c5d75ce93.dfd.64b469@ismtpd-555", []string{
		`[{"event":"processed","email":"jo@acme.example","timestamp":{seconds},"smtp-id":"<14c5d75ce93.dfd.64b469@ismtpd-555>","sg_message_id":"14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0","sg_event_id":"p1"}]`,
		`[{"event":"open","email":"jo@acme.example","timestamp":{later},"sg_message_id":"14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0","sg_event_id":"o1"}]`,
	}},
	"postmark": {"883953f4-6105-42a2-a16a-77a8eac79483", "883953f4-6105-42a2-a16a-77a8eac79483@mtasv.net", []string{
		`{"RecordType":"Delivery","MessageID":"883953f4-6105-42a2-a16a-77a8eac79483","Recipient":"jo@acme.example","DeliveredAt":"{at}"}`,
		`{"RecordType":"Open","MessageID":"883953f4-6105-42a2-a16a-77a8eac79483","Recipient":"jo@acme.example","ReceivedAt":"{after}"}`,
	}},
	"mailgun": {"20261110.1@mg.acme.example", "20261110.1@mg.acme.example", []string{
		`{"signature":{},"event-data":{"id":"a1","event":"accepted","timestamp":{seconds},"recipient":"jo@acme.example","message":{"headers":{"message-id":"20261110.1@mg.acme.example","from":"ana@ours.example","to":"jo@acme.example"}}}}`,
		`{"signature":{},"event-data":{"id":"o1","event":"opened","timestamp":{later},"recipient":"jo@acme.example","message":{"headers":{"message-id":"20261110.1@mg.acme.example"}}}}`,
	}},
	"resend": {"56761188-7520-42d8-8898-ff6fc54ce618", "0100-resend@ours.example", []string{
		`{"type":"email.sent","created_at":"{at}","data":{"email_id":"56761188-7520-42d8-8898-ff6fc54ce618","message_id":"<0100-resend@ours.example>","from":"ana@ours.example","to":["jo@acme.example"],"subject":"Offer"}}`,
		`{"type":"email.opened","created_at":"{after}","data":{"email_id":"56761188-7520-42d8-8898-ff6fc54ce618","from":"ana@ours.example","to":["jo@acme.example"],"subject":"Offer"}}`,
	}},
	"ses": {"0100018f-ses", "0100018f-own@ours.example", []string{
		`{"eventType":"Send","mail":{"timestamp":"{at}","messageId":"0100018f-ses","source":"ana@ours.example","destination":["jo@acme.example"],"headers":[{"name":"Message-ID","value":"<0100018f-own@ours.example>"}],"commonHeaders":{"subject":"Offer"}},"send":{}}`,
		`{"eventType":"Open","mail":{"timestamp":"{at}","messageId":"0100018f-ses","destination":["jo@acme.example"]},"open":{"timestamp":"{after}","userAgent":"Mozilla/5.0"}}`,
	}},
}

// eventsOf are what a mail's events are, by its provider's webhook, by the API, and by a
// mailbox that has the mail and its answer.
func (p throughProvider) eventsOf(t require.TestingT, provider string) []event.Event {
	var events []event.Event
	limits := event.Limits{Now: time.Unix(start+86400, 0), Lenient: true}
	take := func(in event.Input, source string) {
		e, err := in.Event("w", source, limits)
		require.NoError(t, err)
		events = append(events, e)
	}
	moment := func(at int64) string { return time.Unix(at, 0).UTC().Format(time.RFC3339) }
	known, ok := hooks.New(nil, nil).Provider(provider)
	require.True(t, ok)
	for _, payload := range p.payloads {
		body := strings.NewReplacer(
			"{seconds}", strconv.Itoa(start), "{later}", strconv.Itoa(start+3000), "{at}", moment(start), "{after}", moment(start+3000),
		).Replace(payload)
		decoded, err := known.Decode(&hooks.Request{Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body)})
		require.NoError(t, err, body)
		require.NotEmpty(t, decoded.Events, body)
		for _, e := range decoded.Events {
			take(e.Input, provider)
		}
	}
	at := event.Moment(start)
	take(event.Input{
		Type: event.Send, Time: &at, Message: "offer-17", Aliases: []string{"<" + p.vendors + ">"}, User: "u_ana",
		Recipients: []event.Person{{Email: "jo@acme.example"}}, Subject: "Offer",
	}, "api")
	for _, mail := range []struct {
		text    string
		arrived bool
	}{
		{fmt.Sprintf("From: ana@ours.example\r\nTo: jo@acme.example\r\nSubject: Offer\r\nDate: %s\r\nMessage-ID: <%s>\r\n\r\nHello Jo",
			time.Unix(start, 0).UTC().Format(time.RFC1123Z), p.messageID), false},
		{fmt.Sprintf("From: Jo <jo@acme.example>\r\nTo: ana@ours.example\r\nSubject: Re: Offer\r\nDate: %s\r\nMessage-ID: <r1@acme.example>\r\nIn-Reply-To: <%s>\r\n\r\nYes",
			time.Unix(start+3600, 0).UTC().Format(time.RFC1123Z), p.messageID), true},
	} {
		m, err := mailbox.ParseMail([]byte(mail.text))
		require.NoError(t, err)
		reading, err := mailbox.Read(m, mailbox.Owner{Users: map[string]string{"ana@ours.example": "u_ana"}, Arrived: mail.arrived, Now: limits.Now})
		require.NoError(t, err)
		require.Len(t, reading.Events, 1)
		take(reading.Events[0], "import")
	}
	return events
}

func TestAMailThroughEachProviderIsOneMessageInAllOrders(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(slices.Sorted(maps.Keys(throughProviders))).Draw(t, "provider")
		p := throughProviders[name]
		events := p.eventsOf(t, name)
		s, closeStores := openStores(t)
		defer closeStores()
		q, l := newQueue(rapid.Permutation(events).Draw(t, "order")...), &listener{}
		x := indexer.New(s.config(q, l))
		for q.waiting() > 0 {
			require.NoError(t, x.Handle(context.Background(), q.take(rapid.IntRange(1, 3).Draw(t, "batch"))))
		}
		require.Empty(t, q.failed)
		s.reevaluator(l).quiet(t, s)
		reader := feed.NewReader(feed.Config{
			Index: s.index, States: s.state, Catalogue: s.state, Directory: nobody{},
			Clock: func() time.Time { return time.Unix(start+86400, 0) },
		})
		scope, ids := feed.Scope{Workspace: "w"}, make(map[string]bool)
		for _, called := range []string{"offer-17", p.vendors, p.messageID} {
			view, err := reader.Message(context.Background(), scope, called, "")
			require.NoError(t, err, called)
			ids[view.Message] = true
			require.Equal(t, "Offer", view.Subject)
			require.Len(t, view.Recipients, 1)
			require.NotNil(t, view.Recipients[0].Replied)
			page, err := reader.Timeline(context.Background(), scope, called, "", 50)
			require.NoError(t, err)
			require.Len(t, page.Items, len(events))
		}
		require.Len(t, ids, 1, "it is one message")
	})
}
