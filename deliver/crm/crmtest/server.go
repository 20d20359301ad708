package crmtest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
)

// Fault is how one call goes wrong.
type Fault string

// The faults. Those of records strike every other one of a call.
const (
	None Fault = ""
	// Limited answers 429 with Retry-After; Broken answers 500. Neither does anything.
	Limited Fault = "limited"
	Broken  Fault = "broken"
	// Lost does everything and closes the connection without an answer; Half does half of
	// the records and closes it.
	Lost Fault = "lost"
	Half Fault = "half"
	// Partial does half of the records, and says so.
	Partial Fault = "partial"
	// Locked says of half of the records that somebody else holds their row.
	Locked Fault = "locked"
	// Raced has somebody else make the same records in the same moment.
	Raced Fault = "raced"
	// Expired has the token end.
	Expired Fault = "expired"
	// Dead does nothing and closes the connection.
	Dead Fault = "dead"
)

// Faults are all of them but Dead.
var Faults = []Fault{None, Limited, Broken, Lost, Half, Partial, Locked, Raced, Expired}

// server is what both have in common.
type server struct {
	*httptest.Server
	mu sync.Mutex
	// fault is asked before each call; nil for none.
	fault func() Fault
	calls int
	// largest is how many records a call had at most.
	largest int
}

// SetFault has a function say how each call goes, nil for well.
func (s *server) SetFault(fault func() Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = fault
}

// Calls are how many there were, and how many records the largest had.
func (s *server) Calls() (calls, largest int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls, s.largest
}

// next counts a call and says how it goes.
func (s *server) next() Fault {
	s.calls++
	if s.fault == nil {
		return None
	}
	return s.fault()
}

// hangUp closes the connection without an answer.
func hangUp() { panic(http.ErrAbortHandler) }

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if body != nil {
		_ = json.NewEncoder(w).Encode(body)
	}
}

func read(r *http.Request, into any) bool {
	raw, err := io.ReadAll(r.Body)
	return err == nil && json.Unmarshal(raw, into) == nil
}
