package audit

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"

	"tidings/address"
	"tidings/event"
)

const (
	kindSecret = "audit-secret"
	secretID   = "persons"
	secretLen  = 32
)

// Names makes the keys that rows name people outside by. Whoever has only the log
// cannot tell the address; whoever has the address and the secret can find the rows.
type Names struct{ secret []byte }

// OpenNames reads the installation's secret, which the first to ask makes.
func OpenNames(ctx context.Context, records Records, random io.Reader) (Names, error) {
	fresh := make([]byte, secretLen)
	if _, err := io.ReadFull(random, fresh); err != nil {
		return Names{}, fmt.Errorf("make the secret of the audit log: %w", err)
	}
	doc, err := json.Marshal(fresh)
	if err != nil {
		return Names{}, fmt.Errorf("make the secret of the audit log: %w", err)
	}
	err = records.Swap(ctx, Installation, kindSecret, secretID, nil, doc)
	if errors.Is(err, event.ErrConflict) {
		doc, err = records.Get(ctx, Installation, kindSecret, secretID)
	}
	var secret []byte
	if err == nil {
		err = json.Unmarshal(doc, &secret)
	}
	if err != nil {
		return Names{}, fmt.Errorf("read the secret of the audit log: %w", err)
	}
	return Names{secret}, nil
}

func (n Names) mac(purpose string, text []byte) string {
	h := hmac.New(sha256.New, n.secret)
	_, _ = io.WriteString(h, purpose) // a hash takes everything
	_, _ = h.Write(text)
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:12])
}

// Person is the key of a person by address. An address that is none has one too: it
// is what was asked for.
func (n Names) Person(email string) string {
	if canonical, wrong := address.Canonical(email); wrong == "" {
		email = canonical
	}
	return "person:" + n.mac("person ", []byte(email))
}

// anAddress is generous: what merely looks like an address is better hidden too.
var anAddress = regexp.MustCompile(`[^\s<>"'(),;:=|&]+@[^\s<>"'(),;:=|&]+`)

// Text replaces the addresses in a text.
func (n Names) Text(text string) string {
	return anAddress.ReplaceAllStringFunc(text, n.Person)
}

// Doc is the hash of a record, "" where there is none.
func (n Names) Doc(doc []byte) string {
	if doc == nil {
		return ""
	}
	return n.mac("record ", doc)
}
