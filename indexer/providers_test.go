package indexer_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/api/hooks"
	"tidings/event"
	"tidings/mailbox"
)

// throughProvider is one mail as a provider tells of it: payloads of its webhook, which
// have {at} for the time and {seconds} for Unix seconds, and the names that it has.
type throughProvider struct {
	vendors, messageID string
	payloads           []string
	// answer is the request by which the provider passes an answer on, nil where it does
	// not say what that answers.
	answer func(messageID string) (contentType, body string)
}

// answered is what a provider's inbound hook says of an answer in a form.
func answered(messageID string, more map[string]string) (contentType, body string) {
	header := "From: Jo <jo@acme.example>\r\nTo: ana@ours.example\r\nSubject: Re: Offer\r\nDate: {date}\r\nMessage-ID: <r2@acme.example>\r\nIn-Reply-To: <" + messageID + ">\r\n"
	form := url.Values{
		"headers": {header}, "from": {"Jo <jo@acme.example>"}, "to": {"ana@ours.example"}, "subject": {"Re: Offer"}, "text": {"Yes"},
		"sender": {"jo@acme.example"}, "recipient": {"ana@ours.example"}, "body-plain": {"Yes"}, "stripped-text": {"Yes"}, "timestamp": {"{seconds}"},
		"In-Reply-To": {"<" + messageID + ">"}, "Message-Id": {"<r2@acme.example>"}, "Date": {"{date}"},
	}
	for name, value := range more {
		form.Set(name, value)
	}
	return "application/x-www-form-urlencoded", form.Encode()
}

var throughProviders = map[string]throughProvider{
	"sendgrid": {"14c5d75ce93.dfd.64b469", "14c5d75ce93.dfd.64b469@ismtpd-555", []string{
		`[{"event":"processed","email":"jo@acme.example","timestamp":{seconds},"smtp-id":"<14c5d75ce93.dfd.64b469@ismtpd-555>","sg_message_id":"14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0","sg_event_id":"p1"}]`,
		`[{"event":"open","email":"jo@acme.example","timestamp":{later},"sg_message_id":"14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0","sg_event_id":"o1"}]`,
	}, func(id string) (string, string) { return answered(id, nil) }},
	"postmark": {"883953f4-6105-42a2-a16a-77a8eac79483", "883953f4-6105-42a2-a16a-77a8eac79483@mtasv.net", []string{
		`{"RecordType":"Delivery","MessageID":"883953f4-6105-42a2-a16a-77a8eac79483","Recipient":"jo@acme.example","DeliveredAt":"{at}"}`,
		`{"RecordType":"Open","MessageID":"883953f4-6105-42a2-a16a-77a8eac79483","Recipient":"jo@acme.example","ReceivedAt":"{after}"}`,
	}, func(id string) (string, string) {
		return "application/json", `{"FromFull":{"Email":"jo@acme.example","Name":"Jo"},"OriginalRecipient":"ana@ours.example","Subject":"Re: Offer","MessageID":"in-2","Date":"{date}","TextBody":"Yes","Headers":[{"Name":"Message-ID","Value":"<r2@acme.example>"},{"Name":"In-Reply-To","Value":"<` + id + `>"}]}`
	}},
	"mailgun": {"20261110.1@mg.acme.example", "20261110.1@mg.acme.example", []string{
		`{"signature":{},"event-data":{"id":"a1","event":"accepted","timestamp":{seconds},"recipient":"jo@acme.example","message":{"headers":{"message-id":"20261110.1@mg.acme.example","from":"ana@ours.example","to":"jo@acme.example"}}}}`,
		`{"signature":{},"event-data":{"id":"o1","event":"opened","timestamp":{later},"recipient":"jo@acme.example","message":{"headers":{"message-id":"20261110.1@mg.acme.example"}}}}`,
	}, func(id string) (string, string) {
		return answered(id, map[string]string{
			"token": "t1", "signature": "s1",
			"message-headers": `[["From","Jo <jo@acme.example>"],["To","ana@ours.example"],["Subject","Re: Offer"],["Date","{date}"],["Message-Id","<r2@acme.example>"],["In-Reply-To","<` + id + `>"]]`,
		})
	}},
	"resend": {"56761188-7520-42d8-8898-ff6fc54ce618", "0100-resend@ours.example", []string{
		`{"type":"email.sent","created_at":"{at}","data":{"email_id":"56761188-7520-42d8-8898-ff6fc54ce618","message_id":"<0100-resend@ours.example>","from":"ana@ours.example","to":["jo@acme.example"],"subject":"Offer"}}`,
		`{"type":"email.opened","created_at":"{after}","data":{"email_id":"56761188-7520-42d8-8898-ff6fc54ce618","from":"ana@ours.example","to":["jo@acme.example"],"subject":"Offer"}}`,
	}, nil},
	"ses": {"0100018f-ses", "0100018f-own@ours.example", []string{
		`{"eventType":"Send","mail":{"timestamp":"{at}","messageId":"0100018f-ses","source":"ana@ours.example","destination":["jo@acme.example"],"headers":[{"name":"Message-ID","value":"<0100018f-own@ours.example>"}],"commonHeaders":{"subject":"Offer"}},"send":{}}`,
		`{"eventType":"Open","mail":{"timestamp":"{at}","messageId":"0100018f-ses","destination":["jo@acme.example"]},"open":{"timestamp":"{after}","userAgent":"Mozilla/5.0"}}`,
	}, func(id string) (string, string) {
		raw, _ := json.Marshal("From: Jo <jo@acme.example>\r\nTo: ana@ours.example\r\nSubject: Re: Offer\r\nDate: {date}\r\nMessage-ID: <r2@acme.example>\r\nIn-Reply-To: <" + id + ">\r\n\r\nYes")
		return "text/plain", `{"notificationType":"Received","receipt":{"recipients":["ana@ours.example"]},"mail":{"timestamp":"{after}","messageId":"in-2","source":"jo@acme.example","destination":["ana@ours.example"]},"content":` + string(raw) + `}`
	}},
}

// eventsOf are what a mail's events are, by its provider's webhook, also of an answer that
// came in there, by the API, and by a mailbox that has the mail and another answer.
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
	date := time.Unix(start+7200, 0).UTC().Format(time.RFC1123Z)
	told := func(contentType, payload string) {
		body := strings.NewReplacer(
			"{seconds}", strconv.Itoa(start), "{later}", strconv.Itoa(start+3000), "{at}", moment(start), "{after}", moment(start+3000),
			"{date}", date, url.QueryEscape("{date}"), url.QueryEscape(date), url.QueryEscape("{seconds}"), strconv.Itoa(start),
		).Replace(payload)
		decoded, err := known.Decode(&hooks.Request{Header: http.Header{"Content-Type": {contentType}}, Body: []byte(body)})
		require.NoError(t, err, body)
		require.NotEmpty(t, decoded.Events, body)
		for _, e := range decoded.Events {
			take(e.Input, provider)
		}
	}
	for _, payload := range p.payloads {
		told("application/json", payload)
	}
	if p.answer != nil {
		told(p.answer(p.messageID))
		require.Equal(t, event.Reply, events[len(events)-1].Type)
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
