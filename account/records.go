package account

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
)

// NoWorkspace is where records are kept that are looked up before their
// workspace is known: credentials, by the hash of their secret.
const NoWorkspace = ""

// SecretLength is how many random bytes a secret has.
const SecretLength = 32

// HashOf is how a secret is kept: its SHA-256, in hex.
func HashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// RandomText is length random bytes as URL-safe base64.
func RandomText(rand io.Reader, length int) (string, error) {
	secret := make([]byte, length)
	if _, err := io.ReadFull(rand, secret); err != nil {
		return "", fmt.Errorf("read randomness: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(secret), nil
}

// Get reads a record of a known shape; ErrNotFound when there is none.
func Get[T any](ctx context.Context, records Records, workspace, kind, id string) (T, error) {
	var value T
	doc, err := records.Get(ctx, workspace, kind, id)
	if err != nil {
		return value, fmt.Errorf("get %s: %w", kind, err)
	}
	if err := json.Unmarshal(doc, &value); err != nil {
		return value, fmt.Errorf("decode %s: %w", kind, err)
	}
	return value, nil
}

// Put writes a record, durable when it returns.
func Put(ctx context.Context, records Records, workspace, kind, id string, value any) error {
	doc, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode %s: %w", kind, err)
	}
	if err := records.Put(ctx, workspace, kind, id, doc); err != nil {
		return fmt.Errorf("put %s: %w", kind, err)
	}
	return nil
}

// List reads all records of a kind, by id.
func List[T any](ctx context.Context, records Records, workspace, kind string) ([]T, error) {
	docs, err := records.List(ctx, workspace, kind)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", kind, err)
	}
	values := make([]T, len(docs))
	for i, doc := range docs {
		if err := json.Unmarshal(doc.Doc, &values[i]); err != nil {
			return nil, fmt.Errorf("decode %s: %w", kind, err)
		}
	}
	return values, nil
}
