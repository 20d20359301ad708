package hooks

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"

	lru "github.com/hashicorp/golang-lru/v2"
)

// tokens remembers which body came with a one-time token: those that came to
// this process by itself, and all by the claims that processes share.
type tokens struct {
	seen   *lru.Cache[string, string]
	claims Claims
}

func newTokens(most int, claims Claims) *tokens {
	seen, _ := lru.New[string, string](most) // fails on a size below one alone
	return &tokens{seen, claims}
}

// use refuses a token that has come with another body. The same body again is
// the same request, tried again.
func (t *tokens) use(ctx context.Context, token string, body []byte) error {
	name, content := digest([]byte(token)), digest(body)
	first, known := t.seen.Get(name)
	if !known && t.claims != nil {
		var err error
		if first, err = t.claims.Claim(ctx, "mailgun "+name, content); err != nil {
			return fmt.Errorf("use a token once: %w", err)
		}
		t.seen.Add(name, first)
	} else if !known {
		// Of two that come at once, one is first.
		if first, known, _ = t.seen.PeekOrAdd(name, content); !known {
			first = content
		}
	}
	if first != content {
		return Replayed
	}
	return nil
}

// check refuses a token that is known with another body, and notes nothing.
func (t *tokens) check(ctx context.Context, token string, body []byte) error {
	name, content := digest([]byte(token)), digest(body)
	first, known := t.seen.Get(name)
	if !known && t.claims != nil {
		var err error
		if first, err = t.claims.Claimed(ctx, "mailgun "+name); err != nil {
			return fmt.Errorf("look a token up: %w", err)
		}
	}
	if first != "" && first != content {
		return Replayed
	}
	return nil
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// contents is what a request says, whatever the boundary between its parts is: that is
// another at each try.
func contents(r *Request) []byte {
	if r.mediaType() != "multipart/form-data" {
		return r.Body
	}
	_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return r.Body
	}
	var all []byte
	for parts := multipart.NewReader(bytes.NewReader(r.Body), params["boundary"]); ; {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			return r.Body
		}
		value, err := io.ReadAll(part)
		if err != nil {
			return r.Body
		}
		for _, text := range []string{part.FormName(), part.FileName(), part.Header.Get("Content-Type")} {
			all = fmt.Appendf(all, "%d:%s", len(text), text)
		}
		all = append(fmt.Appendf(all, "%d:", len(value)), value...)
	}
}
