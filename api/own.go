package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
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
	// ownLife is how old what is known of a workspace's own people may be.
	ownLife = time.Minute
	// ownDays is how long the days of an address are kept: longer than an event
	// may be repeated.
	ownDays = 45
	// ownCached bounds the workspaces and the addresses that are remembered.
	ownCached = 10_000
)

// Own knows the people of workspaces, for telling what they do themselves from
// what recipients do: their mail addresses by the directory, and their network
// addresses by their sessions. And it knows the scanners that they have adopted.
type Own struct {
	records   Records
	directory *Directory
	clock     func() time.Time

	mu    sync.Mutex
	known *lru.Cache[string, knownOwn]
}

type knownOwn struct {
	own verdict.Internal
	at  time.Time
}

// NewOwn reads from the records that servers write.
func NewOwn(records Records, directory *Directory, clock func() time.Time) *Own {
	known, err := lru.New[string, knownOwn](ownCached)
	if err != nil {
		panic(err) // The size is ours.
	}
	return &Own{records: records, directory: directory, clock: clock, known: known}
}

// Internal returns what a workspace knows for itself, up to a minute old.
func (o *Own) Internal(ctx context.Context, workspace string) (verdict.Internal, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if known, ok := o.known.Get(workspace); ok && o.clock().Sub(known.at) < ownLife {
		return known.own, nil
	}
	own, err := o.read(ctx, workspace)
	if err != nil {
		return verdict.Internal{}, err
	}
	o.known.Add(workspace, knownOwn{own, o.clock()})
	return own, nil
}

func (o *Own) read(ctx context.Context, workspace string) (verdict.Internal, error) {
	own := verdict.Internal{Emails: make(map[string]string), Addresses: make(map[netip.Addr][]int64)}
	users, err := o.directory.users(ctx, workspace)
	if err != nil {
		return own, fmt.Errorf("read own addresses: %w", err)
	}
	for _, user := range users {
		for _, email := range user.Emails {
			own.Emails[address.Fold(email)] = user.ID
		}
	}
	records, err := o.records.List(ctx, workspace, kindAddress)
	if err != nil {
		return own, fmt.Errorf("read addresses of sessions: %w", err)
	}
	for _, record := range records {
		address, err := netip.ParseAddr(record.ID)
		if err != nil {
			return own, fmt.Errorf("read addresses of sessions: %w", err)
		}
		var days []int64
		if err := json.Unmarshal(record.Doc, &days); err != nil {
			return own, fmt.Errorf("read addresses of sessions: %w", err)
		}
		own.Addresses[address] = days
	}
	own.Scanners, err = scannersOf(ctx, o.records, workspace)
	return own, err
}

// sightings notes where sessions come from, once a day each.
type sightings struct {
	records Records
	clock   func() time.Time
	mu      sync.Mutex
	noted   *lru.Cache[sighting, struct{}]
}

type sighting struct {
	workspace string
	address   netip.Addr
	day       int64
}

func newSightings(records Records, clock func() time.Time) (*sightings, error) {
	noted, err := lru.New[sighting, struct{}](ownCached)
	if err != nil {
		return nil, fmt.Errorf("sightings: %w", err)
	}
	return &sightings{records: records, clock: clock, noted: noted}, nil
}

// note keeps that a session of the workspace used an address today. What cannot
// be kept is kept at the next request.
func (s *sightings) note(ctx context.Context, workspace string, r *http.Request, server *Server) error {
	at := sighting{workspace, server.client(r), s.clock().Unix() / verdict.Day}
	if !at.address.IsValid() {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.noted.Contains(at) {
		return nil
	}
	id := at.address.String()
	days, err := get[[]int64](ctx, s.records, workspace, kindAddress, id)
	if err != nil && !errors.Is(err, event.ErrNotFound) {
		return fmt.Errorf("note a session's address: %w", err)
	}
	if !slices.Contains(days, at.day) {
		days = append(slices.DeleteFunc(days, func(day int64) bool { return day < at.day-ownDays }), at.day)
		if err := put(ctx, s.records, workspace, kindAddress, id, days); err != nil {
			return fmt.Errorf("note a session's address: %w", err)
		}
	}
	s.noted.Add(at, struct{}{})
	return nil
}
