package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"tidings/account"
	"tidings/event"
)

// sourceSecrets are what of a source is sealed where the installation has a key.
type sourceSecrets struct {
	Keys  []string `json:"keys,omitempty"`
	Basic []string `json:"basic,omitempty"`
}

// openSource opens a source's secrets. Those of before there was a key are in the clear.
func (s *Server) openSource(ctx context.Context, workspace string, r *sourceRecord) error {
	if r.Sealed == "" {
		return nil
	}
	plain, err := s.Secrets.OpenText(ctx, workspace, kindSource, r.Name, r.Sealed)
	if err != nil {
		return fmt.Errorf("open the secrets of a source: %w", err)
	}
	var secrets sourceSecrets
	if err := json.Unmarshal(plain, &secrets); err != nil {
		return fmt.Errorf("open the secrets of a source: %w", err)
	}
	r.Keys, r.Basic, r.Sealed = secrets.Keys, secrets.Basic, ""
	s.usesSecret(ctx, workspace, "source "+r.Name)
	return nil
}

// sealedSource is a source as it is kept. Without a key of secrets it is kept as it is:
// the operator was told at the start.
func (s *Server) sealedSource(ctx context.Context, workspace string, r sourceRecord) (sourceRecord, error) {
	if s.Secrets == nil || r.Sealed != "" || len(r.Keys)+len(r.Basic) == 0 {
		return r, nil
	}
	plain, err := json.Marshal(sourceSecrets{r.Keys, r.Basic})
	if err != nil {
		return r, err
	}
	if r.Sealed, err = s.Secrets.Seal(ctx, workspace, kindSource, r.Name, plain); err != nil {
		return r, fmt.Errorf("seal the secrets of a source: %w", err)
	}
	r.Keys, r.Basic = nil, nil
	return r, nil
}

// SealSources seals what lies in the clear or under an older key, in every workspace. What
// is written meanwhile is left to who writes it. It may stop anywhere and be run again.
func (s *Server) SealSources(ctx context.Context) (sealed int, err error) {
	if s.Secrets == nil {
		return 0, nil
	}
	// Each source is named by its address.
	found, err := account.List[hookRecord](ctx, s.Records, account.NoWorkspace, kindHook)
	if err != nil {
		return 0, fmt.Errorf("list sources: %w", err)
	}
	for _, hook := range found {
		done, err := s.sealSource(ctx, hook.Workspace, hook.Source)
		if err != nil && !errors.Is(err, event.ErrNotFound) && !errors.Is(err, event.ErrConflict) {
			return sealed, err
		}
		if done {
			sealed++
		}
	}
	return sealed, nil
}

func (s *Server) sealSource(ctx context.Context, workspace, name string) (bool, error) {
	old, err := s.Records.Get(ctx, workspace, kindSource, name)
	if err != nil {
		return false, fmt.Errorf("find source: %w", err)
	}
	var record sourceRecord
	if err := json.Unmarshal(old, &record); err != nil {
		return false, fmt.Errorf("decode source: %w", err)
	}
	if record.Sealed != "" {
		stale, err := s.Secrets.Stale(ctx, workspace, record.Sealed)
		if err != nil || !stale {
			return false, err
		}
		if err := s.openSource(ctx, workspace, &record); err != nil {
			if errors.Is(err, event.ErrUnavailable) {
				return false, nil // It waits for its key, or to be entered again.
			}
			return false, err
		}
	}
	if record, err = s.sealedSource(ctx, workspace, record); err != nil {
		return false, err
	}
	doc, err := json.Marshal(record)
	if err != nil || bytes.Equal(doc, old) {
		return false, err
	}
	if err := s.Records.Swap(ctx, workspace, kindSource, name, old, doc); err != nil {
		return false, fmt.Errorf("keep source: %w", err)
	}
	return true, nil
}
