package deliver

import (
	"context"
	"errors"
	"time"

	"tidings/deliver/crm"
	"tidings/outbound"
)

// Sender sends by every channel.
type Sender struct {
	Out    *outbound.Client
	Mailer *Mailer
	CRM    *crm.Client
	Clock  func() time.Time
}

// NewSender makes a Sender that calls through out.
func NewSender(out *outbound.Client, clock func() time.Time) *Sender {
	return &Sender{Out: out, Mailer: NewMailer(out), CRM: crm.NewClient(out), Clock: clock}
}

// Send makes one try.
func (s *Sender) Send(ctx context.Context, e Endpoint, d Delivery, c Content) Outcome {
	switch e.Kind {
	case Webhook:
		return s.webhook(ctx, e, d, c)
	case Slack:
		return s.slack(ctx, e, c)
	case Teams:
		return s.teams(ctx, e, c)
	case Mail:
		return s.mail(ctx, e, d, c)
	case Push:
		return s.push(ctx, e, d, c)
	case HubSpot, Salesforce:
		return s.ensure(ctx, e, []Delivery{d}, []Content{c})[0]
	}
	return broken(s.Clock(), errors.New("this kind of endpoint is not known"))
}

// mail sends one letter.
func (s *Sender) mail(ctx context.Context, e Endpoint, d Delivery, c Content) Outcome {
	now := s.Clock()
	out := Outcome{Try: Try{At: millis(now)}}
	err := s.Mailer.Send(ctx, e.Server, Letter{
		ID: d.WebhookID(), To: e.To, Subject: c.Sentence, Text: mailText(c), Reason: d.Reason, Unsubscribe: c.Unsubscribe, Date: time.UnixMilli(d.At).UTC(),
	})
	var failed *MailError
	if out.OK = err == nil; errors.As(err, &failed) {
		out.Error, out.Status, out.Final = failed.Error(), failed.Code, failed.Final
	}
	out.Took = s.Clock().Sub(now).Milliseconds()
	return out
}

func mailText(c Content) string {
	text := OneLine(c.Sentence, 500) + "\n"
	if c.Subject != "" {
		text += "\n" + OneLine(c.Subject, 500) + "\n"
	}
	for i, line := range c.Lines {
		if i == 0 {
			text += "\n"
		}
		text += "- " + OneLine(line, 500) + "\n"
	}
	if c.Link != "" {
		text += "\n" + c.Link + "\n"
	}
	if c.Why != "" || c.Unsubscribe != "" {
		text += "\n-- \n"
	}
	if c.Why != "" {
		text += OneLine(c.Why, 500) + "\n"
	}
	if c.Unsubscribe != "" {
		text += "No more mails of this kind: " + c.Unsubscribe + "\n"
	}
	return text
}
