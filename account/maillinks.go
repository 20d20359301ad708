package account

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"time"

	cryptorand "crypto/rand"

	"tidings/event"
)

const (
	kindMailLink = "mail-link"
	// MailLinkLife is how long a link that came by mail is good for.
	MailLinkLife = 15 * time.Minute
	// mailTries is how often its six digits may be typed.
	mailTries = 5
	// mailBusy is how often a link is asked anew where another browser tries it too.
	mailBusy = 10
)

// ErrNeedsCode says that a link was opened in another browser than the one that asked
// for it, which has to show the six digits of the mail as well.
var ErrNeedsCode = errors.New("the six digits of the mail are needed")

// MailLinks are links with which people sign in who have nothing but their mailbox.
type MailLinks struct {
	records Records
	clock   func() time.Time
	rand    io.Reader
}

// NewMailLinks keeps links in records.
func NewMailLinks(records Records, clock func() time.Time, rand io.Reader) *MailLinks {
	return &MailLinks{records, clock, rand}
}

// MailLink is what goes into a mail, and nowhere else.
type MailLink struct{ Token, Code string }

// mailLink is a link as it is kept, by the hash of its token.
type mailLink struct {
	Workspace string    `json:"w"`
	User      string    `json:"user"`
	Ends      time.Time `json:"ends"`
	// Browser is the hash of what the browser that asked holds, Code that of the digits
	// and the token.
	Browser string `json:"browser"`
	Code    string `json:"code"`
	// Left is how often the digits may still be typed.
	Left int `json:"left"`
}

// Make makes a link for a user, for the browser that holds a secret.
func (m *MailLinks) Make(ctx context.Context, workspace, user, browser string) (MailLink, error) {
	token, err := RandomText(m.rand, SecretLength)
	if err != nil {
		return MailLink{}, err
	}
	number, err := cryptorand.Int(m.rand, big.NewInt(1_000_000))
	if err != nil {
		return MailLink{}, fmt.Errorf("read randomness: %w", err)
	}
	code := fmt.Sprintf("%06d", number)
	link := mailLink{
		Workspace: workspace, User: user, Ends: m.clock().Add(MailLinkLife), Browser: HashOf(browser), Code: HashOf(token + code), Left: mailTries,
	}
	if err := Put(ctx, m.records, NoWorkspace, kindMailLink, HashOf(token), link); err != nil {
		return MailLink{}, err
	}
	return MailLink{token, code}, nil
}

// Redeem takes a link for good. ErrNeedsCode says that the browser is another one and
// the code is missing or wrong; ErrNotFound that the link is none, or not any more.
func (m *MailLinks) Redeem(ctx context.Context, token, browser, code string) (Caller, error) {
	id := HashOf(token)
	for range mailBusy {
		doc, err := m.records.Get(ctx, NoWorkspace, kindMailLink, id)
		if err != nil {
			return Caller{}, fmt.Errorf("find the link of a mail: %w", err)
		}
		var link mailLink
		if err := json.Unmarshal(doc, &link); err != nil {
			return Caller{}, fmt.Errorf("decode the link of a mail: %w", err)
		}
		if !m.clock().Before(link.Ends) || link.Left <= 0 {
			return Caller{}, errors.Join(
				fmt.Errorf("the link of a mail is over: %w", event.ErrNotFound),
				m.records.Delete(ctx, NoWorkspace, kindMailLink, id))
		}
		if browser != "" && equal(link.Browser, HashOf(browser)) {
			return m.take(ctx, id, link)
		}
		if code == "" {
			return Caller{}, ErrNeedsCode
		}
		// A try counts before its digits are looked at: many at once have no more of them.
		link.Left--
		fewer, err := json.Marshal(link)
		if err == nil {
			err = m.records.Swap(ctx, NoWorkspace, kindMailLink, id, doc, fewer)
		}
		switch {
		case errors.Is(err, event.ErrConflict):
			continue
		case err != nil:
			return Caller{}, fmt.Errorf("count a try of the digits of a mail: %w", err)
		case !equal(link.Code, HashOf(token+code)):
			return Caller{}, ErrNeedsCode
		}
		return m.take(ctx, id, link)
	}
	return Caller{}, fmt.Errorf("the link of a mail is tried by too many: %w", event.ErrNotFound)
}

// take takes a link for good: of several who have it right at once one has it.
func (m *MailLinks) take(ctx context.Context, id string, link mailLink) (Caller, error) {
	if _, err := m.records.Take(ctx, NoWorkspace, kindMailLink, id); err != nil {
		return Caller{}, fmt.Errorf("take the link of a mail: %w", err)
	}
	return Caller{Workspace: link.Workspace, Role: RoleViewer, User: link.User}, nil
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// ForgetEnded deletes links of mails and one-time links that have ended, and records of
// other kinds outside of any workspace that say when they end.
func ForgetEnded(ctx context.Context, records Records, now time.Time, kinds ...string) error {
	for _, kind := range append(kinds, kindMailLink, kindSignIn) {
		docs, err := records.List(ctx, NoWorkspace, kind)
		if err != nil {
			return fmt.Errorf("list what has ended: %w", err)
		}
		for _, doc := range docs {
			var kept struct {
				Ends time.Time `json:"ends"`
			}
			if err := json.Unmarshal(doc.Doc, &kept); err != nil {
				return fmt.Errorf("decode what has ended: %w", err)
			}
			if now.Before(kept.Ends) {
				continue
			}
			if err := records.Delete(ctx, NoWorkspace, kind, doc.ID); err != nil {
				return fmt.Errorf("forget what has ended: %w", err)
			}
		}
	}
	return nil
}
