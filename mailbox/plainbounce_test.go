package mailbox

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

// plainReports are delivery reports as mail systems word them, and mail that
// people write about such things. bounce is "hard", "soft", "deferred" or empty.
var plainReports = []struct {
	name, from, subject, header, body string
	bounce, recipient, message        string
}{
	{
		name: "exim", from: "Mail Delivery System <Mailer-Daemon@mx.acme.example>", subject: "Mail delivery failed: returning message to sender",
		header: "X-Failed-Recipients: jo@acme.example\n",
		body: `This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  jo@acme.example
    SMTP error from remote mail server after RCPT TO:<jo@acme.example>:
    host mx.acme.example [192.0.2.1]: 550 5.1.1 <jo@acme.example>: user unknown

------ This is a copy of the message, including all the headers. ------

Return-path: <ana@ours.example>
Message-ID: <m1@ours.example>
From: ana@ours.example
To: jo@acme.example
Subject: Pricing
`,
		bounce: "hard", recipient: "jo@acme.example", message: "m1@ours.example",
	},
	{
		name: "exim, no header of its own", from: "Mail Delivery System <Mailer-Daemon@mx.acme.example>", subject: "Mail delivery failed: returning message to sender",
		body: `This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. The following address(es) failed:

  kim@acme.example
    retry timeout exceeded
  jo@acme.example
    mailbox is full: 452 4.2.2 quota exceeded
`,
		bounce: "hard", recipient: "kim@acme.example",
	},
	{
		name: "exim, still trying", from: "Mail Delivery System <Mailer-Daemon@mx.acme.example>", subject: "Warning: message 1abc delayed 24 hours",
		body: `This message was created automatically by mail delivery software.
A message that you sent has not yet been delivered to one or more of its
recipients after more than 24 hours on the queue on mx.acme.example.

The address to which the message has not yet been delivered is:

  jo@acme.example
    Delay reason: Connection timed out

No action is required on your part. Delivery attempts will continue for
some time, and this warning may be repeated at intervals.
`,
		bounce: "deferred", recipient: "jo@acme.example",
	},
	{
		name: "qmail", from: "MAILER-DAEMON@mail.acme.example", subject: "failure notice",
		body: `Hi. This is the qmail-send program at mail.acme.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<jo@acme.example>:
192.0.2.7 does not like recipient.
Remote host said: 550 5.1.1 unknown user
Giving up on 192.0.2.7.

--- Below this line is a copy of the message.

Return-Path: <ana@ours.example>
From: ana@ours.example
To: jo@acme.example
Message-Id: <m2@ours.example>
`,
		bounce: "hard", recipient: "jo@acme.example", message: "m2@ours.example",
	},
	{
		name: "qmail, for the moment", from: "MAILER-DAEMON@mail.acme.example", subject: "failure notice",
		body: `Hi. This is the qmail-send program at mail.acme.example.
I'm afraid I wasn't able to deliver your message to the following addresses.

<jo@acme.example>:
Connected to 192.0.2.7 but sender was rejected.
Remote host said: 451 4.7.1 greylisted, try later
I'm not going to try again; this message has been in the queue too long.
`,
		bounce: "soft", recipient: "jo@acme.example",
	},
	{
		name: "yahoo", from: "MAILER-DAEMON@yahoo.example", subject: "Failure Notice",
		body: `Sorry, we were unable to deliver your message to the following address.

<jo@acme.example>:
554: delivery error: dd This user doesn't have an account (jo@acme.example) [0] - mta1.example

--- Below this line is a copy of the message.

Received: from [192.0.2.9]
From: Ana <ana@ours.example>
Message-ID: <m3@ours.example>
To: jo@acme.example
`,
		bounce: "hard", recipient: "jo@acme.example", message: "m3@ours.example",
	},
	{
		name: "postfix, its text alone", from: "MAILER-DAEMON@mx.ours.example (Mail Delivery System)", subject: "Undelivered Mail Returned to Sender",
		body: `This is the mail system at host mx.ours.example.

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients. It's attached below.

For further assistance, please send mail to postmaster.

                   The mail system

<jo@acme.example>: host mx.acme.example[192.0.2.1] said: 552 5.2.2 mailbox full
    (in reply to RCPT TO command)
`,
		bounce: "hard", recipient: "jo@acme.example",
	},
	{
		name: "gmail of before", from: "Mail Delivery Subsystem <mailer-daemon@googlemail.com>", subject: "Delivery Status Notification (Failure)",
		body: `Delivery to the following recipient failed permanently:

     jo@acme.example

Technical details of permanent failure:
Google tried to deliver your message, but it was rejected by the server for the recipient domain acme.example by mx.acme.example. [192.0.2.1].

The error that the other server returned was:
550 5.1.1 <jo@acme.example>... User unknown

----- Original message -----

MIME-Version: 1.0
From: Ana <ana@ours.example>
Message-ID: <m4@ours.example>
To: jo@acme.example
`,
		bounce: "hard", recipient: "jo@acme.example", message: "m4@ours.example",
	},
	{
		name: "gmail of today", from: "Mail Delivery Subsystem <mailer-daemon@googlemail.com>", subject: "Delivery Status Notification (Failure)",
		header: "X-Failed-Recipients: jo@acme.example\nIn-Reply-To: <m5@ours.example>\nReferences: <m5@ours.example>\n",
		body: `** Address not found **

Your message wasn't delivered to jo@acme.example because the address couldn't be found, or is unable to receive mail.

The response from the remote server was:
550 5.1.1 The email account that you tried to reach does not exist.
`,
		bounce: "hard", recipient: "jo@acme.example", message: "m5@ours.example",
	},
	{
		name: "gmail, delayed", from: "Mail Delivery Subsystem <mailer-daemon@googlemail.com>", subject: "Delivery Status Notification (Delay)",
		header: "X-Failed-Recipients: jo@acme.example\n",
		body: `** Delivery incomplete **

There was a temporary problem delivering your message to jo@acme.example. Gmail will retry for 46 more hours. You'll be notified if the delivery fails permanently.

This is a warning message only. You do not need to resend your message.
`,
		bounce: "deferred", recipient: "jo@acme.example",
	},
	{
		name: "sendmail", from: "Mail Delivery Subsystem <MAILER-DAEMON@mx.acme.example>", subject: "Returned mail: see transcript for details",
		body: `The original message was received at Tue, 10 Nov 2026 10:00:00 GMT
from localhost [127.0.0.1]

   ----- The following addresses had permanent fatal errors -----
<jo@acme.example>
    (reason: 550 5.1.1 User unknown)

   ----- Transcript of session follows -----
... while talking to mx.acme.example.:
>>> RCPT To:<jo@acme.example>
<<< 550 5.1.1 User unknown
550 5.1.1 <jo@acme.example>... User unknown
`,
		bounce: "hard", recipient: "jo@acme.example",
	},
	{
		name: "sendmail, still trying", from: "Mail Delivery Subsystem <MAILER-DAEMON@mx.acme.example>", subject: "Warning: could not send message for past 4 hours",
		body: `    **********************************************
    **      THIS IS A WARNING MESSAGE ONLY      **
    **  YOU DO NOT NEED TO RESEND YOUR MESSAGE  **
    **********************************************

   ----- The following addresses had transient non-fatal errors -----
<jo@acme.example>

   ----- Transcript of session follows -----
<jo@acme.example>... Deferred: Connection timed out with mx.acme.example.
Warning: message still undelivered after 4 hours
Will keep trying until message is 5 days old
`,
		bounce: "deferred", recipient: "jo@acme.example",
	},
	{
		name: "exchange 5.5", from: "System Administrator <postmaster@acme.example>", subject: "Undeliverable: Pricing",
		body: `Your message

  To:      jo@acme.example
  Subject: Pricing
  Sent:    Tue, 10 Nov 2026 10:00:00 -0000

did not reach the following recipient(s):

jo@acme.example on Tue, 10 Nov 2026 10:00:05 -0000
    The recipient name is not recognized
	The MTS-ID of the original message is: c=us;a= ;p=acme;l=EX1
    MSEXCH:IMS:ACME:SITE:EX1 0 (000C05A6) Unknown Recipient
`,
		bounce: "hard", recipient: "jo@acme.example",
	},
	{
		name: "exchange 2007", from: "Microsoft Exchange <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@acme.example>", subject: "Undeliverable: Pricing",
		body: `Delivery has failed to these recipients or distribution lists:

jo@acme.example<mailto:jo@acme.example>
The recipient's e-mail address was not found in the recipient's e-mail system.

Diagnostic information for administrators:

Generating server: ex1.acme.example

jo@acme.example
#550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##

Original message headers:

Received: from mx.ours.example
From: Ana <ana@ours.example>
To: jo@acme.example
Message-ID: <m6@ours.example>
`,
		bounce: "hard", recipient: "jo@acme.example", message: "m6@ours.example",
	},
	{
		name: "office 365", from: "postmaster@ours.example", subject: "Undeliverable: Pricing",
		body: `Your message to jo@acme.example couldn't be delivered.

jo wasn't found at acme.example.

Error Details
Reported error: 550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup
`,
		bounce: "hard", recipient: "jo@acme.example",
	},
	{
		name: "german", from: "MAILER-DAEMON@web.example", subject: "Mail delivery failed: returning message to sender",
		body: `Diese Nachricht wurde automatisch erzeugt.

Ihre Nachricht konnte nicht zugestellt werden:

jo@acme.example:
550 Requested action not taken: mailbox unavailable
`,
		bounce: "hard", recipient: "jo@acme.example",
	},
	{
		name: "an old gateway without a domain", from: "<MAILER-DAEMON>", subject: "Returned mail: User unknown",
		body: `   ----- The following addresses had permanent fatal errors -----
<jo@acme.example>
550 <jo@acme.example>... User unknown
`,
		bounce: "hard", recipient: "jo@acme.example",
	},
	{
		name: "a gateway that quotes addresses", from: "MAILER-DAEMON@mx.acme.example", subject: "WARNING. Mail Delayed: Re: Pricing",
		body: `This is a warning message only.
  Your message remains in the server queue,
  the server will try to send it again.

Message delivery to 'jo.o'brien@acme.example' delayed
SMTP module(domain acme.example) reports:
 relay.acme.example: no response
`,
		bounce: "deferred", recipient: "jo.o'brien@acme.example",
	},
	{
		name: "a person who writes about a bounce", from: "Kim <kim@acme.example>", subject: "Re: Pricing",
		header: "In-Reply-To: <m1@ours.example>\n",
		body: `Hi Ana, your last mail could not be delivered to jo@acme.example, she has left.
550 was what the server said. Best, Kim
`,
	},
	{
		name: "a person who passes a bounce on", from: "Kim <kim@acme.example>", subject: "Fwd: Undelivered Mail Returned to Sender",
		body: "See below, I'm afraid.\n\nThis is the mail system at host mx.\n\n<jo@acme.example>: host said: 550 5.1.1 user unknown\nyour message could not be delivered\n",
	},
	{
		name: "a postmaster who announces something", from: "Postmaster <postmaster@acme.example>", subject: "Maintenance on Sunday",
		body: "Dear colleagues,\n\nthe mail servers are updated on Sunday. Questions to help@acme.example.\n",
	},
}

func TestPlainReports(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	for _, c := range plainReports {
		t.Run(c.name, func(t *testing.T) {
			raw := "From: " + c.from + "\nTo: ana@ours.example\nSubject: " + c.subject +
				"\nDate: Tue, 10 Nov 2026 10:01:00 +0000\nMessage-ID: <report@acme.example>\n" + c.header + "\n" + c.body
			for _, ends := range []string{"\n", "\r\n"} {
				m, err := ParseMail([]byte(strings.ReplaceAll(raw, "\n", ends)))
				require.NoError(t, err)
				got, err := Read(m, Owner{Users: map[string]string{"ana@ours.example": "u_ana"}, Now: now})
				require.NoError(t, err)
				if c.bounce == "" {
					require.NotEqual(t, Report, got.Kind)
					for _, in := range got.Events {
						require.NotEqual(t, event.Bounce, in.Type)
					}
					continue
				}
				require.Equal(t, Report, got.Kind)
				require.NotEmpty(t, got.Events)
				in := got.Events[0]
				require.Equal(t, c.recipient, in.Recipient.Email)
				if c.message != "" {
					require.Equal(t, c.message, in.Message)
				}
				if c.bounce == "deferred" {
					require.Equal(t, event.Custom, in.Type)
					require.Equal(t, "deferred", in.Kind)
					continue
				}
				require.Equal(t, event.Bounce, in.Type)
				require.Equal(t, c.bounce, in.Bounce.Kind, in.Bounce.Detail)
				require.NotEmpty(t, in.Bounce.Detail)
			}
		})
	}
}
