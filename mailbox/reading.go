package mailbox

import (
	"strings"
	"time"

	"tidings/event"
)

// Kind is what a mail is.
type Kind string

// The kinds of mail. Those from Reply on come from somebody else.
const (
	// Sent is a mail of the workspace to its recipients.
	Sent Kind = "sent"
	// Reply is a person's answer to a mail of the workspace.
	Reply Kind = "reply"
	// Automatic is an answer by a program: out of office, a receipt of a ticket.
	Automatic Kind = "automatic"
	// Report is a delivery report: RFC 3464, or a well-known form of before.
	Report Kind = "report"
	// Receipt is a read receipt: RFC 8098.
	Receipt Kind = "receipt"
	// Complaint is an abuse report: RFC 5965.
	Complaint Kind = "complaint"
	// Invitation is an answer to an invitation: iTIP, RFC 5546.
	Invitation Kind = "invitation"
	// List is a mail of a mailing list or newsletter.
	List Kind = "list"
	// Received is any other mail from outside: no answer to a mail of the workspace.
	Received Kind = "received"
	// Draft, Trash, Spam and Chat lie where what was never sent, or is wanted no
	// more, lies. They are left out.
	Draft Kind = "draft"
	Trash Kind = "trash"
	Spam  Kind = "spam"
	Chat  Kind = "chat"
)

// Original is what is known of a message that a mail may be about.
type Original struct {
	// Message is its name; the one that was asked for when empty.
	Message string
	// Self says that who asked wrote it.
	Self bool
}

// Owner says whose mail is read, and what is known of messages. The zero Owner
// knows nobody: mail that no server has carried is taken for its author's own, as
// the copies that mail programs keep of what they send.
type Owner struct {
	// Users are the own addresses and domains, lower case, each with the user
	// whose it is. A user "" stands for the address itself.
	Users map[string]string
	// Everybody says that each author is internal, as in the archive of a whole
	// organisation.
	Everybody bool
	// Arrived says that all mail has come in from outside, as at an inbound
	// hook: none of it is a send.
	Arrived bool
	// Folder is where the mail lies, where that says something.
	Folder Folder
	// SentUser is the user of mail in a Sent folder whose author is not among
	// Users; its author when empty.
	SentUser string
	// Known finds a message by the id that a mail names, for the mail's author.
	// Where it finds none, or is nil, an id is taken for one that is known where all
	// mail has come in from outside, or the mail counts as its author's own.
	Known func(id, author string) (Original, bool)
	// Now is the clock that bounds the dates of mail.
	Now time.Time
	// Source is where the events say they come from.
	Source string
}

// Reading is what a mail is, and what follows from it.
type Reading struct {
	Kind Kind
	// Assumed says that it was taken for its author's own, since nothing says whose
	// mail it is.
	Assumed bool
	// Events are what to take in; none of a mail that concerns no mail of the workspace.
	Events []event.Input
	// Why says more where there are no events, or is empty.
	Why string
}

// Read says what a mail means. It is the one place that does, for import and for
// inbound hooks:
//
//	m, err := mailbox.ParseMail(raw)       // or mailbox.ParseParts(…)
//	if m.Time.IsZero() {
//		m.Time = time.Now()                // when the hook was called
//	}
//	reading, err := mailbox.Read(m, mailbox.Owner{Arrived: true, Now: now, Source: "postmark"})
//	for _, input := range reading.Events { … }
//
// The events follow the table in the package's comment. Their ids begin with
// "mail:" and the mail's Message-ID, so that the same mail gives the same events
// whichever way it comes; a caller may give them ids of its own. The error is a
// *Refusal without a path.
func Read(m Mail, o Owner) (Reading, error) {
	if kind := m.leftOut(o.Folder); kind != "" {
		return Reading{Kind: kind}, nil
	}
	r := interpreter{mail: m, owner: o}
	if r.owner.Source == "" {
		r.owner.Source = importSource
	}
	for _, try := range []func() (Reading, bool){
		r.deliveryReport, r.receipt, r.complaint, r.invitationAnswer, r.plainReport, r.automaticAnswer,
	} {
		if found, ok := try(); ok {
			return r.dated(found)
		}
	}
	if found, ok := r.sent(); ok {
		named(found.reading.Events)
		return found.reading, found.err()
	}
	return r.dated(r.incoming())
}

// interpreter reads one mail for one owner.
type interpreter struct {
	mail  Mail
	owner Owner
}

// dated refuses events of a mail whose time no event may have.
func (r interpreter) dated(found Reading) (Reading, error) {
	named(found.Events)
	if len(found.Events) == 0 {
		return found, nil
	}
	if refused := r.checkTime(); refused != nil {
		return Reading{Kind: found.Kind}, refused
	}
	return found, nil
}

func (r interpreter) checkTime() *Refusal {
	at, now := r.mail.Time, r.owner.Now
	switch {
	case at.IsZero():
		return &Refusal{Code: NoDate, Detail: r.mail.wrong}
	case at.Unix() < 0:
		return &Refusal{Code: NoDate, Detail: "it is before 1970"}
	case at.After(now.Add(maxAhead)):
		return &Refusal{Code: NoDate, Detail: "it is more than an hour ahead"}
	}
	return nil
}

// anybody says that nothing is known of whose mail it is.
func (o Owner) anybody() bool {
	return o.Everybody || len(o.Users) == 0 && !o.Arrived && o.Folder == ""
}

// authors reports whether the mail counts as its author's own: all do, or nothing
// is known of whose mail it is and no server has carried this one.
func (r interpreter) authors() bool {
	return r.owner.Everybody || r.owner.anybody() && !r.mail.carried()
}

// carried reports whether a server has noted that it took the mail, or to whom it
// delivered it. Mail programs keep what they send without that.
func (m Mail) carried() bool {
	for _, field := range []string{"received", "return-path", "delivered-to", "x-original-to", "x-received", "envelope-to"} {
		if m.header.has(field) {
			return true
		}
	}
	return false
}

// user is the user whose address it is, and whether it is an own one.
func (o Owner) user(address string) (string, bool) {
	user, internal := o.Users[address]
	if !internal {
		_, domain, _ := strings.Cut(address, "@")
		if user, internal = o.Users[domain]; internal {
			user = "" // A domain is nobody's.
		}
	}
	if user == "" {
		user = address
	}
	return user, internal
}

// author is whose send the mail is, if its author is internal.
func (r interpreter) author() (string, bool) {
	if r.owner.Arrived {
		return "", false
	}
	from := r.mail.From.Email
	if user, internal := r.owner.user(from); internal {
		return user, true
	}
	sentHere := r.owner.Folder == FolderSent || r.mail.labelled(FolderSent)
	switch {
	case sentHere && r.owner.SentUser != "":
		return r.owner.SentUser, true
	case sentHere:
		return from, true
	}
	return from, r.authors() && !r.mail.hasLabels() && strings.Contains(from, "@")
}

// original finds what a mail is about among ids, the best first.
func (r interpreter) original(ids ...string) (Original, bool) {
	for _, id := range ids {
		if id == "" || id == r.mail.ID {
			continue
		}
		if r.owner.Known != nil {
			if found, ok := r.owner.Known(id, r.mail.From.Email); ok {
				if found.Message == "" {
					found.Message = id
				}
				return found, true
			}
		}
		if r.authors() || r.owner.Arrived {
			return Original{Message: id}, true
		}
	}
	return Original{}, false
}

// answered is the message that a mail answers: In-Reply-To, or else the last of
// References that is known. One that is not known counts where the mail is
// addressed to us first, as an answer is to whom it answers.
func (r interpreter) answered() (Original, bool) {
	ids := r.mail.ancestors()
	if found, ok := r.original(ids...); ok {
		return found, true
	}
	for _, id := range ids {
		if id != "" && id != r.mail.ID && r.addressedToUs() {
			return Original{Message: id}, true
		}
	}
	return Original{}, false
}

// addressedToUs reports whether the first recipient is internal. Where
// nothing is known of whose mail it is, all are.
func (r interpreter) addressedToUs() bool {
	if r.authors() || r.owner.Arrived {
		return true
	}
	// Programs that answer call it bulk mail, so that no program answers them.
	if len(r.mail.To) == 0 || r.mail.isList() && !r.mail.isAutomatic() {
		return false
	}
	_, internal := r.owner.user(r.mail.To[0].Email)
	return internal
}

// ancestors are In-Reply-To and the References from the last.
func (m Mail) ancestors() []string {
	ids := make([]string, 0, 1+len(m.References))
	ids = append(ids, m.ReplyTo)
	for i := len(m.References) - 1; i >= 0; i-- {
		ids = append(ids, m.References[i])
	}
	return ids
}

// isList reports whether a program sent the mail to many: List-Id of RFC 2919,
// or the Precedence of before.
func (m Mail) isList() bool {
	switch strings.ToLower(strings.TrimSpace(m.header.first("precedence"))) {
	case "bulk", "list", "junk":
		return true
	}
	return m.header.has("list-id") || m.header.has("list-post") || m.header.has("mailing-list") || m.header.has("x-mailing-list")
}

// incoming is a mail from outside that is for people.
func (r interpreter) incoming() Reading {
	from := r.mail.From.Email
	original, ok := r.answered()
	switch {
	case !strings.Contains(from, "@"):
		return Reading{Kind: Received, Why: "its sender has no address"}
	case ok && r.mail.byProgram():
		return Reading{Kind: Automatic, Why: "a mail system wrote it"}
	case ok && !original.Self:
		return Reading{Kind: Reply, Events: []event.Input{r.reply(original.Message)}}
	case r.mail.isList():
		return Reading{Kind: List}
	}
	return Reading{Kind: Received}
}
