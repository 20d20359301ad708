package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"tidings/address"
	"tidings/event"
	"tidings/verdict"
)

// kindAddress keeps the days on which sessions used a network address.
const kindAddress = "address"

const (
	// internalLife is how old what is known of a workspace's own people may be.
	internalLife = time.Minute
	// addressDays is how long the days of an address are kept: longer than an event
	// may be repeated.
	addressDays = 45
	// internalCached bounds the workspaces and the addresses that are remembered.
	internalCached = 10_000
)

// Internal knows the people of workspaces, for telling what they do themselves from
// what recipients do: their mail addresses by the directory, and their network
// addresses by their sessions. And it knows the scanners that they have adopted.
type Internal struct {
	records   Records
	directory *Directory
	scanners  *Scanners
	clock     func() time.Time

	mu    sync.Mutex
	known *lru.Cache[string, knownInternal]
}

type knownInternal struct {
	internal verdict.Internal
	at       time.Time
}

// NewInternal reads from the records that servers write.
func NewInternal(records Records, directory *Directory, clock func() time.Time) *Internal {
	known, err := lru.New[string, knownInternal](internalCached)
	if err != nil {
		panic(err) // Only a size below one fails.
	}
	return &Internal{records: records, directory: directory, scanners: NewScanners(records), clock: clock, known: known}
}

// Internal returns what a workspace knows for itself, up to a minute old.
func (i *Internal) Internal(ctx context.Context, workspace string) (verdict.Internal, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if known, ok := i.known.Get(workspace); ok && i.clock().Sub(known.at) < internalLife {
		return known.internal, nil
	}
	internal, err := i.read(ctx, workspace)
	if err != nil {
		return verdict.Internal{}, err
	}
	i.known.Add(workspace, knownInternal{internal, i.clock()})
	return internal, nil
}

func (i *Internal) read(ctx context.Context, workspace string) (verdict.Internal, error) {
	internal := verdict.Internal{Emails: make(map[string]string), Addresses: make(map[netip.Addr][]int64)}
	users, err := i.directory.Users(ctx, workspace)
	if err != nil {
		return internal, fmt.Errorf("read own addresses: %w", err)
	}
	for _, user := range users {
		for _, email := range user.Emails {
			internal.Emails[address.Fold(email)] = user.ID
		}
	}
	records, err := i.records.List(ctx, workspace, kindAddress)
	if err != nil {
		return internal, fmt.Errorf("read addresses of sessions: %w", err)
	}
	uses := make(map[netip.Addr]addressUse, len(records))
	for _, record := range records {
		address, err := netip.ParseAddr(record.ID)
		if err != nil {
			return internal, fmt.Errorf("read addresses of sessions: %w", err)
		}
		var used addressUse
		if err := json.Unmarshal(record.Doc, &used); err != nil {
			return internal, fmt.Errorf("read addresses of sessions: %w", err)
		}
		uses[address] = used
	}
	internal.Addresses = ownAddresses(uses)
	internal.Scanners, err = i.scanners.networks(ctx, workspace)
	return internal, err
}

// SessionAddresses notes where sessions come from, once a day each.
type SessionAddresses struct {
	records Records
	clock   func() time.Time
	mu      sync.Mutex
	noted   *lru.Cache[sessionAddress, struct{}]
}

type sessionAddress struct {
	workspace, who string
	address        netip.Addr
	day            int64
}

// NewSessionAddresses keeps addresses in records.
func NewSessionAddresses(records Records, clock func() time.Time) *SessionAddresses {
	noted, err := lru.New[sessionAddress, struct{}](internalCached)
	if err != nil {
		panic(err) // Only a size below one fails.
	}
	return &SessionAddresses{records: records, clock: clock, noted: noted}
}

// Note keeps that a session of the workspace used an address today, and whose it is: a
// user's, or a key's of nobody. What cannot be kept is kept at the next request.
func (s *SessionAddresses) Note(ctx context.Context, workspace, who string, address netip.Addr) error {
	at := sessionAddress{workspace, who, address, s.clock().Unix() / verdict.Day}
	if !at.address.IsValid() {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.noted.Contains(at) {
		return nil
	}
	id := at.address.String()
	used, err := Get[addressUse](ctx, s.records, workspace, kindAddress, id)
	if err != nil && !errors.Is(err, event.ErrNotFound) {
		return fmt.Errorf("note a session's address: %w", err)
	}
	if used.add(who, at.day) {
		if err := Put(ctx, s.records, workspace, kindAddress, id, used); err != nil {
			return fmt.Errorf("note a session's address: %w", err)
		}
	}
	s.noted.Add(at, struct{}{})
	return nil
}
