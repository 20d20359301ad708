package hooks

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

func decodeJSON(t *testing.T, provider, body string) Decoded {
	t.Helper()
	p, ok := New(nil, nil).Provider(provider)
	require.True(t, ok)
	d, err := p.Decode(&Request{Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body)})
	require.NoError(t, err)
	_, refused := goodEvents(d, today)
	require.Empty(t, refused)
	return d
}

// formOf is a form of inbound parse.
func formOf(fields ...string) *Request {
	var b strings.Builder
	for i := 0; i < len(fields); i += 2 {
		b.WriteString("--xYzZY\r\nContent-Disposition: form-data; name=\"" + fields[i] + "\"\r\n\r\n" + fields[i+1] + "\r\n")
	}
	b.WriteString("--xYzZY--\r\n")
	return &Request{Header: http.Header{"Content-Type": {"multipart/form-data; boundary=xYzZY"}}, Body: []byte(b.String())}
}

func TestAReplyNamesTheMessageAsSendGridDoes(t *testing.T) {
	for _, id := range []string{"<sCm0pfDPRjy@geopod-ismtpd-8>", "<sCm0pfDPRjy@ismtpd0042p1sjc2.sendgrid.net>", "<sCm0pfDPRjy@geopod-ismtpd-canary-0>"} {
		d, err := sendgrid{}.Decode(formOf("headers", "Date: Sat, 21 Nov 2026 10:23:45 +0000\nMessage-ID: <r1@x.example>\nIn-Reply-To: "+id+
			"\nFrom: Jo <jo@geo.example>\nTo: ana@example.org\nSubject: Re: x", "text", "Yes."))
		require.NoError(t, err)
		require.Len(t, d.Events, 1)
		require.Equal(t, event.Reply, d.Events[0].Type)
		require.Equal(t, "sCm0pfDPRjy", d.Events[0].Message)
	}
}

func TestAnUnknownCharsetFallsBack(t *testing.T) {
	const header = "Date: Sat, 21 Nov 2026 10:23:45 +0000\nMessage-ID: <r1@x.example>\nIn-Reply-To: <m1@x.example>\nFrom: jo@geo.example"
	for _, fields := range [][]string{
		{"headers", header, "text", "Gr\xfc\xdfe", "charsets", `{"text":"x-unknown"}`},
		{"headers", header, "text", "Gr\xfc\xdfe"},
		{"headers", header, "text", "Gr\xfc\xdfe", "charsets", `{"text":7}`},
		{"headers", header, "text", "Gr\xfc\xdfe", "charsets", `{"text":"iso-8859-1"}`},
		{"headers", header, "text", "Grüße"},
	} {
		d, err := sendgrid{}.Decode(formOf(fields...))
		require.NoError(t, err)
		require.Len(t, d.Events, 1)
		require.Equal(t, "Grüße", d.Events[0].Body)
	}
}

func TestWhatMailsMeanAtAnInboundHook(t *testing.T) {
	const date = "Date: Sat, 21 Nov 2026 10:23:45 +0000\nMessage-ID: <r1@x.example>\nFrom: Jo <jo@x.example>\nTo: ana@example.org\nIn-Reply-To: <m1@x.example>\n"
	d, err := sendgrid{}.Decode(formOf("headers", date+"Subject: Automatic reply: x\nAuto-Submitted: auto-replied", "text", "I am away."))
	require.NoError(t, err)
	require.Len(t, d.Events, 1)
	require.NotEqual(t, event.Reply, d.Events[0].Type, "an automatic answer is no reply")
	report := strings.ReplaceAll("From: MAILER-DAEMON@mx.example\nTo: ana@example.org\nDate: Sat, 21 Nov 2026 10:23:45 +0000\nMessage-ID: <b1@mx.example>\n"+
		"Subject: Undelivered\nMIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary=q\n\n--q\nContent-Type: text/plain\n\nSorry.\n"+
		"--q\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; jo@x.example\nAction: failed\nStatus: 5.1.1\n"+
		"Diagnostic-Code: smtp; 550 5.1.1 unknown\n\n--q\nContent-Type: message/rfc822\n\nMessage-ID: <m1@x.example>\nFrom: ana@example.org\nTo: jo@x.example\nSubject: x\n\nHi\n--q--\n", "\n", "\r\n")
	d, err = sendgrid{}.Decode(formOf("email", report))
	require.NoError(t, err)
	require.Len(t, d.Events, 1)
	require.Equal(t, event.Bounce, d.Events[0].Type)
	require.Equal(t, "m1@x.example", d.Events[0].Message)
	require.Equal(t, event.BounceHard, d.Events[0].Bounce.Kind)
	require.Equal(t, "jo@x.example", d.Events[0].Recipient.Email)
}

func TestPostmarkTellsOfPeopleWithoutAMessage(t *testing.T) {
	d := decodeJSON(t, "postmark", `{"RecordType":"SubscriptionChange","MessageID":null,"ChangedAt":"2026-11-20T18:08:18Z",`+
		`"Recipient":"jo@acme.example","SuppressSending":true,"SuppressionReason":"ManualSuppression","Tag":null,"Metadata":{}}`)
	require.Equal(t, event.Unsubscribe, d.Events[0].Type)
	require.NotEmpty(t, d.Events[0].Message)
}

func TestTwoGroupsInOneSecondAreTwoEvents(t *testing.T) {
	d := decodeJSON(t, "sendgrid", `[{"email":"jo@sg.example","timestamp":1763285400,"event":"group_unsubscribe","asm_group_id":7,"sg_message_id":"Q.filterx"},`+
		`{"email":"jo@sg.example","timestamp":1763285400,"event":"group_unsubscribe","asm_group_id":8,"sg_message_id":"Q.filterx"}]`)
	require.NotEqual(t, d.Events[0].ID, d.Events[1].ID)
}

func TestComplaintsThatNameNobody(t *testing.T) {
	complaint := func(subtype, people string) Event {
		d := decodeJSON(t, "ses", `{"notificationType":"Complaint","mail":{"timestamp":"2026-11-20T18:16:46.000Z","messageId":"z1","source":"ana@example.org",`+
			`"destination":[`+people+`]},"complaint":{"timestamp":"2026-11-20T18:16:46.000Z","complainedRecipients":[],"complaintSubType":`+subtype+`}}`)
		require.Len(t, d.Events, 1)
		return d.Events[0]
	}
	one := complaint(`null`, `"jo@x.example"`)
	require.Equal(t, event.Complaint, one.Type)
	require.Equal(t, "jo@x.example", one.Recipient.Email)
	several := complaint(`null`, `"jo@x.example","li@x.example"`)
	require.Equal(t, event.Complaint, several.Type)
	require.Nil(t, several.Recipient)
	listed := complaint(`"OnAccountSuppressionList"`, `"jo@x.example"`)
	require.Equal(t, event.BounceRejected, listed.Bounce.Kind, "it was not sent: nobody complained now")
}

func TestSESThroughEventBridge(t *testing.T) {
	d := decodeJSON(t, "ses", `{"Type":"Notification","Timestamp":"2026-11-20T18:16:47.000Z","Message":"{\"version\":\"0\",\"source\":\"aws.ses\",`+
		`\"detail-type\":\"Email Opened\",\"time\":\"2026-11-20T18:16:46Z\",\"detail\":{\"eventType\":\"Open\",\"mail\":{\"messageId\":\"z1\",`+
		`\"timestamp\":\"2026-11-20T18:00:00Z\",\"destination\":[\"jo@x.example\"],\"headers\":[{\"name\":\"Message-ID\",\"value\":\"<own@x.example>\"}]},`+
		`\"open\":{\"userAgent\":\"Mozilla/5.0\"}}}"}`)
	require.Equal(t, event.Open, d.Events[0].Type)
	require.EqualValues(t, 1795198606, *d.Events[0].Time)
	require.Equal(t, []string{"own@x.example"}, d.Events[0].Aliases)
}

func TestWhatABounceSays(t *testing.T) {
	for _, c := range []struct{ provider, body, kind string }{
		{"resend", `{"type":"email.bounced","created_at":"2026-11-20T18:08:18Z","data":{"email_id":"e1","to":["jo@x.example"],"bounce":{"type":"Undetermined"}}}`, "soft"},
		{"resend", `{"type":"email.bounced","created_at":"2026-11-20T18:08:18Z","data":{"email_id":"e1","to":["jo@x.example"],"bounce":{"type":"Permanent","subType":"General"}}}`, "hard"},
		{"resend", `{"type":"email.bounced","created_at":"2026-11-20T18:08:18Z","data":{"email_id":"e1","to":["jo@x.example"],"bounce":{"type":"Permanent","subType":"OnAccountSuppressionList"}}}`, "rejected"},
		{"ses", `{"eventType":"Bounce","mail":{"messageId":"z","destination":["jo@x.example"]},"bounce":{"bounceType":"Undetermined","timestamp":"2026-11-20T18:08:18Z","bouncedRecipients":[{"emailAddress":"jo@x.example"}]}}`, "soft"},
		{"ses", `{"eventType":"Reject","mail":{"timestamp":"2026-11-20T18:08:18Z","messageId":"z","destination":["jo@x.example"]},"reject":{"reason":"Bad content"}}`, "rejected"},
		{"sendgrid", `[{"event":"dropped","email":"jo@x.example","timestamp":1763285400,"sg_message_id":"m.filter1","reason":"Unsubscribed Address"}]`, "rejected"},
		{"sendgrid", `[{"event":"dropped","email":"jo@x.example","timestamp":1763285400,"sg_message_id":"m.filter1","reason":"Invalid"}]`, "hard"},
		{"mailgun", `{"event-data":{"event":"failed","severity":"permanent","reason":"suppress-bounce","id":"1","timestamp":1763285400.1,"recipient":"jo@x.example","message":{"headers":{"message-id":"m@x"}}}}`, "rejected"},
		{"postmark", `{"RecordType":"Bounce","Type":"VirusNotification","ID":4,"MessageID":"m","Email":"jo@x.example","BouncedAt":"2026-11-20T18:08:18Z"}`, "rejected"},
		{"postmark", `{"RecordType":"Bounce","Type":"SomethingNew","ID":4,"MessageID":"m","Email":"jo@x.example","BouncedAt":"2026-11-20T18:08:18Z"}`, "soft"},
	} {
		d := decodeJSON(t, c.provider, c.body)
		require.Equal(t, event.Bounce, d.Events[0].Type, c.body)
		require.Equal(t, c.kind, d.Events[0].Bounce.Kind, c.body)
	}
}

func TestOneOfSeveralOpened(t *testing.T) {
	const open = `{"type":"email.opened","created_at":"2026-11-20T18:08:18Z","data":{"email_id":"e1","to":["jo@x.example","li@x.example"],%s"open":{"userAgent":"x"}}}`
	d := decodeJSON(t, "resend", strings.Replace(open, "%s", "", 1))
	require.Len(t, d.Events, 1)
	require.Nil(t, d.Events[0].Recipient)
	require.Len(t, d.Events[0].Candidates, 2)
	e, err := d.Events[0].Input.Event("w", "resend", event.Limits{Now: today})
	require.NoError(t, err)
	require.Empty(t, event.ChangeOf(e).First, "it marks nobody")
	require.False(t, e.Counted())
	d = decodeJSON(t, "resend", strings.Replace(open, "%s", `"tags":{"recipient":"li@x.example"},`, 1))
	require.Equal(t, "li@x.example", d.Events[0].Recipient.Email)
}

func TestATokenIsBoundToItsContents(t *testing.T) {
	one := formOf("token", "t1", "timestamp", "1", "body-plain", "Hi")
	again := &Request{Header: http.Header{"Content-Type": {"multipart/form-data; boundary=other"}}, Body: []byte(strings.ReplaceAll(string(one.Body), "xYzZY", "other"))}
	require.Equal(t, contents(one), contents(again))
	require.NotEqual(t, contents(one), contents(formOf("token", "t1", "timestamp", "1", "body-plain", "Ho")))
	require.NotEqual(t, contents(formOf("a", "bc")), contents(formOf("ab", "c")))
}

func TestObjectsOfHubSpotByType(t *testing.T) {
	d := decodeJSON(t, "hubspot", `[{"eventId":1,"portalId":2,"occurredAt":1763285400250,"subscriptionType":"object.propertyChange","objectId":17,"objectTypeId":"0-3","propertyName":"dealstage","propertyValue":"won"}]`)
	require.Equal(t, "hubspot/deal/17", d.Events[0].Message)
	require.Equal(t, "deal-17@hubspot.invalid", d.Events[0].Recipient.Email)
}
